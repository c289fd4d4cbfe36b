import io
import json
from typing import Any

import pytest

from broker.chat.events import (
    ApprovalNeeded,
    CallFinished,
    CallStarted,
    Done,
    Event,
    Kept,
    Notice,
    StopReason,
    TextDelta,
)
from broker.cli.transcript import Words, transcript
from broker.errors import Code
from broker.models.model import Usage
from broker.tool import ToolCall, ToolResult

CALL = ToolCall(id="call_1", name="echo", arguments='{"text": "北京"}')
GOOD = ToolResult(call_id="call_1", content="{}", structured={})
BAD = ToolResult(call_id="call_1", content="no such city\nnear: Paris", code=Code.NOT_FOUND)
DONE = Done(
    messages=({"role": "assistant", "content": "It rains."},),
    stop_reason=StopReason.ANSWERED,
    text="It rains.",
    usage=Usage(input_tokens=3, output_tokens=2),
)


def shown(*events: Event) -> tuple[str, str]:
    text, calls = io.StringIO(), io.StringIO()
    words = Words(text, calls)
    for event in events:
        words.show(event)
    return text.getvalue(), calls.getvalue()


def test_the_models_words_go_to_one_stream_and_its_calls_to_the_other() -> None:
    text, calls = shown(
        TextDelta(text="Let me "),
        TextDelta(text="look."),
        Notice(text="asked without reasoning"),
        CallStarted(call=CALL),
        CallFinished(call=CALL, result=GOOD, seconds=0.0123),
        CallFinished(call=CALL, result=BAD, seconds=2.0),
        TextDelta(text="It rains.\n"),
        DONE,
    )

    assert text == "Let me look.\nIt rains.\n"
    assert calls.splitlines() == [
        "! asked without reasoning",
        '→ echo {"text": "北京"}',
        "✓ echo 0.01 s",
        "✗ echo 2.00 s NOT_FOUND: no such city / near: Paris",
    ]


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        (StopReason.MAX_TURNS, "ended: the model still asked for calls in its last turn"),
        (StopReason.TIMEOUT, "ended: the time is up"),
        (StopReason.CUT_OFF, "ended: the model was stopped in the middle of its answer"),
        (StopReason.MAX_TOKENS, "ended: the tokens of this turn are used up"),
        (StopReason.REPEATING, "ended: the model made the same call again and again"),
    ],
)
def test_a_run_that_was_cut_says_why(reason: StopReason, line: str) -> None:
    done = Done(messages=(), stop_reason=reason, text="", usage=Usage())

    assert shown(TextDelta(text="I was about to"), done) == ("I was about to\n", f"{line}\n")


@pytest.mark.parametrize(
    ("request_json", "seen"),
    [
        ('{"to": "boss"}', '{"to": "boss"}'),
        ('{"to": "two  spaces"}', '{"to": "two  spaces"}'),
        (f'{{"to": "{"a" * 19_000}"}}', f'{{"to": "{"a" * 19_000}"}}'),
        ('{"to": "\u202esoob"}', '{"to": "\\u202esoob"}'),
        (
            f'{{"to": "{"a" * 20_000}"}}',
            f'{{"to": "{"a" * 19_992}…\n10 more characters are not shown here',
        ),
    ],
    ids=["short", "spaces", "long", "not seen", "too long"],
)
def test_a_call_that_waits_for_approval_shows_its_request_exactly(request_json: str, seen: str) -> None:
    waiting = ApprovalNeeded(call=CALL, request=request_json, backend="mail", full_name="m.Send")

    assert shown(waiting)[1] == f"? echo waits for approval as call_1: {seen}\n"


def test_what_a_model_says_cannot_move_the_cursor() -> None:
    attack = "\x1b]0;title\x07\x1b[2J\u202e"
    hostile = ToolCall(id="1", name=f"echo{attack}", arguments=f'{{"a": "{attack}"}}')

    text, calls = shown(TextDelta(text=f"a{attack}b\n"), CallStarted(call=hostile))

    assert not {"\x1b", "\x07", "\u202e"} & set(text + calls)


def test_each_event_is_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    lines = transcript(json=True)
    events: list[Event] = [
        Kept(state="run_1.secret"),
        TextDelta(text="a\nb"),
        Notice(text="asked without reasoning"),
        CallStarted(call=CALL),
        CallFinished(call=CALL, result=BAD, seconds=0.5),
        CallFinished(call=CALL, result=GOOD, seconds=0.5),
        ApprovalNeeded(call=CALL, request="{}", backend="mail", full_name="m.Send"),
        DONE,
    ]
    for event in events:
        lines.show(event)

    call: dict[str, Any] = {"id": "call_1", "name": "echo"}
    finished = {"event": "call_finished", **call, "seconds": 0.5}
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"event": "kept", "state": "run_1.secret"},
        {"event": "text_delta", "text": "a\nb"},
        {"event": "notice", "text": "asked without reasoning"},
        {"event": "call_started", **call, "arguments": '{"text": "北京"}'},
        {**finished, "is_error": True, "code": "NOT_FOUND", "content": "no such city\nnear: Paris"},
        {**finished, "is_error": False, "code": None, "content": "{}"},
        {"event": "approval_needed", **call, "request": "{}", "backend": "mail", "full_name": "m.Send"},
        {
            "event": "done",
            "stop_reason": "answered",
            "text": "It rains.",
            "messages": [{"role": "assistant", "content": "It rains."}],
            "usage": {"input_tokens": 3, "output_tokens": 2},
            "state": None,
        },
    ]
