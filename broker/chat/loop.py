"""The loop: the model is asked, its tool calls are made, until it answers or a limit is reached."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from broker.chat.calls import not_made, run_calls
from broker.chat.events import CallFinished, CallStarted, Event, StopReason, TextDelta
from broker.chat.history import with_system
from broker.chat.run import Run
from broker.config.settings import ChatSettings
from broker.errors import Code
from broker.models.deadline import DeadlinePassed, Until
from broker.models.model import ChatMessage, Model, ModelRequest, Notice, ToolChoice, Turn
from broker.tool import CallContext

if TYPE_CHECKING:
    from broker.dispatch import Broker

_CUT_OFF = (
    "This call was cut off: the limit of output tokens was reached while it was written. Nothing was sent. "
    "Make it again, with shorter arguments or with fewer calls in one turn."
)
_NO_TURNS_LEFT = "This call was not made: the turns of this conversation are used up. Nothing was sent."


class Chat:
    """Holds conversations: a model that can call the tools of a broker.

    async for event in Chat(broker, model).run([{"role": "user", "content": "Is it raining in Oslo?"}]):
        if isinstance(event, TextDelta):
            print(event.text, end="")
    """

    def __init__(self, broker: "Broker", model: Model, settings: ChatSettings | None = None) -> None:
        self._broker = broker
        self._model = model
        self._settings = ChatSettings() if settings is None else settings

    async def run(
        self, messages: Sequence[ChatMessage], *, context: CallContext | None = None
    ) -> AsyncGenerator[Event, None]:
        """Continues a conversation until the model has answered; Done is the last event.

        `messages` are OpenAI chat messages. The deadline of `context` bounds the whole run and each call in
        it. Cancelling the task, or closing the generator, cancels the calls in flight at their backends.
        Raises ModelError when the model cannot be asked.
        """
        context = CallContext() if context is None else context
        run = Run(given=with_system(messages, self._settings.system))
        try:
            async with aclosing(self._turns(run, context)) as events:
                async for event in events:
                    yield event
        except DeadlinePassed:
            run.break_off()
        yield run.done()

    async def _turns(self, run: Run, context: CallContext) -> AsyncGenerator[Event, None]:
        for turns_left in reversed(range(self._settings.max_turns)):
            async with aclosing(self._ask(run, context, must_answer=turns_left == 0)) as pieces:
                async for piece in pieces:
                    yield piece
            if not run.calls:
                return
            async with aclosing(self._make_calls(run, context, allowed=turns_left > 0)) as events:
                async for event in events:
                    run.note(event)
                    yield event
        run.stop_reason = StopReason.MAX_TURNS

    async def _ask(
        self, run: Run, context: CallContext, *, must_answer: bool
    ) -> AsyncGenerator[TextDelta | Notice, None]:
        """One turn of the model, which `run` holds afterwards."""
        tools = self._broker.catalog.tools(profile=self._model.profile)
        choice: ToolChoice | None = "none" if must_answer and tools else None
        run.begin_turn()
        request = ModelRequest(messages=run.conversation(), tools=tools, tool_choice=choice)
        async with aclosing(self._model.stream(request)) as items:
            async for item in Until(context.deadline, items):
                run.hear(item)
                if isinstance(item, Turn):
                    return  # not one more wait, in which the deadline could pass
                yield item

    async def _make_calls(
        self, run: Run, context: CallContext, *, allowed: bool
    ) -> AsyncGenerator[CallStarted | CallFinished, None]:
        """The calls of the turn, each of which has its result afterwards, made or not."""
        if not allowed:
            for call in run.calls:
                yield not_made(call, Code.RESOURCE_EXHAUSTED, _NO_TURNS_LEFT)
            return
        limit = self._settings.max_parallel_calls
        async with aclosing(run_calls(run.whole_calls, self._broker.call, context, limit=limit)) as events:
            async for event in events:
                yield event
        for call in run.calls[len(run.whole_calls) :]:
            yield not_made(call, Code.INVALID_ARGUMENT, _CUT_OFF)
