import subprocess
import sys

import pytest

import broker


@pytest.mark.parametrize("name", broker.__all__)
def test_a_public_name_is_found_where_it_is_promised(name: str) -> None:
    assert getattr(broker, name).__name__ == name


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = broker.nothing


def test_importing_the_package_loads_none_of_the_heavy_libraries() -> None:
    heavy = "{'grpc', 'openai', 'pydantic', 'google.protobuf'}"
    probe = f"import broker, sys; print(sorted({heavy} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
