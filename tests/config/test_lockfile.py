import json
from pathlib import Path
from typing import Any

import pytest

from broker.config import loading, lockfile
from broker.config.lockfile import LockedTool
from broker.errors import ConfigError

TOOL = LockedTool(
    backend="shop",
    full_name="shop.v1.S.Buy",
    name="buy",
    description="Buys.",
    input_schema={"type": "object"},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "broker.lock.json"


def test_it_is_written_for_reviewers_one_value_on_a_line(path: Path) -> None:
    assert lockfile.dump([TOOL]).splitlines() == [
        "{",
        '  "tools": [',
        "    {",
        '      "backend": "shop",',
        '      "description": "Buys.",',
        '      "full_name": "shop.v1.S.Buy",',
        f'      "hash": "{TOOL.hash}",',
        '      "input_schema": {',
        '        "type": "object"',
        "      },",
        '      "name": "buy"',
        "    }",
        "  ],",
        '  "version": 1',
        "}",
    ]


def edited(**values: Any) -> str:
    content = json.loads(lockfile.dump([TOOL]))
    content["tools"][0].update(values)
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "Expecting value", id="empty"),
        pytest.param("[" * 100_000, "recursion", id="nested without end"),
        pytest.param("[]", "not the form of version 1", id="no object"),
        pytest.param('{"version": 2, "tools": []}', "not the form of version 1", id="a later version"),
        pytest.param('{"version": 1}', 'no list of "tools"', id="no tools"),
        pytest.param('{"version": 1, "tools": [7]}', 'each of its tools needs "backend"', id="no tool"),
        pytest.param(edited(name=7), 'each of its tools needs "backend"', id="a name of another type"),
        pytest.param(
            edited(description="Sells."), 'the hash of "shop.v1.S.Buy" is not that', id="edited by hand"
        ),
    ],
)
def test_what_broker_lock_did_not_write_is_refused_with_place_fact_and_cure(
    path: Path, text: str, words: str
) -> None:
    path.write_text(text)
    config = path.with_name("broker.yaml")
    config.write_text("log: {level: error}\nlockfile: broker.lock.json\n")

    with pytest.raises(ConfigError) as refused:
        loading.load(config)

    message = str(refused.value)
    assert message.startswith(f"{config}:2:1: lockfile: the lockfile ")
    assert words in message
    assert message.endswith("; write it anew with `broker lock`")


def test_a_file_that_is_too_large_is_not_read_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(lockfile.dump([TOOL]))
    monkeypatch.setattr(lockfile, "MAX_BYTES", 100)

    with pytest.raises(ValueError, match="is larger than 100 bytes"):
        lockfile.read(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda _: None, "does not exist", id="missing"),
        pytest.param(lambda path: path.mkdir(), "cannot be read", id="a folder"),
    ],
)
def test_a_lockfile_that_is_not_there_is_refused_but_by_whoever_writes_it(
    path: Path, make: Any, words: str
) -> None:
    make(path)
    config = path.with_name("broker.yaml")
    config.write_text("lockfile: broker.lock.json\n")

    with pytest.raises(ConfigError, match=words):
        loading.load(config)
    assert loading.load(config, unlocked=True).lockfile == path


def test_a_lockfile_that_is_in_order_is_found_beside_the_config(path: Path) -> None:
    path.write_text(lockfile.dump([TOOL]))
    config = path.with_name("broker.yaml")
    config.write_text("lockfile: broker.lock.json\n")

    assert loading.load(config).lockfile == path
    assert lockfile.read(path) == [TOOL]
