"""The calls that a model asked for in one turn, until each has its result."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from broker.chat.events import ApprovalNeeded, ClientCall
from broker.models.model import ChatMessage
from broker.tool import Grant, Prepared, ToolCall


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A call that somebody has to decide about: what exactly they are asked."""

    call: ToolCall
    """The call that is meant, where the model has made it through another tool."""
    grant: Grant
    """What approving it grants."""
    request: str
    """JSON text: the request as it will be sent."""

    @classmethod
    def of(cls, prepared: Prepared, principal: str | None, request: str) -> Self:
        """A call that was prepared and is not sent yet."""
        return cls(call=prepared.call, grant=prepared.grant(principal), request=request)

    def event(self) -> ApprovalNeeded:
        """What the user is asked."""
        grant = self.grant
        return ApprovalNeeded(
            call=self.call, request=self.request, backend=grant.backend, full_name=grant.full_name
        )

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """What `dataclasses.asdict` made."""
        return cls(call=ToolCall(**saved["call"]), grant=Grant(**saved["grant"]), request=saved["request"])


@dataclass(kw_only=True, slots=True)
class OpenTurn:
    """The calls of a turn under way."""

    calls: tuple[ToolCall, ...] = ()
    truncated: bool = False
    """True: the last of the calls is not whole."""
    is_final: bool = False
    """True: the model had to answer, and none of the calls is made."""
    results: dict[str, ChatMessage] = field(default_factory=dict)
    """What the model reads, by id of the call."""
    waiting: dict[str, Waiting | None] = field(default_factory=dict)
    """By id of the call: those that wait for a decision, and, with None, those that the caller runs."""
    attempted: set[str] = field(default_factory=set)
    """The ids of calls with side effects that were about to be sent, or were sent."""
    accounted: set[str] = field(default_factory=set)
    """The ids of calls of whose outcome, were it only that they were cancelled, the observers were told."""

    @property
    def open_calls(self) -> list[ToolCall]:
        """Those without a result, in the model's order."""
        return [call for call in self.calls if call.id not in self.results]

    @property
    def is_complete(self) -> bool:
        """Whether each call has its result."""
        return len(self.results) == len(self.calls)

    def ordered_results(self) -> list[ChatMessage]:
        """The results so far, in the order of the calls."""
        return [self.results[call.id] for call in self.calls if call.id in self.results]

    def waiting_events(self) -> list[ApprovalNeeded | ClientCall]:
        """What the caller has to do, in the order of the calls."""
        return [
            ClientCall(call=call) if (waiting := self.waiting[call.id]) is None else waiting.event()
            for call in self.calls
            if call.id in self.waiting
        ]

    def to_json(self) -> dict[str, Any]:
        """JSON values, from which `from_json` makes the same."""
        return {
            **asdict(self),
            "attempted": sorted(self.attempted),
            "accounted": sorted(self.accounted),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """What `to_json` made."""
        return cls(
            calls=tuple(ToolCall(**call) for call in saved["calls"]),
            truncated=saved["truncated"],
            is_final=saved["is_final"],
            results=dict(saved["results"]),
            waiting={
                id: None if waiting is None else Waiting.from_json(waiting)
                for id, waiting in saved["waiting"].items()
            },
            attempted=set(saved["attempted"]),
            accounted=set(saved["accounted"]),
        )
