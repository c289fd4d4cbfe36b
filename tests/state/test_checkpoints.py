"""Runs that wait, in each store: who may take them up, how often, and what is left when a process is gone."""

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from broker.config.settings import StateSettings
from broker.errors import Code, ConfigError, RunError
from broker.state.checkpoints import Checkpoint, Checkpoints
from broker.state.memory import MemoryStore
from broker.state.sqlite import SqliteStore
from broker.state.store import ENDED, WAITING, Store
from tests.state.slow_store import SlowStore


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened: Store = MemoryStore() if request.param == "memory" else SqliteStore.open(tmp_path / "runs.db")
    yield opened
    await opened.close()


def checkpoints(store: Store, **settings: float) -> Checkpoints:
    return Checkpoints(store, StateSettings.model_validate(settings))


async def waiting(store: Store, state: str = '{"a": 1}', **settings: float) -> str:
    """The token of a run that waits."""
    return await (await checkpoints(store, **settings).begin("{}", "alice")).wait(state)


async def refused(store: Store, token: str, principal: str | None = "alice") -> RunError:
    with pytest.raises(RunError) as raised:
        await checkpoints(store).take_up(token, principal)
    return raised.value


async def test_a_run_that_waits_is_taken_up_as_it_was_kept(store: Store) -> None:
    token = await waiting(store, '{"text": "北京"}')

    taken = await checkpoints(store).take_up(token, "alice")

    assert taken.state == '{"text": "北京"}'


async def test_two_who_take_up_a_run_at_once_do_not_both_get_it(store: Store) -> None:
    token = await waiting(store)

    both = [checkpoints(store).take_up(token, "alice") for _ in range(2)]
    outcomes = await asyncio.gather(*both, return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} == {Checkpoint, RunError}


async def test_a_token_is_spent_when_the_run_waits_again_and_the_new_one_holds(store: Store) -> None:
    first = await waiting(store)
    taken = await checkpoints(store).take_up(first, "alice")
    second = await taken.wait('{"b": 2}')

    assert (await refused(store, first)).code is Code.FAILED_PRECONDITION
    assert (await checkpoints(store).take_up(second, "alice")).state == '{"b": 2}'


async def test_a_run_that_waits_for_the_first_time_waits_under_the_token_that_it_began_with(
    store: Store,
) -> None:
    begun = await checkpoints(store).begin("{}", "alice")
    first = begun.token

    assert await begun.wait('{"a": 1}') == first
    assert (await checkpoints(store).take_up(first, "alice")).state == '{"a": 1}'


@pytest.mark.parametrize("late", ["save", "leave"])
async def test_what_is_written_late_does_not_bring_back_a_run_that_has_ended(store: Store, late: str) -> None:
    begun = await checkpoints(store).begin("{}", "alice")
    await begun.end()
    await getattr(begun, late)('{"a": 1}')

    assert "has ended" in str(await refused(store, begun.token))


async def test_a_token_of_a_run_that_has_ended_says_so(store: Store) -> None:
    token = await waiting(store)
    await (await checkpoints(store).take_up(token, "alice")).end()

    assert "has ended" in str(await refused(store, token))


async def test_a_run_that_was_put_back_waits_under_the_same_token(store: Store) -> None:
    token = await waiting(store)
    await (await checkpoints(store).take_up(token, "alice")).put_back()

    assert (await checkpoints(store).take_up(token, "alice")).state == '{"a": 1}'


async def test_a_run_of_another_principal_is_refused(store: Store) -> None:
    token = await waiting(store)

    for other in ("bob", None):
        assert (await refused(store, token, other)).code is Code.PERMISSION_DENIED


async def test_a_run_that_has_expired_is_refused_and_then_forgotten(store: Store) -> None:
    token = await waiting(store, expiry=1e-6, lease=1e-6)

    assert "expired" in str(await refused(store, token))
    await waiting(store)
    assert (await refused(store, token)).code is Code.NOT_FOUND


async def test_a_run_whose_process_lives_is_not_taken_from_it(store: Store) -> None:
    # Long enough that a busy machine comes to renew it.
    token = await waiting(store, lease=0.6)
    taken = await checkpoints(store, lease=0.6).take_up(token, "alice")

    async with taken:
        await asyncio.sleep(1.3)  # two leases, each of which would have ended but for its renewal
        assert "Another process" in str(await refused(store, token))
        await taken.save('{"c": 3}')


async def test_a_run_whose_process_is_gone_is_taken_up_and_the_process_can_write_no_more(
    store: Store,
) -> None:
    token = await waiting(store)
    gone = await checkpoints(store, lease=1e-6).take_up(token, "alice")
    await gone.save('{"attempted": ["x"]}')

    found = await checkpoints(store).take_up(token, "alice")

    assert found.state == '{"attempted": ["x"]}'
    with pytest.raises(RunError, match="taken up this run"):
        await gone.save("{}")


