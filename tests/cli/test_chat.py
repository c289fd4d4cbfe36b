import io
import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

ECHO = "probe_v1_ProbeService_Echo"
QUESTION = 'Echo the text "hello"'


def test_a_question_is_answered_with_its_call_in_view(run: Callable[..., Any], target: str) -> None:
    outcome = run("chat", target, "-plaintext", QUESTION)

    assert outcome.status == 0
    introduction, started, finished = outcome.err.splitlines()
    assert introduction.startswith("broker: answered by the rule-based stand-in")
    assert started.startswith(f"→ {ECHO} ")
    assert json.loads(started.removeprefix(f"→ {ECHO} "))["text"] == "hello"
    assert finished.startswith(f"✓ {ECHO} ")
    assert "hello" in outcome.out


def test_machines_get_an_event_on_each_line(run: Callable[..., Any], target: str) -> None:
    outcome = run("chat", target, "-plaintext", "--json", QUESTION)

    events = [json.loads(line) for line in outcome.out.splitlines()]
    kinds = [each["event"] for each in events]
    assert kinds[-1] == "done"
    assert {"text_delta", "call_started", "call_finished"} <= set(kinds)


def test_a_pipe_of_questions_is_one_conversation(
    run: Callable[..., Any], target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f'{QUESTION}\n\nEcho the text "again"\n'))

    outcome = run("chat", target, "-plaintext", "--json")

    done = [json.loads(line) for line in outcome.out.splitlines() if '"event": "done"' in line]
    assert outcome.status == 0
    assert ["hello" in done[0]["text"], "again" in done[1]["text"]] == [True, True]


@pytest.fixture
def model_server() -> Iterator[tuple[str, list[Any]]]:
    """The address of a model that always says "noted", and the conversations that it was sent."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked.append(json.loads(body)["messages"])
            delta = {"role": "assistant", "content": "noted"}
            chunk = {"id": "1", "choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]}
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            self.wfile.write(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())

        def log_message(self, *args: Any) -> None:
            """Says nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked
        server.shutdown()


def test_each_question_of_a_conversation_carries_those_before_it(
    run: Callable[..., Any],
    target: str,
    model_server: tuple[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base_url, asked = model_server
    monkeypatch.setattr("sys.stdin", io.StringIO("one\ntwo\n"))

    outcome = run("chat", target, "-plaintext", "--base-url", base_url, "--model", "m")

    assert (outcome.status, outcome.out) == (0, "noted\nnoted\n")
    assert [message["content"] for message in asked[1]] == ["one", "noted", "two"]


def test_time_that_is_up_has_the_status_of_a_deadline(
    run: Callable[..., Any], probe_process: Callable[..., Any]
) -> None:
    probe = probe_process()

    outcome = run("chat", probe.target, "-plaintext", "-max-time", "2", 'Wait with the text "hello"')

    assert outcome.status == 64 + 4
    assert outcome.err.endswith("ended: the time is up\n")
    assert [probe.next_word(), probe.next_word()] == ["waiting", "cancelled"]


def test_a_model_that_cannot_be_reached_has_status_1(run: Callable[..., Any], target: str) -> None:
    server = ["--base-url", "http://127.0.0.1:1/v1", "--model", "m"]

    outcome = run("chat", target, "-plaintext", *server, "hello")

    assert outcome.status == 1
    assert 'broker: answered by model "m" at 127.0.0.1\n' in outcome.err
    assert "Traceback" not in outcome.err


def test_a_conversation_with_a_service_that_is_not_there_does_not_begin(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("hello\n"))

    outcome = run("chat", "127.0.0.1:1", "-plaintext")

    assert outcome.status == 2
    assert 'broker: backend "127.0.0.1:1": ' in outcome.err


def test_a_pipe_of_questions_ends_when_the_model_cannot_be_reached(
    run: Callable[..., Any], target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("hello\nagain\n"))

    outcome = run("chat", target, "-plaintext", "--base-url", "http://127.0.0.1:1/v1", "--model", "m")

    assert outcome.status == 1


def test_ctrl_c_ends_a_question_and_cancels_its_call_at_the_service(
    command: Sequence[str], probe_process: Callable[..., Any]
) -> None:
    probe = probe_process()
    arguments = ["chat", probe.target, "-plaintext", 'Wait with the text "hello"']
    process = subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )

    assert probe.next_word() == "waiting"
    process.send_signal(signal.SIGINT)

    assert probe.next_word() == "cancelled"
    _, err = process.communicate()
    assert process.returncode == 130
    assert "the turn was cancelled; what became of probe_v1_ProbeService_Wait is not known" in err
    assert "Traceback" not in err
