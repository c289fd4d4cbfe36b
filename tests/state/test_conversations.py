"""Files that keep a conversation: whose they are, what they hold, and what is refused."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from broker.errors import ConfigError
from broker.state.checkpoints import Checkpoints
from broker.state.conversations import Conversation, ConversationFile

HELLO = {"role": "user", "content": "你好"}
HOLDS = (
    "import sys, pathlib\n"
    "from broker.state.conversations import ConversationFile\n"
    "held = ConversationFile.open(pathlib.Path(sys.argv[1]))\n"
    "print('held', flush=True)\n"
    "sys.stdin.read()\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "talk.db"


async def test_a_conversation_is_read_as_it_was_saved_last(file: Path) -> None:
    begun = ConversationFile.begin(file)
    assert await begun.read() == Conversation()
    await begun.save(Conversation(messages=[HELLO], run="run_1.secret"))
    await begun.save(Conversation(messages=[HELLO, HELLO]))
    begun.close()

    opened = ConversationFile.open(file)

    assert await opened.read() == Conversation(messages=[HELLO, HELLO])
    opened.close()


async def test_the_runs_of_a_conversation_are_in_its_file(file: Path) -> None:
    begun = ConversationFile.begin(file)
    token = await (await Checkpoints(begun.store).begin("{}", None)).wait('{"a": 1}')
    begun.close()

    opened = ConversationFile.open(file)

    assert (await Checkpoints(opened.store).take_up(token, None)).state == '{"a": 1}'
    opened.close()


def test_the_file_is_its_owners_alone(file: Path) -> None:
    ConversationFile.begin(file).close()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["talk.db"]


def test_nothing_is_overwritten(file: Path) -> None:
    file.write_text("a letter")

    with pytest.raises(ConfigError, match=r"exists, and is not overwritten; --resume .*talk.db"):
        ConversationFile.begin(file)

    assert file.read_text() == "a letter"


@pytest.mark.parametrize("folder", ["missing", "."], ids=["no such folder", "a folder"])
def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(ConfigError):
        ConversationFile.begin(tmp_path / folder / "talk.db" if folder == "missing" else tmp_path)


def test_what_holds_no_conversation_is_refused_and_left_as_it_is(file: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist; --save"):
        ConversationFile.open(file)
    assert not file.exists()

    file.write_text("this is a letter, and a long one " * 100)
    with pytest.raises(ConfigError, match="holds no conversation"):
        ConversationFile.open(file)

    file.unlink()
    with sqlite3.connect(file) as others:
        others.execute("CREATE TABLE accounts (name TEXT)")
    others.close()
    before = file.read_bytes()
    with pytest.raises(ConfigError, match="holds no conversation; name a file"):
        ConversationFile.open(file)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("edit", "told"),
    [("version = 7", "of version 7"), ("messages = '[{'", "cannot be read")],
    ids=["another version", "broken"],
)
async def test_a_conversation_that_cannot_be_read_is_refused(file: Path, edit: str, told: str) -> None:
    begun = ConversationFile.begin(file)
    await begun.save(Conversation(messages=[HELLO]))
    begun.close()
    with sqlite3.connect(file) as edited:
        edited.execute(f"UPDATE conversation SET {edit}")
    edited.close()

    opened = ConversationFile.open(file)
    with pytest.raises(ConfigError, match=told):
        await opened.read()
    opened.close()


async def test_a_file_that_another_process_has_is_refused_until_that_is_gone(
    file: Path,
) -> None:
    begun = ConversationFile.begin(file)
    await begun.save(Conversation(messages=[HELLO]))
    begun.close()
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDS, str(file), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"

    with pytest.raises(ConfigError, match="is in use: another process"):
        ConversationFile.open(file)

    holder.kill()
    await holder.wait()
    opened = ConversationFile.open(file)
    assert await opened.read() == Conversation(messages=[HELLO])
    opened.close()
