"""The loop: the model is asked, its tool calls are made, until it answers, or somebody else has to."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from broker.chat.calls import run_calls
from broker.chat.decisions import Answers, Decision
from broker.chat.events import ApprovalNeeded, CallFinished, CallStarted, ClientCall, Event, Kept
from broker.chat.history import with_system
from broker.chat.journal import Journal
from broker.chat.limits import Budget, Limits
from broker.chat.offer import Offer
from broker.chat.options import RunOptions
from broker.chat.plan import Planner
from broker.chat.results import Results
from broker.chat.run import Run
from broker.config.settings import ChatSettings
from broker.dispatch import Broker
from broker.errors import ModelError
from broker.hooks import around_model
from broker.models.deadline import DeadlinePassed, Until
from broker.models.model import ChatMessage, Model, Notice, TextDelta, Turn
from broker.state.checkpoints import Checkpoints
from broker.state.memory import MemoryStore
from broker.tool import CallContext, ToolResult


class Chat:
    """Holds conversations: a model that can call the tools of a broker.

    async for event in Chat(broker, model).run([{"role": "user", "content": "Is it raining in Oslo?"}]):
        if isinstance(event, TextDelta):
            print(event.text, end="")
    """

    def __init__(
        self,
        broker: Broker,
        model: Model,
        settings: ChatSettings | None = None,
        *,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        """`checkpoints` keep the runs that wait for somebody; None: in memory, for this object alone."""
        self._broker = broker
        self._stream = around_model(model.stream, broker.hooks)
        self._settings = ChatSettings() if settings is None else settings
        self._checkpoints = Checkpoints(MemoryStore()) if checkpoints is None else checkpoints
        self._offer = Offer(broker.catalog, model, self._settings)

    async def run(
        self,
        messages: Sequence[ChatMessage],
        *,
        options: RunOptions | None = None,
        context: CallContext | None = None,
        kept: bool = False,
    ) -> AsyncGenerator[Event, None]:
        """Continues a conversation until the model has answered or waits for somebody; Done comes last.

        `messages` are OpenAI chat messages. The deadline of `context` bounds the whole run and each call in
        it. Cancelling the task, or closing the generator, cancels the calls in flight at their backends.
        `kept`: the checkpoints have the run from its first step on, and the first event, Kept, hands out what
        takes it up should this process end; a call that was under way is then told, and never sent again.
        Raises RunError when `options` cannot be asked of a model, ModelError when the model cannot be asked.
        """
        options = RunOptions() if options is None else options
        options.check(self._broker.catalog)
        given = with_system(messages, self._settings.system)
        limits = Limits.of(self._settings).tightened(options.limits)
        run = Run(given=given, options=options, budget=Budget(limits), results=Results(self._settings, given))
        context = CallContext() if context is None else context
        async with (
            Journal(self._checkpoints, run, context.principal, kept=kept) as journal,
            aclosing(self._go(run, journal, Answers(), context)) as events,
        ):
            if kept:
                yield Kept(state=journal.token)
            async for event in events:
                yield event

    async def resume(
        self,
        state: str,
        *,
        decisions: Sequence[Decision] = (),
        results: Sequence[ToolResult] = (),
        context: CallContext | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Takes up a run that waits: `state` is what its Done handed out, and can be used once.

        `decisions` are about calls that wait for approval, `results` are those of the caller's own tools;
        what is not answered waits on. Raises RunError, with the reason, when the run cannot be taken up, or
        an answer does not fit it: then nothing was sent, and in the latter case the state is not used up.
        """
        context = CallContext() if context is None else context
        answers = Answers.of(decisions, results)
        checkpoint = await self._checkpoints.take_up(state, context.principal)
        run = Run.from_json(checkpoint.state, self._settings)
        async with Journal(self._checkpoints, run, context.principal, checkpoint) as journal:
            await journal.put_back_unless(lambda: answers.check(run.turn, self._broker, context))
            async with aclosing(self._go(run, journal, answers, context)) as events:
                async for event in events:
                    yield event

    async def _go(
        self, run: Run, journal: Journal, answers: Answers, context: CallContext
    ) -> AsyncGenerator[Event, None]:
        deadline = _sooner(context.deadline, run.budget.deadline())
        context = replace(context, deadline=deadline, run_id=run.id)
        try:
            async with aclosing(self._turns(run, journal, answers, context)) as events:
                async for event in events:
                    yield event
        except DeadlinePassed:
            run.break_off()
        yield run.done(await journal.close())

    async def _turns(
        self, run: Run, journal: Journal, answers: Answers, context: CallContext
    ) -> AsyncGenerator[Event, None]:
        while not run.has_answered:
            async with aclosing(self._make_calls(run, journal, answers, context)) as events:
                async for event in events:
                    yield event
            if run.turn.waiting or run.turn.is_final or not run.may_ask():
                return
            async with aclosing(self._ask(run, context)) as pieces:
                async for piece in pieces:
                    yield piece
            await journal.turned()

    async def _ask(self, run: Run, context: CallContext) -> AsyncGenerator[TextDelta | Notice, None]:
        """One turn of the model, which `run` holds afterwards."""
        while True:
            run.begin_turn()
            request = self._offer.request(run)
            try:
                async with aclosing(self._stream(request)) as items:
                    async for item in Until(context.deadline, items):
                        run.hear(item)
                        if isinstance(item, Turn):
                            return  # not one more wait, in which the deadline could pass
                        yield item
                run.check_turn()
            except ModelError as error:
                notice = self._offer.without_refused(error)
                if notice is None:
                    raise
                yield notice

    async def _make_calls(
        self, run: Run, journal: Journal, answers: Answers, context: CallContext
    ) -> AsyncGenerator[CallStarted | CallFinished | ApprovalNeeded | ClientCall, None]:
        """The calls of the turn that are open, each of which has its result afterwards, or waits."""
        context = replace(context, attachments=run.results.attachments(run.messages))
        planner = Planner(run, self._broker, self._offer, journal, context)
        plan = planner.plan(answers)
        for finished in plan.finished:
            run.note(finished, None)
        limit = self._settings.max_parallel_calls
        try:
            for finished in plan.finished:
                yield finished
            async with aclosing(run_calls(plan.steps, context, limit=limit)) as events:
                async for event in events:
                    if isinstance(event, CallFinished):
                        planner.account(event)
                        run.note(event, self._broker.catalog.get(event.call.name))
                        await journal.returned(event.call)
                    yield event
        finally:
            if not journal.is_kept:
                planner.give_up()
        journal.check()
        for waiting in run.turn.waiting_events():
            yield waiting


def _sooner(one: float | None, other: float | None) -> float | None:
    return min((deadline for deadline in (one, other) if deadline is not None), default=None)
