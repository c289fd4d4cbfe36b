"""Conversations that are kept in a file: what a later command makes of them, also after a SIGKILL."""

import asyncio
import io
import json
import signal
import subprocess
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from broker.config.settings import StateSettings
from broker.state.checkpoints import Checkpoints
from broker.state.conversations import Conversation, ConversationFile
from tests.cli.conftest import Service
from tests.cli.terminals import Terminal
from tests.models.scripted_server import Answer, asked_for, refusal, said, stream

Run = Callable[..., Any]
Start = Callable[..., Terminal]
T = TypeVar("T")
QUESTION = "say why not: "
DANGEROUS = "probe_v1_ProbeService_Dangerous"
WAIT = "probe_v1_ProbeService_Wait"


def call(name: str) -> Answer:
    return stream(asked_for(("call_1", name, '{"text": "hello"}')))


def in_file(path: str, work: Callable[[ConversationFile], Coroutine[Any, Any, T]]) -> T:
    """What comes of work in the file of a conversation."""

    async def with_file() -> T:
        file = ConversationFile.open(Path(path))
        try:
            return await work(file)
        finally:
            file.close()

    return asyncio.run(with_file())


def kept(path: str = "talk.db") -> Conversation:
    return in_file(path, ConversationFile.read)


@pytest.fixture(autouse=True)
def nothing_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())


@pytest.fixture
def chat(service: Service) -> list[str]:
    return ["chat", "-c", str(service.config)]


@pytest.fixture
def waits(service: Service, run: Run, chat: list[str]) -> None:
    """talk.db holds a turn that waits for a decision about call_1."""
    service.model.script.append(call(DANGEROUS))
    assert run(*chat, "--save", "talk.db", "Do it").status == 3


def test_killed_while_it_asks_the_call_is_received_once_in_another_process(
    service: Service, terminal: Start, chat: list[str]
) -> None:
    service.model.script += [call(DANGEROUS), stream(said("It is done."))]
    first = terminal(*chat, "--save", "talk.db", "Do it")
    first.wait_for(QUESTION)
    first.kill()
    assert service.probe.seen == []

    second = terminal(*chat, "--resume", "talk.db")
    second.wait_for('"text": "hello"')
    second.wait_for(QUESTION)
    second.type("y\n")
    second.wait_for(f"✓ {DANGEROUS}")
    second.wait_for("It is done.")
    second.wait_for("> ")
    second.type("\x04")

    second.end()
    assert second.process.returncode == 0
    assert service.probe.seen == ["Dangerous"]
    assert [message["role"] for message in kept().messages] == ["user", "assistant", "tool", "assistant"]


def test_killed_between_sending_and_answer_the_call_is_told_as_unknown_and_not_sent_again(
    service: Service, terminal: Start, run: Run, chat: list[str]
) -> None:
    service.model.script += [call(WAIT), stream(said("I do not know whether it took effect."))]
    first = terminal(*chat, "--save", "talk.db", "Do it")
    first.wait_for(QUESTION)
    first.type("y\n")
    service.arrived()
    first.kill()

    outcome = run(*chat, "--resume", "talk.db", "--json")

    events = [json.loads(line) for line in outcome.out.splitlines()]
    assert outcome.status == 0
    assert [event.get("code") for event in events if event["event"] == "call_finished"] == ["UNKNOWN"]
    assert events[-1]["stop_reason"] == "answered"
    assert service.probe.seen == ["Wait"]
    told = service.model.requests[-1]["messages"][-1]["content"]
    assert "not sent again" in told


def test_ctrl_c_cancels_the_call_at_the_backend_and_the_turn_is_gone_on_with_later(
    service: Service, terminal: Start, run: Run, chat: list[str]
) -> None:
    service.model.script += [call(WAIT), stream(said("It was interrupted."))]
    screen = terminal(*chat, "--save", "talk.db", "Do it")
    screen.wait_for(QUESTION)
    screen.type("y\n")
    service.arrived()
    screen.process.send_signal(signal.SIGINT)
    service.cancelled()
    screen.wait_for("--resume talk.db goes on with this turn")
    screen.end()
    assert screen.process.returncode == 130

    outcome = run(*chat, "--resume", "talk.db")

    assert (outcome.status, outcome.out) == (0, "It was interrupted.\n")
    assert f"✗ {WAIT} 0.00 s UNKNOWN: " in outcome.err
    assert service.probe.seen == ["Wait"]


