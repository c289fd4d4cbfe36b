"""What is told of a message to those who keep account: never a secret, never more than fits."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.schema.redaction import CUT, REDACTED, redacted
from tests.schema.conftest import Codec

SECRET = "hunter2"
KEY = {"shape": "round", "teeth": SECRET}
TOLD_KEY = {"shape": "round", "teeth": REDACTED}


def vault(codec: Codec, fields: dict[str, Any]) -> Any:
    return codec.decode("schema.secrets.Vault", json.dumps(fields))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({"owner": "Ann", "pin": SECRET}, {"owner": "Ann", "pin": REDACTED}, id="a field"),
        pytest.param({"keys": {"a": KEY}}, {"keys": {"a": TOLD_KEY}}, id="in a map"),
        pytest.param({"spares": [KEY, KEY]}, {"spares": [TOLD_KEY, TOLD_KEY]}, id="in a list"),
        pytest.param(
            {"spares": [{"twin": {"twin": KEY}}]},
            {"spares": [{"twin": {"twin": TOLD_KEY}}]},
            id="deep within",
        ),
        pytest.param({"master": KEY}, {"master": REDACTED}, id="a message"),
        pytest.param({"codes": {SECRET: SECRET}}, {"codes": REDACTED}, id="a map"),
        pytest.param({"numbers": [4711]}, {"numbers": REDACTED}, id="a list"),
        pytest.param({"window": SECRET}, {"window": REDACTED}, id="a member of a oneof"),
        pytest.param({"clearance": "CLEARANCE_SPY"}, {"clearance": REDACTED}, id="a value of an enum"),
        pytest.param({"clearance": "CLEARANCE_GUEST"}, {"clearance": "CLEARANCE_GUEST"}, id="another value"),
        pytest.param({"seal": "aGVsbG8="}, {"seal": "5 bytes"}, id="bytes"),
        pytest.param({"wax": "aGVsbG8="}, {"wax": "5 bytes"}, id="wrapped bytes"),
        pytest.param({"since": "2024-05-01T12:00:00Z"}, {"since": "2024-05-01T12:00:00Z"}, id="a time"),
        pytest.param(
            {"notes": {"a": [1, None, "b"]}}, {"notes": {"a": [1, None, "b"]}}, id="an object of any kind"
        ),
        pytest.param({}, {}, id="nothing"),
    ],
)
def test_what_the_proto_marks_is_masked_wherever_it_lies_and_bytes_are_counted(
    codec: Codec, fields: dict[str, Any], told: dict[str, Any]
) -> None:
    assert redacted(vault(codec, fields), 4096) == told


def test_of_an_any_only_the_type_and_the_size_are_told(codec: Codec) -> None:
    held = {"@type": "type.googleapis.com/schema.secrets.Vault", "pin": SECRET}

    told = redacted(vault(codec, {"inside": held}), 4096)

    assert told == {"inside": {"type_url": "type.googleapis.com/schema.secrets.Vault", "value": "9 bytes"}}


def test_a_number_that_no_value_of_the_enum_has_is_told_as_it_is(codec: Codec) -> None:
    assert redacted(codec.new("schema.secrets.Vault", clearance=99), 4096) == {"clearance": 99}


def test_fields_named_like_methods_of_messages_do_no_harm(codec: Codec) -> None:
    told = redacted(codec.decode("Shadows", '{"ListFields": 5}'), 4096)

    assert told == {"ListFields": 5}


def test_what_does_not_fit_is_cut_where_the_bytes_end_and_says_so(codec: Codec) -> None:
    spares = [{"shape": "x" * 10}] * 1_000

    told = redacted(vault(codec, {"owner": "y" * 100, "spares": spares, "seal": "aGVsbG8="}), 200)

    assert told["owner"] == "y" * 100
    assert told["spares"][0] == {"shape": "x" * 10}
    assert told["spares"][-1] == CUT
    assert len(told["spares"]) < 10
    assert told.keys() == {"owner", "spares", CUT}, "the seal comes after it"
    assert redacted(vault(codec, {"owner": "y" * 100}), 20)["owner"].endswith(f"{CUT} (100 characters)")
    (key,) = redacted(vault(codec, {"keys": {"z" * 5_000: {}}}), 200)["keys"]
    assert key.endswith(f"{CUT} (5000 characters)")


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=3_000)
_KEYS = st.recursive(
    st.fixed_dictionaries({"shape": _TEXT, "teeth": st.just(SECRET)}),
    lambda keys: st.fixed_dictionaries({"twin": keys}),
    max_leaves=20,
)
_VAULTS = st.fixed_dictionaries(
    {},
    optional={
        "pin": st.just(SECRET),
        "codes": st.dictionaries(st.just(SECRET), st.just(SECRET)),
        "owner": _TEXT,
        "keys": st.dictionaries(_TEXT, _KEYS, max_size=50),
        "spares": st.lists(_KEYS, max_size=50),
        "names": st.lists(_TEXT, max_size=50),
        "notes": st.dictionaries(_TEXT, st.lists(st.integers(-99, 99), max_size=50), max_size=50),
    },
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(fields=_VAULTS, max_bytes=st.sampled_from([0, 100, 4096]))
def test_no_message_tells_a_secret_or_takes_more_than_it_may(
    codec: Codec, fields: dict[str, Any], max_bytes: int
) -> None:
    told = orjson.dumps(redacted(vault(codec, fields), max_bytes))

    assert SECRET.encode() not in told
    assert len(told) < max_bytes + 1_500, "what is cut says so, and brackets are not counted"
