"""A run as it is saved: JSON text, of which the same run is made again."""

from collections import Counter

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.chat.events import StopReason
from broker.chat.limits import Budget, Limits, Spent
from broker.chat.options import RunOptions
from broker.chat.results import Results
from broker.chat.run import Run
from broker.chat.turn import OpenTurn, Waiting
from broker.config.settings import ChatSettings
from broker.models.model import KEPT_OUTPUT, Usage
from broker.tool import Grant, ToolCall

CHAT = ChatSettings()
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
ids = st.text("abc123_", min_size=1, max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(texts, values, max_size=3)
images = st.just({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}})
contents = texts | st.none() | st.lists(st.fixed_dictionaries({"text": texts}) | images, max_size=3)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant"]), "content": contents},
        optional={KEPT_OUTPUT: st.lists(objects, max_size=2), "reasoning_content": texts},
    ),
    max_size=4,
)
calls = st.builds(ToolCall, id=ids, name=texts, arguments=texts)
few, counts = st.integers(1, 9), st.integers(0, 9)
usages = st.builds(Usage, input_tokens=counts, output_tokens=counts, cached_tokens=counts)
limits = st.builds(
    Limits, max_turns=st.none() | few, max_calls=st.none() | few, timeout=st.none() | st.floats(1, 99)
)
tools = st.lists(ids, max_size=2).map(
    lambda names: tuple({"type": "function", "function": {"name": name}} for name in names)
)
options = st.builds(
    RunOptions,
    tools=tools,
    tool_choice=st.sampled_from([None, "auto", "none", "required"]),
    parallel_tool_calls=st.none() | st.booleans(),
    response_format=st.none() | objects,
    parameters=objects,
    limits=limits,
)


@st.composite
def turns(draw: st.DrawFn) -> OpenTurn:
    """A turn in which some calls have their results, others wait, and others are under way."""
    asked = tuple(draw(st.lists(calls, max_size=4, unique_by=lambda call: call.id)))
    turn = OpenTurn(calls=asked, truncated=draw(st.booleans()), is_final=draw(st.booleans()))
    for call in asked:
        match draw(st.sampled_from(["result", "approval", "client", "sent", "open"])):
            case "result":
                content = draw(contents)
                turn.results[call.id] = {"role": "tool", "tool_call_id": call.id, "content": content}
            case "approval":
                grant = Grant(
                    call_id=call.id,
                    backend=draw(texts),
                    full_name=draw(texts),
                    request_hash=draw(ids),
                    principal=draw(st.none() | texts),
                )
                turn.waiting[call.id] = Waiting(call=call, grant=grant, request=draw(texts))
            case "client":
                turn.waiting[call.id] = None
            case "sent":
                turn.attempted.add(call.id)
    return turn


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """A run in any state."""
    given, asked = draw(messages), draw(options)
    spent = Spent(
        turns=draw(counts),
        usage=draw(st.lists(usages, max_size=3)),
        calls=Counter(draw(st.dictionaries(ids, few, max_size=2))),
        seconds=draw(st.floats(0, 1e6)),
    )
    return Run(
        given=given,
        options=asked,
        budget=Budget(Limits.of(CHAT).tightened(asked.limits), spent),
        added=draw(messages),
        turn=draw(turns()),
        text=draw(texts),
        results=Results(CHAT, given),
        revealed=draw(st.lists(ids, max_size=3)),
        stop_reason=draw(st.sampled_from(StopReason)),
    )


@settings(deadline=None)
@given(runs())
def test_a_run_that_was_saved_is_the_same_run(run: Run) -> None:
    saved = orjson.loads(run.to_json())

    again = Run.from_json(run.to_json(), CHAT)

    saved_again = orjson.loads(again.to_json())
    # Time goes on.
    assert saved_again["spent"].pop("seconds") >= saved["spent"].pop("seconds")
    assert saved_again == saved
    assert again.turn == run.turn
    assert again.options == run.options
    assert again.budget.limits == run.budget.limits
    assert (again.messages, again.stop_reason) == (run.messages, run.stop_reason)
    assert again.done("token") == run.done("token")
