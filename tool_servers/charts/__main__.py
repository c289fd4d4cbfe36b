"""Runs the chart service: `python -m tool_servers.charts`.

    make gen                                                   # the stubs of charts/v1, into gen/python
    PYTHONPATH=gen/python python -m tool_servers.charts        # charts: listening on 127.0.0.1:50058

Text is drawn with the fonts of this machine; where none of them has the characters of another script (for
Chinese: fonts-noto-cjk, for instance), a request with such text is refused rather than drawn as boxes.
"""

import argparse
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tool_servers.serving import command

if TYPE_CHECKING:
    from tool_servers.serving.server import Service


def main(arguments: Sequence[str] | None = None) -> int:
    parser = command.parser("charts", __doc__, port=50058)
    return command.run("charts", parser.parse_args(arguments), open_service)


@asynccontextmanager
async def open_service(_: argparse.Namespace) -> AsyncIterator["Service"]:
    # Imported here: --help needs neither stubs nor matplotlib.
    from tool_servers.charts.service import chart_service

    yield chart_service()


if __name__ == "__main__":
    sys.exit(main())
