"""Runs the expert service: `python -m tool_servers.experts`.

    make gen                                                   # the stubs of experts/v1, into gen/python
    PYTHONPATH=gen/python python -m tool_servers.experts       # experts: listening on 127.0.0.1:50059

It asks any server that is compatible with OpenAI's Chat Completions.

Environment:
    EXPERT_BASE_URL    where it is (default: http://127.0.0.1:8765/v1, where `make servers` starts a stand-in)
    EXPERT_API_KEY     its key, if it wants one
    EXPERT_MODEL       the model to ask (default: stand-in)
    EXPERT_MAX_TOKENS  of one answer (default: 2000)
"""

import argparse
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tool_servers.serving import command

if TYPE_CHECKING:
    from tool_servers.serving.server import Service


def main(arguments: Sequence[str] | None = None) -> int:
    parser = command.parser("experts", __doc__, port=50059)
    return command.run("experts", parser.parse_args(arguments), open_service)


@asynccontextmanager
async def open_service(_: argparse.Namespace) -> AsyncIterator["Service"]:
    # Imported here: --help needs neither stubs nor the client.
    from tool_servers.experts.expert import open_expert
    from tool_servers.experts.service import expert_service

    async with open_expert(os.environ) as expert:
        yield expert_service(expert)


if __name__ == "__main__":
    sys.exit(main())
