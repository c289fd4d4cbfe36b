"""A mail server on this machine that keeps what it gets, as one file for each mail, and sends nothing on."""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from tool_servers.serving.settings import host_and_port

MAX_MAILS = 10_000
MAX_MAIL = 1024 * 1024
"""In bytes."""

logger = logging.getLogger(__name__)


class Sink:
    """Keeps mails in a folder: 00001.eml, 00002.eml, …"""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        kept = [int(path.stem) for path in folder.glob("*.eml") if path.stem.isdecimal()]
        # Not how many there are: some may have been removed.
        self._last = max(kept, default=0)
        self._left = MAX_MAILS - len(kept)

    # aiosmtpd finds it by this name.
    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self._left <= 0:
            return "452 4.3.1 the sink is full: remove mails from its folder and start it again"
        self._left -= 1
        self._last += 1
        # The envelope tells to whom it went, which its headers need not tell.
        head = "".join(f"X-Envelope-To: {address}\r\n" for address in envelope.rcpt_tos)
        path = self._folder / f"{self._last:05}.eml"
        try:
            with path.open("xb") as file:
                file.write(head.encode() + (envelope.original_content or b""))
        except OSError as error:
            logger.warning("sink file=%s: %s", path, error.strerror)
            return "452 4.3.1 the sink cannot keep it: its log says why"
        return "250 2.0.0 kept"


@asynccontextmanager
async def open_sink(address: str, folder: Path | None = None) -> AsyncIterator[tuple[str, int]]:
    """Listens until the block ends, and yields host and port; `folder` None: a temporary one.

    Raises OSError where address or folder cannot be had, ValueError for an address that is none.
    """
    try:
        host, port = host_and_port(address)
    except ValueError:
        raise ValueError(f"{address!r} is no address of a sink: give HOST:PORT") from None
    with ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mail-sink-")))
        folder.mkdir(parents=True, exist_ok=True)
        sink = Sink(folder)
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(sink, data_size_limit=MAX_MAIL, enable_SMTPUTF8=True, hostname="localhost"),
            host,
            port,
        )
        async with server:
            taken: int = server.sockets[0].getsockname()[1]
            logger.info("sink host=%s port=%d folder=%s", host, taken, folder)
            yield host, taken
