"""Runs the knowledge service: `python -m tool_servers.knowledge`.

    make gen                                                   # the stubs of knowledge/v1, into gen/python
    PYTHONPATH=gen/python python -m tool_servers.knowledge     # knowledge: listening on 127.0.0.1:50057

By default it searches this project's own documents. They are read once, at start.

Environment:
    DATABASE_URL   postgresql://USER@HOST/NAME, to keep the index there; it replaces what the index had before
                   (default: SQLite, in memory)
"""

import argparse
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tool_servers.serving import command

if TYPE_CHECKING:
    from tool_servers.serving.server import Service

OWN = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = command.parser("knowledge", __doc__, port=50057)
    parser.add_argument(
        "--folder", type=Path, help="the folder of documents: .md, .txt, .rst (default: this project's own)"
    )
    return command.run("knowledge", parser.parse_args(arguments), open_service)


@asynccontextmanager
async def open_service(options: argparse.Namespace) -> AsyncIterator["Service"]:
    # Imported here, so that --help works before the stubs are made.
    from tool_servers.knowledge import documents
    from tool_servers.knowledge.index import open_index
    from tool_servers.knowledge.service import knowledge_service

    found = documents.load(options.folder) if options.folder else documents.load(OWN, documents.OWN)
    async with open_index(found, os.environ.get("DATABASE_URL")) as index:
        yield knowledge_service(found, index)


if __name__ == "__main__":
    sys.exit(main())