def test_ctrl_c_at_the_question_keeps_what_waits_for_a_later_decision(
    service: Service, terminal: Start, run: Run, chat: list[str]
) -> None:
    service.model.script += [call(DANGEROUS), stream(said("It is done."))]
    screen = terminal(*chat, "--save", "talk.db")
    screen.wait_for("> ")
    screen.type("Do it\n")
    screen.wait_for(QUESTION)
    screen.interrupt("nothing that waits was sent; --resume talk.db asks again")
    screen.end()
    assert screen.process.returncode == 3
    assert service.probe.seen == []

    outcome = run(*chat, "--resume", "talk.db", "--approve", "call_1")

    assert (outcome.status, outcome.out) == (0, "It is done.\n")
    assert service.probe.seen == ["Dangerous"]


@pytest.mark.usefixtures("waits")
def test_a_script_approves(service: Service, run: Run, chat: list[str]) -> None:
    service.model.script.append(stream(said("It is done.")))

    outcome = run(*chat, "--resume", "talk.db", "--approve", "call_1")
    again = run(*chat, "--resume", "talk.db", "--approve", "call_1")

    assert (outcome.status, outcome.out) == (0, "It is done.\n")
    assert (again.status, again.err.splitlines()[-1]) == (
        2,
        "broker: no call of this conversation waits for a decision",
    )
    assert service.probe.seen == ["Dangerous"]


@pytest.mark.usefixtures("waits")
def test_a_script_rejects_and_asks_on(service: Service, run: Run, chat: list[str]) -> None:
    service.model.script += [stream(said("It is not done.")), stream(said("Good."))]

    outcome = run(*chat, "--resume", "talk.db", "--reject", "call_1", "Never mind")

    assert (outcome.status, outcome.out) == (0, "It is not done.\nGood.\n")
    assert service.probe.seen == []
    roles = [message["role"] for message in service.model.requests[-1]["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


@pytest.mark.usefixtures("waits")
def test_a_decision_about_another_call_is_refused_and_the_turn_waits_on(
    service: Service, run: Run, chat: list[str]
) -> None:
    wrong = run(*chat, "--resume", "talk.db", "--approve", "call_2")
    undecided = run(*chat, "--resume", "talk.db", "Anything else?")

    assert (wrong.status, wrong.err.splitlines()[-1]) == (
        2,
        'broker: "call_2": no call waits for a decision under this id',
    )
    assert undecided.status == 3
    assert undecided.err.endswith("--resume talk.db asks again, and --approve or --reject decides: call_1\n")
    assert len(service.model.requests) == 1
    assert service.probe.seen == []


def test_a_conversation_goes_on_where_it_was_left(service: Service, run: Run, chat: list[str]) -> None:
    service.model.script += [stream(said("One.")), stream(said("Two."))]

    first = run(*chat, "--save", "talk.db", "First")
    second = run(*chat, "--resume", "talk.db", "Second")

    assert (first.status, second.status) == (0, 0)
    sent = [message["content"] for message in service.model.requests[-1]["messages"]]
    assert sent == ["First", "One.", "Second"]
    assert [message["content"] for message in kept().messages] == [*sent, "Two."]


def test_a_turn_that_the_model_could_not_finish_is_gone_on_with(
    service: Service, run: Run, chat: list[str]
) -> None:
    service.model.script += [refusal(400, {"error": {"message": "no"}}), stream(said("Now I can."))]

    failed = run(*chat, "--save", "talk.db", "Do it")
    outcome = run(*chat, "--resume", "talk.db")

    assert failed.status == 1
    assert "broker: --resume talk.db goes on with this turn\n" in failed.err
    assert (outcome.status, outcome.out) == (0, "Now I can.\n")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--save", "letter.txt"], '"letter.txt" exists, and is not overwritten; --resume letter.txt'),
        (["--resume", "letter.txt"], '"letter.txt" holds no conversation'),
        (["--resume", "nothing.db"], '"nothing.db" does not exist; --save nothing.db begins'),
        (["--approve", "call_1"], "--approve and --reject are about a conversation that --resume names"),
        (["--save", "a.db", "--resume", "b.db"], "leave out --save"),
    ],
)
def test_a_file_or_flags_that_do_not_fit_are_refused(
    service: Service, run: Run, chat: list[str], flags: list[str], told: str
) -> None:
    Path("letter.txt").write_text("this is a letter, and a long one " * 100)

    outcome = run(*chat, *flags, "Hello")

    assert outcome.status == 2
    assert told in " ".join(outcome.err.replace("│", " ").split())
    assert service.model.requests == []
    assert Path("letter.txt").read_text().startswith("this is a letter")


