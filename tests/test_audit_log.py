"""The audit log: one line for each call, without secrets, whatever became of it."""

import asyncio
import hashlib
import io
import json
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from broker import assembly
from broker.audit_log import AuditLog
from broker.call_log import CallLog
from broker.config.settings import LogSettings, Settings
from broker.dispatch import Broker
from broker.errors import ConfigError
from broker.tool import CallContext, Prepared, ToolCall
from tests.servers.probe import Probe


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
async def audited(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings], file: Path
) -> AsyncIterator[Broker]:
    async with assembly.open(settings_for(probe[1], audit={"file": file})) as broker:
        yield broker


def texts(file: Path) -> list[str]:
    return file.read_text().splitlines()


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in texts(file)]


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def call(method: str = "Echo", text: str = '{"text": "a"}') -> ToolCall:
    return ToolCall(id="call_1", name=f"probe_v1_ProbeService_{method}", arguments=text)


async def test_a_call_has_one_line_that_says_who_called_what_and_how_it_ended(
    audited: Broker, file: Path
) -> None:
    prepared = audited.prepare(call())
    assert isinstance(prepared, Prepared)

    await audited.call(call(), CallContext(principal="ann"))

    (line,) = lines(file)
    assert line.pop("time").endswith("+00:00")
    assert line.pop("ms") > 0
    assert line == {
        "principal": "ann",
        "run_id": None,
        "call_id": "call_1",
        "tool": "probe_v1_ProbeService_Echo",
        "backend": "probe",
        "full_name": "probe.v1.ProbeService.Echo",
        "arguments": {"text": "a"},
        "request_hash": prepared.request_hash,
        "decision": "not needed",
        "code": "OK",
    }


@pytest.mark.parametrize(
    ("asked", "decision", "code"),
    [
        pytest.param(call("Fail", '{"code": 5}'), "not needed", "NOT_FOUND", id="the backend refuses"),
        pytest.param(call("Dangerous"), "denied", "PERMISSION_DENIED", id="nobody was asked"),
        pytest.param(call("Echo", '{"txt": 1}'), "invalid", "INVALID_ARGUMENT", id="wrong arguments"),
        pytest.param(call("Nothing"), "invalid", "NOT_FOUND", id="no such tool"),
    ],
)
async def test_a_call_that_did_not_succeed_has_its_line_too(
    audited: Broker, file: Path, asked: ToolCall, decision: str, code: str
) -> None:
    await audited.call(asked)

    (line,) = lines(file)
    assert (line["decision"], line["code"]) == (decision, code)


@pytest.mark.parametrize("edited", [False, True])
async def test_the_line_of_an_approved_call_says_whose_arguments_were_sent(
    audited: Broker, file: Path, edited: bool
) -> None:
    prepared = audited.prepare(call("Dangerous"))
    assert isinstance(prepared, Prepared)
    grant = prepared.grant(None)
    object.__setattr__(grant, "edited", edited)

    await audited.execute(prepared, CallContext(grants=(grant,)))

    assert [line["decision"] for line in lines(file)] == [
        "approved with other arguments" if edited else "approved"
    ]


async def test_a_call_that_is_cancelled_has_its_line(
    probe: tuple[Probe, int], audited: Broker, file: Path
) -> None:
    task = asyncio.create_task(audited.call(call("Wait")))
    await asyncio.wait_for(probe[0].waiting.acquire(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert [(line["decision"], line["code"]) for line in lines(file)] == [("not needed", "CANCELLED")]


@pytest.mark.parametrize("text", ['{"text": "secret"', '{"password": "secret"}', "\ud800"])
async def test_of_arguments_that_were_not_understood_only_length_and_hash_are_kept(
    audited: Broker, file: Path, text: str
) -> None:
    await audited.call(call("Echo", text))

    (line,) = lines(file)
    sent = text.encode("utf-8", "replace")
    assert "secret" not in str(line)
    assert "arguments" not in line
    assert line["arguments_bytes"] == len(sent)
    assert line["arguments_hash"] == hashlib.sha256(sent).hexdigest()
    assert line["request_hash"] is None


async def test_a_line_stays_short_whatever_a_model_sends(audited: Broker, file: Path) -> None:
    endless = "\x01" * 1_000_000
    await audited.call(
        ToolCall(id=endless, name=call().name, arguments=json.dumps({"text": endless})),
        CallContext(principal=endless),
    )
    await audited.call(ToolCall(id="\ud800", name="\ud800" * 1_000, arguments=endless))

    assert len(lines(file)) == 2
    assert all(len(json.dumps(line)) < 8_000 for line in lines(file))


async def test_lines_are_added_to_those_of_before_in_a_file_that_only_its_owner_reads(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings], file: Path
) -> None:
    for _ in range(2):
        async with assembly.open(settings_for(probe[1], audit={"file": file})) as broker:
            await broker.call(call())

    assert len(lines(file)) == 2
    assert mode(file) == 0o600


@pytest.mark.parametrize("name", [".", "nothing/audit.jsonl", "pipe"])
async def test_a_file_that_cannot_be_used_is_refused_at_start_with_its_key(
    settings_for: Callable[..., Settings], tmp_path: Path, name: str
) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ConfigError, match="cannot be written to") as refused:
        async with assembly.open(settings_for(1, audit={"file": tmp_path / name})):
            raise AssertionError("the broker is open")

    assert refused.value.key == ("audit", "file")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk at hand")
async def test_a_line_that_cannot_be_written_fails_no_call_and_is_told_in_the_log(broker: Broker) -> None:
    said = io.BytesIO()
    log = CallLog(LogSettings(level="error"), said)
    audit_log = AuditLog(Path("/dev/full"), log)

    result = await Broker(broker.catalog, broker._invoke, log, observers=(audit_log.note,)).call(call())

    audit_log.close()
    told = json.loads(said.getvalue())
    assert not result.is_error
    assert (told["event"], told["call_id"]) == ("audit line lost", "call_1")
    assert "No space left" in told["exception"]


async def test_after_half_a_line_the_next_one_begins_a_line_of_its_own(
    broker: Broker, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = CallLog(LogSettings(level="error"), io.BytesIO())
    audit_log = AuditLog(file, log)
    audited = Broker(broker.catalog, broker._invoke, log, observers=(audit_log.note,))
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: write(file, data[:20]))
        await audited.call(call())
    await audited.call(call())

    audit_log.close()
    (half, whole) = texts(file)
    assert len(half) == 20
    assert json.loads(whole)["code"] == "OK"


async def test_without_an_audit_file_nobody_observes_calls(broker: Broker) -> None:
    assert broker._observers == ()
