"""What a client asks of Chat → what the loop takes: messages, options, decisions."""

from collections.abc import Mapping
from typing import Any

import orjson

from broker.chat.decisions import Approve, Decision, Reject
from broker.chat.limits import Limits
from broker.chat.options import RunOptions
from broker.errors import Code
from broker.models.model import ToolChoice
from broker.tool import Media, ToolResult
from broker.v1 import broker_pb2

_ROLES = ("system", "developer", "user", "assistant", "tool")
_MODES: Mapping[int, ToolChoice] = {
    broker_pb2.ToolChoice.MODE_UNSPECIFIED: "auto",
    broker_pb2.ToolChoice.MODE_AUTO: "auto",
    broker_pb2.ToolChoice.MODE_NONE: "none",
    broker_pb2.ToolChoice.MODE_REQUIRED: "required",
}


_MAX_DEPTH = 100
"""Of JSON: what is written again, as a request or as the state of a run, may be about 250 deep."""
_COUNTED = ("max_turns", "max_calls", "max_calls_per_tool", "max_input_tokens", "max_output_tokens")


def messages(conversation: broker_pb2.Conversation) -> list[dict[str, Any]]:
    """A conversation → OpenAI chat messages. Raises ValueError, worded for the caller."""
    if not conversation.messages:
        raise ValueError("messages: empty. Send at least what the user asks.")
    return [_message(place, message) for place, message in enumerate(conversation.messages)]


def options(request: broker_pb2.ChatRequest) -> RunOptions:
    """What is asked beside the messages. Raises ValueError, worded for the caller."""
    tools = tuple(
        _object(tool.definition, f"tools[{place}].definition") for place, tool in enumerate(request.tools)
    )
    response_format = request.response_format
    parallel = request.parallel_tool_calls if request.HasField("parallel_tool_calls") else None
    return RunOptions(
        tools=tools,
        tool_choice=_tool_choice(request.tool_choice) if request.HasField("tool_choice") else None,
        parallel_tool_calls=parallel,
        response_format=_object(response_format, "response_format") if response_format else None,
        parameters=_object(request.parameters, "parameters") if request.parameters else {},
        limits=_limits(request.limits),
    )


def check_resume(request: broker_pb2.ChatRequest) -> None:
    """Raises ValueError for what only a run that begins can be asked: one that goes on has its own."""
    for field, _ in request.ListFields():
        if field.name != "resume":
            raise ValueError(f"{field.name}: a run that is resumed keeps what it began with. Leave it out.")


def decisions(resume: broker_pb2.Resume) -> list[Decision]:
    """What somebody decided. Raises ValueError, worded for the caller: nothing said is not a yes."""
    return [_decision(place, decision) for place, decision in enumerate(resume.decisions)]


def results(resume: broker_pb2.Resume) -> list[ToolResult]:
    """The results of the caller's own tools. Raises ValueError for a code that is none."""
    return [_result(place, result) for place, result in enumerate(resume.results)]


def _decision(place: int, decision: broker_pb2.Decision) -> Decision:
    match decision.WhichOneof("decision"):
        case "approve":
            approve = decision.approve
            arguments = approve.arguments if approve.HasField("arguments") else None
            return Approve(call_id=decision.call_id, arguments=arguments)
        case "reject":
            return Reject(call_id=decision.call_id, message=decision.reject.message)
        case _:
            raise ValueError(f'decisions[{place}]: missing. Send "approve" or "reject".')


def _result(place: int, result: broker_pb2.ToolResult) -> ToolResult:
    code = result.code if result.code or not result.is_error else Code.UNKNOWN.value
    if code not in (0, *Code):
        raise ValueError(f"results[{place}].code: {code} is no gRPC status code. Send 0 to 16.")
    media = tuple(Media(media_type=one.media_type, data=one.data) for one in result.media)
    return ToolResult(
        call_id=result.call_id, content=result.content, code=Code(code) if code else None, media=media
    )


def _tool_choice(choice: broker_pb2.ToolChoice) -> ToolChoice:
    match choice.WhichOneof("choice"):
        case "name":
            return _function(choice.name)
        case "allowed":
            tools = [_function(name) for name in choice.allowed.names]
            mode = _mode(choice.allowed.mode)
            return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}
        case _:
            return _mode(choice.mode)


def _mode(mode: int) -> ToolChoice:
    if mode not in _MODES:
        raise ValueError(f"tool_choice.mode: {mode} is not known.")
    return _MODES[mode]


def _function(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def _limits(limits: broker_pb2.Limits) -> Limits:
    given = {name: getattr(limits, name) for name in _COUNTED}
    given["timeout"] = limits.timeout.seconds + limits.timeout.nanos / 1e9
    for name, value in given.items():
        if value < 0:
            raise ValueError(f"limits.{name}: {value} is below 0.")
    return Limits(**{name: value for name, value in given.items() if value})


def _message(place: int, message: broker_pb2.Message) -> dict[str, Any]:
    if message.role not in _ROLES:
        raise ValueError(
            f'messages[{place}].role: there is no "{message.role[:32]}". Send one of: {", ".join(_ROLES)}.'
        )
    extras = _object(message.extras, f"messages[{place}].extras") if message.extras else {}
    of_calls = extras.pop("tool_calls", [])
    own = sorted(extras.keys() & {"role", "content", "tool_call_id"})
    if own:
        raise ValueError(f'messages[{place}].extras: "{own[0]}" has a field of its own. Send it there.')
    converted: dict[str, Any] = {**extras, "role": message.role, "content": _content(message)}
    if message.tool_calls:
        converted["tool_calls"] = _calls(message, of_calls)
        # As it came from the model: providers cache what does not change.
        converted["content"] = converted["content"] if message.content else None
    if message.tool_call_id:
        converted["tool_call_id"] = message.tool_call_id
    return converted


def _content(message: broker_pb2.Message) -> str | list[dict[str, Any]]:
    if all(part.WhichOneof("part") != "image_url" for part in message.content):
        return "".join(part.text for part in message.content)
    return [
        {"type": "image_url", "image_url": {"url": part.image_url}}
        if part.WhichOneof("part") == "image_url"
        else {"type": "text", "text": part.text}
        for part in message.content
    ]


def _calls(message: broker_pb2.Message, extras: Any) -> list[dict[str, Any]]:
    """The calls, each with what its model's server said beside it, as `chat_messages` wrote that down."""
    calls = [_openai_call(call) for call in message.tool_calls]
    if not isinstance(extras, list) or len(extras) != len(calls):
        return calls
    given = (extra if isinstance(extra, dict) else {} for extra in extras)
    return [{**extra, **call} for extra, call in zip(given, calls, strict=True)]


def _openai_call(call: broker_pb2.ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{where}: is not JSON ({error}).") from None
    if not isinstance(value, dict):
        raise ValueError(f"{where}: must be a JSON object.")
    if _is_deep(value, _MAX_DEPTH):
        raise ValueError(f"{where}: objects and lists lie more than {_MAX_DEPTH} deep in each other.")
    return value


def _is_deep(value: Any, left: int) -> bool:
    match value:
        case dict():
            return left == 0 or any(_is_deep(item, left - 1) for item in value.values())
        case list():
            return left == 0 or any(_is_deep(item, left - 1) for item in value)
    return False