async def test_a_run_that_was_left_in_the_middle_can_be_taken_up_at_once(store: Store) -> None:
    token = await waiting(store)
    await (await checkpoints(store).take_up(token, "alice")).leave('{"half": true}')

    assert (await checkpoints(store).take_up(token, "alice")).state == '{"half": true}'


async def test_a_run_that_was_cancelled_while_it_was_kept_is_taken_up_by_the_token_that_somebody_has() -> (
    None
):
    store = SlowStore()
    token = await waiting(store)
    taken = await checkpoints(store).take_up(token, "alice")
    store.hold()
    keeping = asyncio.create_task(taken.wait('{"b": 2}'))
    await store.asked.wait()

    keeping.cancel()
    done, _ = await asyncio.wait({keeping}, timeout=0.05)
    assert not done, "nobody closes the store under a write"
    store.may_go.set()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    await taken.leave('{"b": 2}')

    assert (await checkpoints(store).take_up(token, "alice")).state == '{"b": 2}'


@pytest.mark.parametrize("last", [WAITING, ENDED])
async def test_a_lease_that_is_renewed_while_a_run_is_put_down_does_not_take_it_up_again(last: str) -> None:
    store = SlowStore()
    token = await waiting(store, lease=0.03)
    run_id = token[len("run_") :].partition(".")[0]
    async with await checkpoints(store, lease=0.03).take_up(token, "alice") as taken:
        await store.asked.wait()
        store.hold()
        ending = asyncio.create_task(_none(taken.wait("{}")) if last == WAITING else taken.end())
        await store.asked.wait()
        await asyncio.sleep(0.05)  # the renewal is due, and waits its turn
        store.may_go.set()
        await ending
        put_down = await store.read(run_id)
        await asyncio.sleep(0.05)
        kept = await store.read(run_id)

    assert kept is not None
    assert kept.phase == last
    assert kept == put_down, "a change would refuse the one who takes it up at that moment"


async def _none(work: Awaitable[object]) -> None:
    await work


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        pytest.param("state", '{"a": 2}', "was changed", id="the state"),
        pytest.param("principal", "bob", "was changed", id="the principal"),
        pytest.param("expires", 4e9, "was changed", id="the expiry"),
        pytest.param("phase", "waiting ", "was changed", id="the phase"),
        pytest.param("version", 0, "was changed", id="the version"),
        pytest.param("token_hash", "0" * 64, "used already", id="the secret"),
        pytest.param("token_hash", "北", "used already", id="the secret, with signs that no hash has"),
        pytest.param("mac", "北", "was changed", id="the seal"),
    ],
)
async def test_a_run_that_was_edited_in_the_file_is_refused(
    tmp_path: Path, column: str, value: str | float, told: str
) -> None:
    store = SqliteStore.open(tmp_path / "runs.db")
    token = await waiting(store)
    await _edit(tmp_path / "runs.db", f"UPDATE runs SET {column} = ?", value)

    assert told in str(await refused(store, token))
    await store.close()


async def test_a_run_of_another_version_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.state.checkpoints.VERSION", 0)
    token = await waiting(store)
    monkeypatch.undo()

    assert "version 0" in str(await refused(store, token))


async def test_the_file_is_its_owners_and_holds_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "runs.db"
    store = SqliteStore.open(file)
    token = await waiting(store)
    await store.close()

    _is_private(file, token.partition(".")[2].encode())


async def test_a_file_outlives_the_store(tmp_path: Path) -> None:
    first = SqliteStore.open(tmp_path / "runs.db")
    token = await waiting(first)
    await first.close()

    second = SqliteStore.open(tmp_path / "runs.db")
    assert (await checkpoints(second).take_up(token, "alice")).state == '{"a": 1}'
    await second.close()


def test_a_file_that_is_no_database_is_refused_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_text("this is a letter, and a long one " * 100)

    with pytest.raises(ConfigError, match="cannot be used") as raised:
        SqliteStore.open(tmp_path / "runs.db")

    assert raised.value.key == ("state", "file")


async def test_memory_keeps_no_more_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.state.memory._MAX_RECORDS", 2)
    store = MemoryStore()
    tokens = [await waiting(store) for _ in range(3)]

    assert (await refused(store, tokens[0])).code is Code.NOT_FOUND
    for token in tokens[1:]:
        await checkpoints(store).take_up(token, "alice")


def _is_private(file: Path, secret: bytes) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not any(secret in path.read_bytes() for path in file.parent.iterdir())


async def _edit(file: Path, statement: str, *values: str | float) -> None:
    connection = sqlite3.connect(file)
    with connection:
        connection.execute(statement, values)
    connection.close()
