"""What a caller asks of one run: how free the model is in each turn, and what cannot be asked at all."""

from collections.abc import Mapping
from typing import Any

import pytest

from broker.chat.options import RunOptions
from broker.dispatch import Broker
from broker.errors import Code, RunError
from broker.models.model import ToolChoice

ECHO = "probe_v1_ProbeService_Echo"
FORCED = {"type": "function", "function": {"name": ECHO}}


def allowed(mode: str, *names: str) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


def own(name: Any = "locate", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {}}, **more}


@pytest.mark.parametrize(
    ("asked", "first", "later"),
    [
        pytest.param(None, None, None, id="nothing"),
        pytest.param("auto", "auto", "auto", id="auto"),
        pytest.param("none", "none", "none", id="none"),
        pytest.param("required", "required", None, id="required"),
        pytest.param(FORCED, FORCED, None, id="one tool"),
        pytest.param(allowed("auto", ECHO), allowed("auto", ECHO), allowed("auto", ECHO), id="some"),
        pytest.param(
            allowed("required", ECHO), allowed("required", ECHO), allowed("auto", ECHO), id="one of some"
        ),
    ],
)
def test_what_is_forced_is_forced_once_and_no_call_is_asked_for_when_it_must_answer(
    broker: Broker, asked: ToolChoice | None, first: Any, later: Any
) -> None:
    options = RunOptions(tool_choice=asked)
    options.check(broker.catalog)

    assert options.choice(first=True, must_answer=False) == first
    assert options.choice(first=False, must_answer=False) == later
    assert options.choice(first=True, must_answer=True) == "none"
    assert options.choice(first=False, must_answer=True) == "none"


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        pytest.param(None, None, id="nothing"),
        pytest.param("auto", None, id="auto"),
        pytest.param("required", None, id="required"),
        pytest.param(FORCED, None, id="one tool"),
        pytest.param("none", frozenset(), id="none"),
        pytest.param(allowed("auto", ECHO), frozenset({ECHO}), id="some"),
    ],
)
def test_what_may_be_called_is_what_the_choice_says(
    asked: ToolChoice | None, names: frozenset[str] | None
) -> None:
    assert RunOptions(tool_choice=asked).allowed == names


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        pytest.param({"tools": (own(""),)}, "tools[0]: must be", id="a tool without a name"),
        pytest.param({"tools": (own(7),)}, "tools[0]: must be", id="a name that is a number"),
        pytest.param({"tools": ("locate",)}, "tools[0]: must be", id="a tool that is a word"),
        pytest.param({"tools": ({**own(), "type": "custom"},)}, "tools[0]: must be", id="another kind"),
        pytest.param({"tools": (own("a.b"),)}, '"a.b" is no name', id="a name with a dot"),
        pytest.param({"tools": (own("a" * 65),)}, "is no name", id="a name that is too long"),
        pytest.param({"tools": (own("search_tools"),)}, "is a tool of the broker", id="a reserved name"),
        pytest.param({"tools": (own(ECHO),)}, "is a tool of the broker", id="a name of ours"),
        pytest.param({"tools": (own(), own())}, "is there twice", id="a name twice"),
        pytest.param({"tool_choice": "maybe"}, "tool_choice: send", id="a word that is none"),
        pytest.param({"tool_choice": {}}, "tool_choice: send", id="an empty object"),
        pytest.param({"tool_choice": {"type": "function"}}, "tool_choice: must be", id="no function"),
        pytest.param(
            {"tool_choice": {**FORCED, "function": {"name": "x"}}}, 'no tool "x"', id="no such tool"
        ),
        pytest.param({"tool_choice": allowed("auto", "x")}, 'no tool "x"', id="no such tool among some"),
        pytest.param({"tool_choice": allowed("auto")}, "tool_choice: send", id="none of them"),
        pytest.param({"tool_choice": allowed("none", ECHO)}, "tool_choice: send", id="a mode that is none"),
        pytest.param(
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": 5}}},
            "tool_choice: send",
            id="tools that are a number",
        ),
        pytest.param({"parameters": {"temprature": 1}}, "temprature", id="no such parameter"),
        pytest.param({"parameters": {"temperature": 9}}, "temperature", id="a parameter's value"),
        pytest.param(
            {"parameters": {"extra_body": {"max_tokens": 9**9}}},
            '"max_tokens" is the broker',
            id="past a limit",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(
    broker: Broker, asked: Mapping[str, Any], told: str
) -> None:
    with pytest.raises(RunError) as refused:
        RunOptions(**asked).check(broker.catalog)

    assert refused.value.code is Code.INVALID_ARGUMENT
    assert told in str(refused.value)
