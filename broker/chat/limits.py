"""What one run of the loop may cost, and what it has cost so far."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from broker.config.settings import ChatSettings
from broker.models.model import Usage
from broker.tool import Tool

_LEAST_OUTPUT = 16
"""Tokens: OpenAI refuses to be asked for fewer, so that a budget with fewer left is used up.
https://github.com/vectorize-io/hindsight/issues/58"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a run may cost; None: as much as it takes. Lengths of time are in seconds.

    >>> Limits(max_turns=10).tightened(Limits(max_turns=3, timeout=60)).max_turns
    3
    """

    max_turns: int | None = None
    """How often the model is asked; in the last turn it must answer."""
    max_calls: int | None = None
    max_calls_per_tool: int | None = None
    max_input_tokens: int | None = None
    """In all turns; estimated where the model's server does not count."""
    max_output_tokens: int | None = None
    """In all turns; estimated where the model's server does not count."""
    timeout: float | None = None
    """Time in which the run waits for decisions does not count."""

    @classmethod
    def of(cls, settings: ChatSettings) -> Self:
        """Those of broker.yaml."""
        return cls(**{each.name: getattr(settings, each.name) for each in fields(cls)})

    def tightened(self, other: "Limits") -> "Limits":
        """The lower of each two: a caller may ask for less than the operator allows, never for more."""
        lower = {}
        for each in fields(self):
            values = [value for limits in (self, other) if (value := getattr(limits, each.name)) is not None]
            lower[each.name] = min(values, default=None)
        return replace(self, **lower)


@dataclass(kw_only=True, slots=True)
class Spent:
    """What a run has cost; it grows."""

    turns: int = 0
    usage: list[Usage] = field(default_factory=list)
    """Of each turn."""
    calls: Counter[str] = field(default_factory=Counter)
    """By name of the tool."""
    seconds: float = 0.0
    """Before this process took the run up."""
    _began: float = field(default_factory=time.monotonic)

    @property
    def total(self) -> Usage:
        """Tokens, summed over the turns."""
        return sum(self.usage, Usage())

    @property
    def elapsed(self) -> float:
        """Seconds that the run has been under way."""
        return self.seconds + time.monotonic() - self._began

    def to_json(self) -> dict[str, Any]:
        """JSON values, from which `from_json` makes the same."""
        usage = [{each.name: getattr(one, each.name) for each in fields(one)} for one in self.usage]
        return {"turns": self.turns, "usage": usage, "calls": dict(self.calls), "seconds": self.elapsed}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """What `to_json` made."""
        usage = [Usage(**one) for one in saved["usage"]]
        return cls(turns=saved["turns"], usage=usage, calls=Counter(saved["calls"]), seconds=saved["seconds"])


class Budget:
    """The limits of a run beside what it has spent."""

    def __init__(self, limits: Limits, spent: Spent | None = None) -> None:
        self.limits = limits
        self.spent = Spent() if spent is None else spent

    @property
    def has_turns(self) -> bool:
        """Whether the model may be asked once more."""
        return not _reached(self.spent.turns, self.limits.max_turns)

    @property
    def has_tokens(self) -> bool:
        """Whether there are tokens left for one more turn."""
        total = self.spent.total
        is_read = _reached(total.input_tokens, self.limits.max_input_tokens)
        return not (is_read or self._is_written(total.output_tokens))

    @property
    def is_last_turn(self) -> bool:
        """Whether the turn that comes, or is under way, is the last, so that the model must answer in it."""
        if self.limits.max_turns is not None and self.spent.turns >= self.limits.max_turns - 1:
            return True
        # Each turn reads the conversation again: after this one there must be enough for one more like it.
        last = self.spent.usage[-1] if self.spent.usage else Usage()
        after = self.spent.total + last
        is_read = _reached(after.input_tokens + last.input_tokens, self.limits.max_input_tokens)
        return is_read or self._is_written(after.output_tokens)

    @property
    def output_tokens_left(self) -> int | None:
        """How many tokens the model may write in the turn that comes; None: no limit."""
        limit = self.limits.max_output_tokens
        return None if limit is None else max(1, limit - self.spent.total.output_tokens)

    def _is_written(self, tokens: int) -> bool:
        # A limit that is lower from the beginning is sent as it is, since not all servers refuse it.
        limit = self.limits.max_output_tokens
        return tokens > 0 and _reached(tokens + _LEAST_OUTPUT - 1, limit)

    def deadline(self) -> float | None:
        """When the time of the run is over, as `time.monotonic()`; None: never."""
        limit = self.limits.timeout
        return None if limit is None else time.monotonic() + max(0.0, limit - self.spent.elapsed)

    def refuses(self, name: str, tool: Tool | None) -> str | None:
        """Why a call of this tool is one too many; None, and it is counted, when it is not."""
        limits = self.limits
        of_tool = limits.max_calls_per_tool
        if tool is not None and tool.policy.max_calls is not None:
            of_tool = tool.policy.max_calls
        if _reached(self.spent.calls.total(), limits.max_calls):
            return f"all {limits.max_calls} calls of this run are used up"
        if _reached(self.spent.calls[name], of_tool):
            return f'"{name}" was called {of_tool} times in this run, which is as often as it may be'
        self.spent.calls[name] += 1
        return None


def _reached(value: int, limit: int | None) -> bool:
    return limit is not None and value >= limit
