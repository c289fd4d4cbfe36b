"""A run beside what is kept of it: what is about to take effect is on the disk before it is sent."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from broker.chat.run import Run
from broker.errors import Code, RunError
from broker.state.checkpoints import Checkpoint, Checkpoints
from broker.tool import CallContext, Prepared, ToolCall, ToolResult

Execute = Callable[[Prepared, CallContext], Awaitable[ToolResult]]


class Journal:
    """Keeps one run from the moment when it has to wait; if `kept`, or taken up, from the beginning."""

    def __init__(
        self,
        checkpoints: Checkpoints,
        run: Run,
        principal: str | None,
        checkpoint: Checkpoint | None = None,
        *,
        kept: bool = False,
    ) -> None:
        self._checkpoints = checkpoints
        self._run = run
        self._principal = principal
        self._checkpoint = checkpoint
        self._kept = kept
        self._lost: RunError | None = None
        self._is_closed = False

    @property
    def is_kept(self) -> bool:
        """Whether the run can be taken up again when it is given up in the middle."""
        return self._checkpoint is not None

    @property
    def token(self) -> str:
        """What takes up the run, which is kept."""
        assert self._checkpoint is not None, "the run is kept"
        return self._checkpoint.token

    async def put_back_unless(self, check: Callable[[], None]) -> None:
        """Raises the RunError that `check` raises; the run then waits on under the same token."""
        try:
            check()
        except RunError:
            if self._checkpoint is not None:
                await self._checkpoint.put_back()
            raise

    def executing(self, send: Execute) -> Execute:
        """Like `send`; a call with side effects is noted down before it is sent."""

        async def execute(prepared: Prepared, context: CallContext) -> ToolResult:
            if self._checkpoint is not None and not prepared.tool.read_only:
                self._run.turn.attempted.add(prepared.call.id)
                try:
                    await self._checkpoint.save(self._run.to_json())
                except RunError as error:
                    self._lost = error
                    return ToolResult(call_id=prepared.call.id, content=str(error), code=Code.ABORTED)
            return await send(prepared, context)

        return execute

    async def turned(self) -> None:
        """The model has finished a turn, which the run has taken."""
        # A turn without calls is the last one, and what is kept of the run is about to end.
        if self._checkpoint is not None and self._run.turn.calls:
            await self._checkpoint.save(self._run.to_json())

    async def returned(self, call: ToolCall) -> None:
        """A call has its result, which the run has taken."""
        if self._checkpoint is not None and call.id in self._run.turn.attempted and self._lost is None:
            await self._checkpoint.save(self._run.to_json())

    def check(self) -> None:
        """Raises RunError when another process has taken up the run."""
        if self._lost is not None:
            raise self._lost

    async def close(self) -> str | None:
        """Keeps a run that waits, and hands out the token that takes it up; None for one that has ended."""
        token = await (self._wait() if self._run.turn.waiting else self._end())
        self._is_closed = True
        return token

    async def _wait(self) -> str:
        state = self._run.to_json()
        if self._checkpoint is None:
            self._checkpoint = await self._checkpoints.begin(state, self._principal)
        return await self._checkpoint.wait(state)

    async def _end(self) -> None:
        if self._checkpoint is not None:
            await self._checkpoint.end()

    async def __aenter__(self) -> Self:
        if self._kept:
            self._checkpoint = await self._checkpoints.begin(self._run.to_json(), self._principal)
        if self._checkpoint is not None:
            await self._checkpoint.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._checkpoint is None:
            return
        await self._checkpoint.__aexit__(kind, error, trace)
        # Who has read the last event may go away: what `close` has kept stays as it is.
        if error is not None and not self._is_closed and not isinstance(error, RunError):
            with suppress(RunError):
                await self._checkpoint.leave(self._run.to_json())
