"""Runs that can be taken up again, once, by whoever holds the token: by another process, after a crash.

A token is `run_<id>.<secret>`. The store keeps the state, and an HMAC of it by the secret, but not the
secret: who can write to the store cannot forge a state, and who can read it cannot take up a run. A run that
was taken up and waits again gets a new token, and the one that was used is spent.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Coroutine
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import orjson

from broker.config.settings import StateSettings
from broker.errors import Code, RunError
from broker.state.store import ENDED, RUNNING, WAITING, Record, Store

VERSION = 1
"""Of the form of the state."""


class Checkpoints:
    """Begins runs and takes them up again."""

    def __init__(self, store: Store, settings: StateSettings | None = None) -> None:
        self._store = store
        self._settings = StateSettings() if settings is None else settings

    async def begin(self, state: str, principal: str | None) -> "Checkpoint":
        """Keeps the state of a run that begins, or that has to wait for the first time."""
        await self._store.sweep(time.time())
        run_id, secret = secrets.token_hex(12), secrets.token_urlsafe(32)
        record = _sealed(
            Record(
                revision=0,
                phase=RUNNING,
                principal=principal,
                version=VERSION,
                state=state,
                token_hash=_hash(secret),
                mac="",
                lease_until=time.time() + self._settings.lease,
                expires=time.time() + self._settings.expiry,
            ),
            secret,
        )
        await self._store.insert(run_id, record)
        return Checkpoint(self._store, self._settings, run_id, secret, record, is_used=False)

    async def take_up(self, token: str, principal: str | None) -> "Checkpoint":
        """The run that waits under this token, or that a process which is gone has left behind.

        Raises RunError, with the reason, for a token that is unknown, spent or expired, for a state that was
        changed, that another version made or that belongs to another principal, and while a process has it.
        """
        run_id, secret = _split(token)
        record = await self._store.read(run_id)
        if record is None:
            raise RunError(Code.NOT_FOUND, "There is no such run: it was never saved, or it has expired.")
        _check(record, secret, principal)
        taken = self._next(record, secret)
        if not await self._store.replace(run_id, taken):
            raise _busy()
        return Checkpoint(self._store, self._settings, run_id, secret, taken, is_used=True)

    def _next(self, record: Record, secret: str) -> Record:
        lease_until = time.time() + self._settings.lease
        taken = replace(
            record,
            revision=record.revision + 1,
            phase=RUNNING,
            lease_until=lease_until,
            expires=max(record.expires, lease_until),
        )
        return _sealed(taken, secret)


class Checkpoint:
    """A run that this process has. `async with` keeps it, until it waits again or has ended."""

    def __init__(
        self,
        store: Store,
        settings: StateSettings,
        run_id: str,
        secret: str,
        record: Record,
        *,
        is_used: bool,
    ) -> None:
        """`is_used`: the run was taken up by this token."""
        self._store = store
        self._settings = settings
        self._run_id = run_id
        self._secret = secret
        self._first_secret = secret
        self._record = record
        self._is_used = is_used
        self._writing = asyncio.Lock()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def state(self) -> str:
        """JSON text, as it was saved last."""
        return self._record.state

    @property
    def token(self) -> str:
        """What takes the run up."""
        return f"run_{self._run_id}.{self._secret}"

    async def save(self, state: str) -> None:
        """Keeps a new state. When it returns, a process that is killed afterwards has left this state behind.

        Raises RunError when another process has taken up the run meanwhile: then nothing may be sent.
        """
        await self._write(state=state)

    async def wait(self, state: str) -> str:
        """Keeps the state of a run that waits, and hands out its token; one that was used is spent."""
        secret = secrets.token_urlsafe(32) if self._is_used else None
        expires = time.time() + self._settings.expiry
        await self._write(state=state, phase=WAITING, expires=expires, secret=secret)
        return self.token

    async def put_back(self) -> None:
        """The run waits on, under the same token."""
        await self._write(phase=WAITING)

    async def leave(self, state: str) -> None:
        """Keeps a run that is given up in the middle: it can be taken up at once, by the same token."""
        # A token that `wait` made while it was cancelled was never handed out.
        await self._write(state=state, lease=0.0, secret=self._first_secret)

    async def end(self) -> None:
        """The run is over, and its token is spent."""
        await self._write(state="{}", phase=ENDED)

    async def __aenter__(self) -> Self:
        self._keeping = asyncio.create_task(self._keep())
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            # Whatever went wrong in it, the next write meets it too.
            await asyncio.gather(self._keeping, return_exceptions=True)

    async def _keep(self) -> None:
        """Renews the lease, so that nobody takes the run for abandoned."""
        while True:
            await asyncio.sleep(self._settings.lease / 3)
            await _to_its_end(self._renew())

    async def _renew(self) -> None:
        async with self._writing:
            # Asked under the lock: a run that has just begun to wait, or has ended, must not run again.
            if self._record.phase == RUNNING:
                await self._replace(self._changed(), self._secret)

    async def _write(
        self,
        *,
        state: str | None = None,
        phase: str | None = None,
        lease: float | None = None,
        expires: float | None = None,
        secret: str | None = None,
    ) -> None:
        async def write() -> None:
            async with self._writing:
                changed = self._changed(state, phase, lease, expires)
                await self._replace(changed, self._secret if secret is None else secret)

        await _to_its_end(write())

    def _changed(
        self,
        state: str | None = None,
        phase: str | None = None,
        lease: float | None = None,
        expires: float | None = None,
    ) -> Record:
        kept, renewed = self._record, time.time() + self._settings.lease
        return replace(
            kept,
            revision=kept.revision + 1,
            # What is written late does not bring back a run that has ended.
            phase=kept.phase if phase is None else phase,
            state=kept.state if state is None else state,
            lease_until=renewed if lease is None else time.time() + lease,
            expires=max(kept.expires, renewed) if expires is None else expires,
        )

    async def _replace(self, changed: Record, secret: str) -> None:
        record = _sealed(replace(changed, token_hash=_hash(secret)), secret)
        if not await self._store.replace(self._run_id, record):
            raise RunError(Code.ABORTED, "Another process has taken up this run; this one has stopped.")
        self._record, self._secret = record, secret


async def _to_its_end(write: Coroutine[Any, Any, None]) -> None:
    """Waits for a write also while being cancelled, or nobody would know which revision the store has."""
    writing = asyncio.ensure_future(write)
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait({writing})
        raise


def _split(token: str) -> tuple[str, str]:
    head, _, secret = token.partition(".")
    run_id = head.removeprefix("run_")
    if run_id == head or not secret:
        raise RunError(Code.INVALID_ARGUMENT, "This is not the state of a run. Send what the run handed out.")
    return run_id, secret


def _check(record: Record, secret: str, principal: str | None) -> None:
    if not hmac.compare_digest(record.token_hash.encode(), _hash(secret).encode()):
        raise RunError(
            Code.FAILED_PRECONDITION, "This state was used already: a run can be taken up from it only once."
        )
    if not hmac.compare_digest(record.mac.encode(), _sealed(record, secret).mac.encode()):
        raise RunError(Code.DATA_LOSS, "The saved run was changed since it was saved, and is not taken up.")
    if record.principal != principal:
        raise RunError(Code.PERMISSION_DENIED, "This run belongs to somebody else.")
    if record.version != VERSION:
        raise RunError(
            Code.FAILED_PRECONDITION,
            f"This run was saved in version {record.version} of its form, and this broker reads version "
            f"{VERSION}. Ask the question again.",
        )
    if record.expires <= time.time():
        raise RunError(Code.FAILED_PRECONDITION, "This run has expired. Ask the question again.")
    if record.phase == ENDED:
        raise RunError(Code.FAILED_PRECONDITION, "This run was taken up already, and has ended.")
    if record.phase == RUNNING and record.lease_until > time.time():
        raise _busy()


def _busy() -> RunError:
    return RunError(
        Code.ABORTED,
        "Another process has taken up this run. If it is gone, the run can be taken up in some seconds.",
    )


def _sealed(record: Record, secret: str) -> Record:
    sealed = [
        record.revision,
        record.phase,
        record.principal,
        record.version,
        record.state,
        record.lease_until,
        record.expires,
    ]
    mac = hmac.new(secret.encode(), orjson.dumps(sealed), hashlib.sha256).hexdigest()
    return replace(record, mac=mac)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
