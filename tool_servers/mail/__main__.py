"""Runs the mail service: `python -m tool_servers.mail`.

    make gen                                                   # the stubs of mail/v1, into gen/python
    PYTHONPATH=gen/python python -m tool_servers.mail          # mail: listening on 127.0.0.1:50056

By default mails go by SMTP to a sink on this machine, which keeps each as a file and sends nothing on; the
log says where. --sink says which folder, and --sink-address where it listens.

Environment:
    SMTP_HOST      a mail server, in place of the sink
    SMTP_PORT      its port (default: 587)
    SMTP_USER, SMTP_PASSWORD   whom to log in as
    SMTP_STARTTLS  required (default): no mail is sent over a connection that is not encrypted; or never
    MAIL_FROM      the sender (default: tools@localhost)
"""

import argparse
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tool_servers.serving import command

if TYPE_CHECKING:
    from tool_servers.serving.server import Service


def main(arguments: Sequence[str] | None = None) -> int:
    parser = command.parser("mail", __doc__, port=50056)
    parser.add_argument("--sink", type=Path, help="the folder in which the sink keeps mails")
    parser.add_argument(
        "--sink-address", default="127.0.0.1:0", help="HOST:PORT of the sink (default: %(default)s)"
    )
    return command.run("mail", parser.parse_args(arguments), open_service)


@asynccontextmanager
async def open_service(options: argparse.Namespace) -> AsyncIterator["Service"]:
    # Imported here, so that --help works before the stubs are made.
    from tool_servers.mail import smtp
    from tool_servers.mail.service import mail_service
    from tool_servers.mail.sink import open_sink

    sender = os.environ.get("MAIL_FROM", "tools@localhost")
    async with AsyncExitStack() as stack:
        server = smtp.from_environment(os.environ)
        if server is None:
            address = await stack.enter_async_context(open_sink(options.sink_address, options.sink))
            server = smtp.MailServer(host=address[0], port=address[1], starttls=False)
        service = mail_service(server, sender)
        yield service
        await service.servicer.finish(options.grace)


if __name__ == "__main__":
    sys.exit(main())
