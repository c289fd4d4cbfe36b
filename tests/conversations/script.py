"""The model's part: each turn is written down beforehand, but for what depends on what the tools answered."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.models.scripted_server import Answer, asked_for, chunk, said, stream


@dataclass(frozen=True)
class Turn:
    """What the model has before it when it is asked: the request's messages."""

    messages: list[dict[str, Any]]

    def content(self, call_id: str) -> str:
        """What it reads as the result of a call."""
        found = next(each for each in self.messages if each.get("tool_call_id") == call_id)
        content = found["content"]
        if isinstance(content, str):
            return content
        return "".join(part.get("text", "") for part in content)

    def result(self, call_id: str) -> Any:
        """The same of a call that succeeded, from JSON."""
        return json.loads(self.content(call_id))

    def last(self) -> Any:
        """That of the latest call."""
        return self.result(self.messages[-1]["tool_call_id"])

    def images(self) -> list[str]:
        """The data URLs of all images that it sees."""
        parts = [
            part for each in self.messages if isinstance(each["content"], list) for part in each["content"]
        ]
        return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


def calls(*asked: tuple[str, str, dict[str, Any]], saying: str = "") -> Answer:
    """The model asks for calls at once, perhaps after words: each its id, the method, the arguments."""
    wanted = asked_for(*((id, _tool(method), _json(arguments)) for id, method, arguments in asked))
    return stream([chunk({"content": saying}), *wanted] if saying else wanted)


def call(call_id: str, method: str, **arguments: Any) -> Answer:
    """The model asks for one call."""
    return calls((call_id, method, arguments))


def says(text: str) -> Answer:
    """The model answers in words."""
    return stream(said(text))


def turn(make: Callable[[Turn], Answer]) -> Callable[[dict[str, Any]], Answer]:
    """What the model says once it has seen what was answered so far."""
    return lambda request: make(Turn(request["messages"]))


def _tool(method: str) -> str:
    """ "weather.v1.WeatherService.GetWeather" as the model calls it."""
    return method.replace(".", "_")


def _json(arguments: dict[str, Any]) -> str:
    return json.dumps(arguments, ensure_ascii=False)
