"""Calls that wait for approval, at a terminal: what is shown, what is asked, and what is sent."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from broker.chat.events import ApprovalNeeded
from broker.cli import keyboard
from broker.cli.approvals import decide
from broker.cli.keyboard import Undecided
from broker.dispatch import Broker
from broker.tool import ToolCall
from tests.cli.conftest import Service
from tests.cli.terminals import Terminal, plain
from tests.models.scripted_server import Answer, asked_for, said, stream

QUESTION = "[y]es / [n]o / [e]dit / say why not: "
Start = Callable[..., Terminal]


def dangerous(*texts: str) -> Answer:
    """An answer that asks for one call of Dangerous for each text."""
    name = "probe_v1_ProbeService_Dangerous"
    return stream(
        asked_for(*((f"call_{place}", name, json.dumps({"text": text})) for place, text in enumerate(texts)))
    )


def result(service: Service) -> str:
    """What the model read of the last call."""
    content = service.model.requests[-1]["messages"][-1]["content"]
    assert isinstance(content, str)
    return content


@pytest.fixture
def asked(service: Service, terminal: Start) -> Callable[..., Terminal]:
    """A terminal that asks about one call."""

    def start(text: str = "hello", **environment: str) -> Terminal:
        service.model.script += [dangerous(text), stream(said("So be it."))]
        screen = terminal("chat", "-c", str(service.config), "Do it", **environment)
        screen.wait_for(QUESTION)
        return screen

    return start


def test_a_call_is_sent_when_the_user_has_seen_all_of_it_and_says_yes(
    service: Service, asked: Callable[..., Terminal]
) -> None:
    screen = asked()
    seen = plain(screen.screen.decode())
    assert service.probe.seen == []

    screen.type("y\n")
    screen.wait_for("So be it.")

    assert "? probe_v1_ProbeService_Dangerous waits for approval\r\n" in seen
    assert "method   probe.v1.ProbeService.Dangerous\r\n  backend  probe\r\n" in seen
    assert 'request  {\r\n    "text": "hello",\r\n    "number": 0\r\n  }\r\n' in seen
    assert service.probe.seen == ["Dangerous"]
    screen.end()
    assert screen.process.returncode == 0


@pytest.mark.parametrize(
    ("answer", "told"),
    [("n", "rejected this call, and nothing was sent."), ("not on Sunday", "They say: not on Sunday")],
)
def test_a_call_is_not_sent_when_the_user_says_no(
    service: Service, asked: Callable[..., Terminal], answer: str, told: str
) -> None:
    screen = asked()
    screen.type(f"{answer}\n")
    screen.wait_for("So be it.")

    assert service.probe.seen == []
    assert told in result(service)


@pytest.mark.parametrize("keys", ["\n", "x\n"], ids=["an empty line", "a letter that means nothing"])
def test_what_is_no_answer_is_asked_again(
    service: Service, asked: Callable[..., Terminal], keys: str
) -> None:
    screen = asked()
    screen.type(keys)
    screen.wait_for(QUESTION)

    assert service.probe.seen == []


def test_what_was_typed_before_the_question_is_no_answer(service: Service, terminal: Start) -> None:
    service.model.script += [dangerous("hello"), stream(said("So be it."))]
    screen = terminal("chat", "-c", str(service.config), "Do it")
    screen.type("y\n")
    screen.wait_for(QUESTION)
    screen.type("n\n")
    screen.wait_for("So be it.")

    assert service.probe.seen == []


def test_an_edited_request_is_shown_anew_before_it_is_sent(
    service: Service, asked: Callable[..., Terminal]
) -> None:
    screen = asked(EDITOR="sed -i s/hello/bye/")
    screen.type("e\n")
    screen.wait_for('"text": "bye"')
    screen.wait_for(QUESTION)
    assert service.probe.seen == []
    screen.type("y\n")
    screen.wait_for("So be it.")

    assert service.probe.seen == ["Dangerous"]
    said_so, _, answer = result(service).rpartition("\n")
    assert "with other arguments" in said_so
    assert json.loads(answer)["text"] == "bye"


def test_without_an_editor_one_line_is_asked_for_and_mistakes_are_told(
    service: Service, asked: Callable[..., Terminal]
) -> None:
    screen = asked(EDITOR="", VISUAL="")
    screen.type("e\n")
    screen.wait_for("JSON on one line")
    screen.type('{"txt": "bye"}\n')
    screen.wait_for('Did you mean "text"')
    screen.wait_for('"text": "hello"')
    screen.wait_for(QUESTION)
    screen.type("e\n")
    screen.wait_for("JSON on one line")
    screen.type('{"text": "bye"}\n')
    screen.wait_for('"text": "bye"')
    screen.wait_for(QUESTION)
    screen.type("y\n")
    screen.wait_for("So be it.")

    assert json.loads(result(service).partition("\n")[2])["text"] == "bye"


def test_a_mistake_in_an_edit_is_no_outcome_of_the_call(
    service: Service, asked: Callable[..., Terminal], tmp_path: Path
) -> None:
    audit = tmp_path / "audit.jsonl"
    settings = {**json.loads(service.config.read_text()), "audit": {"file": str(audit)}}
    service.config.write_text(json.dumps(settings))
    screen = asked(EDITOR="", VISUAL="")
    screen.type("e\n")
    screen.wait_for("JSON on one line")
    screen.type('{"txt": "bye"}\n')
    screen.wait_for('Did you mean "text"')
    screen.wait_for(QUESTION)
    screen.type("n\n")
    screen.wait_for("So be it.")

    lines = map(json.loads, audit.read_text().splitlines())
    assert [line["decision"] for line in lines] == ["waiting", "rejected"]


@pytest.mark.parametrize("editor", ["false", "no-such-editor", '"'])
def test_an_editor_that_fails_changes_nothing(
    service: Service, asked: Callable[..., Terminal], editor: str
) -> None:
    screen = asked(EDITOR=editor)
    screen.type("e\n")
    screen.wait_for("could not edit the request")
    screen.wait_for('"text": "hello"')
    screen.wait_for(QUESTION)

    assert service.probe.seen == []


def test_several_calls_are_asked_about_one_after_the_other(service: Service, terminal: Start) -> None:
    service.model.script += [dangerous("one", "two", "three"), stream(said("So be it."))]
    screen = terminal("chat", "-c", str(service.config), "Do it")
    for text, answer in {"one": "y", "two": "no", "three": "YES"}.items():
        screen.wait_for(f'"text": "{text}"')
        screen.wait_for(QUESTION)
        assert service.probe.seen == []
        screen.type(f"{answer}\n")
    screen.wait_for("So be it.")

    assert service.probe.seen == ["Dangerous", "Dangerous"]
    results = [each["content"] for each in service.model.requests[-1]["messages"][-3:]]
    assert ["rejected" in each for each in results] == [False, True, False]


def test_ctrl_c_at_the_question_sends_nothing_and_the_conversation_goes_on(
    service: Service, terminal: Start
) -> None:
    service.model.script += [dangerous("hello"), stream(said("Anything else?"))]
    screen = terminal("chat", "-c", str(service.config))
    screen.wait_for("> ")
    screen.type("Do it\n")
    screen.wait_for(QUESTION)
    screen.interrupt("nothing that waited was sent")
    screen.wait_for("> ")
    screen.type("Never mind\n")
    screen.wait_for("Anything else?")
    screen.wait_for("> ")
    screen.type("\x04")

    screen.end()
    assert screen.process.returncode == 0
    assert service.probe.seen == []
    assert [each["content"] for each in service.model.requests[-1]["messages"]] == ["Never mind"]


def test_an_answer_that_comes_too_late_sends_nothing_and_the_conversation_goes_on(
    service: Service, terminal: Start
) -> None:
    settings = {**json.loads(service.config.read_text()), "state": {"expiry": 0.001}}
    service.config.write_text(json.dumps(settings))
    service.model.script += [dangerous("hello"), stream(said("Hi."))]
    screen = terminal("chat", "-c", str(service.config))
    screen.wait_for("> ")
    screen.type("Do it\n")
    screen.wait_for(QUESTION)
    screen.type("y\n")
    screen.wait_for("This run has expired.")
    screen.wait_for("> ")
    screen.type("Hello\n")
    screen.wait_for("Hi.")

    assert service.probe.seen == []
    assert [message["content"] for message in service.model.requests[-1]["messages"]] == ["Hello"]


def test_the_end_of_the_input_at_the_question_sends_nothing(
    service: Service, asked: Callable[..., Terminal]
) -> None:
    screen = asked()
    screen.type("y\x04\x04")  # a line that was broken off

    assert "nothing that waits was sent; with --save FILE" in screen.end()
    assert screen.process.returncode == 3
    assert service.probe.seen == []


def test_what_a_request_holds_cannot_change_what_is_seen(
    service: Service, asked: Callable[..., Terminal]
) -> None:
    screen = asked("pay \u202eeno\u200b\x1b[2J")

    assert r'"text": "pay \u202eeno\u200b\u001b[2J"' in plain(screen.screen.decode())


def test_a_request_too_long_to_show_says_what_is_missing(
    service: Service, asked: Callable[..., Terminal]
) -> None:
    screen = asked("x" * 30_000)

    assert "more characters are not shown here" in plain(screen.screen.decode())


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["words", "json"])
def test_where_nobody_can_be_asked_nothing_is_sent_and_the_status_says_so(
    service: Service, run: Callable[..., Any], flags: list[str]
) -> None:
    service.model.script.append(dangerous("hello"))

    outcome = run("chat", "-c", str(service.config), *flags, "Do it")

    assert outcome.status == 3
    assert "nothing that waits was sent; with --save FILE" in outcome.err
    assert service.probe.seen == []
    if flags:
        done = json.loads(outcome.out.splitlines()[-1])
        assert (done["stop_reason"], done["state"].startswith("run_")) == ("waiting", True)
    else:
        assert 'waits for approval as call_0: {"text":"hello","number":0}' in outcome.err


def test_ctrl_c_just_before_an_answer_is_read_is_no_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(question: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(keyboard, "ask", interrupted)
    call = ToolCall(id="call_1", name="probe_v1_ProbeService_Dangerous", arguments="{}")
    asked = ApprovalNeeded(
        call=call, backend="probe", full_name="probe.v1.ProbeService.Dangerous", request="{}"
    )

    with pytest.raises(Undecided):
        decide([asked], cast(Broker, None))