def test_a_file_that_another_process_has_is_refused(
    service: Service, terminal: Start, run: Run, chat: list[str]
) -> None:
    service.model.script.append(call(DANGEROUS))
    terminal(*chat, "--save", "talk.db", "Do it").wait_for(QUESTION)

    outcome = run(*chat, "--resume", "talk.db", "--approve", "call_1")

    assert outcome.status == 2
    assert '"talk.db" is in use: another process holds its conversation' in outcome.err
    assert service.probe.seen == []


@pytest.mark.usefixtures("waits")
def test_a_turn_that_cannot_be_taken_up_is_told_as_lost_and_the_conversation_goes_on(
    service: Service, run: Run, chat: list[str]
) -> None:
    async def forge(file: ConversationFile) -> None:
        conversation = await file.read()
        assert conversation.run is not None
        await file.save(replace(conversation, run=conversation.run + "x"))

    in_file("talk.db", forge)
    service.model.script.append(stream(said("Hello.")))

    outcome = run(*chat, "--resume", "talk.db", "Hello")

    assert (outcome.status, outcome.out) == (0, "Hello.\n")
    assert "broker: the last turn is lost, and its calls may have taken effect: " in outcome.err
    assert service.probe.seen == []


@pytest.mark.usefixtures("waits")
def test_the_lease_of_a_process_that_is_gone_is_waited_for(
    terminal: Start, service: Service, chat: list[str]
) -> None:
    async def seize(file: ConversationFile) -> None:
        conversation = await file.read()
        assert conversation.run is not None
        settings = StateSettings(lease=1_000.0)
        await Checkpoints(file.store, settings).take_up(conversation.run, None)

    in_file("talk.db", seize)
    settings = json.loads(service.config.read_text())
    service.config.write_text(json.dumps(settings | {"state": {"lease": 1_000}}))

    screen = terminal(*chat, "--resume", "talk.db")
    screen.wait_for("waiting for the lease of the process that had this turn to end")
    screen.process.send_signal(signal.SIGINT)
    screen.end()

    assert screen.process.returncode == 130
    assert service.probe.seen == []


def test_a_pipe_of_questions_stops_at_a_call_that_waits(
    service: Service, command: Sequence[str], chat: list[str]
) -> None:
    service.model.script += [stream(said("Hi.")), call(DANGEROUS), stream(said("never said"))]

    ended = subprocess.run(
        [*command, *chat, "--save", "talk.db"],
        check=False,
        input="Hello\nDo it\nGoodbye\n",
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (ended.returncode, ended.stdout) == (3, "Hi.\n")
    assert len(service.model.script) == 1
    assert service.probe.seen == []


def test_a_cancelled_turn_of_a_kept_conversation_is_forgotten_in_its_file(
    service: Service, terminal: Start, chat: list[str]
) -> None:
    service.model.script += [call(WAIT)]
    screen = terminal(*chat, "--save", "talk.db")
    screen.wait_for("> ")
    screen.type("Do it\n")
    screen.wait_for(QUESTION)
    screen.type("y\n")
    service.arrived()
    screen.process.send_signal(signal.SIGINT)
    service.cancelled()
    screen.wait_for(f"its question is forgotten; what became of {WAIT} is not known")
    screen.wait_for("> ")
    screen.type("\x04")
    screen.end()

    assert screen.process.returncode == 0
    assert kept() == Conversation(messages=[])
