"""What commands show → text for a terminal, lines for a pipe, JSON for machines."""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import typer

from broker.errors import Code

if TYPE_CHECKING:
    from rich.console import Console

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def on_terminal() -> bool:
    """Whether somebody reads along, as opposed to a pipe or a file."""
    return sys.stdout.isatty()


def console() -> "Console":
    """Colours and tables; NO_COLOR and the width of the terminal are kept."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def tell(line: str, colour: str, file: TextIO) -> None:
    """A line beside the output proper; coloured on a terminal, unless NO_COLOR is set."""
    coloured = file.isatty() and not os.environ.get("NO_COLOR")
    typer.echo(typer.style(line, fg=colour) if coloured else line, file=file)


def harmless(text: str) -> str:
    """Text from a model or a server, without what would make a terminal do something.

    >>> harmless("a\\x1b[2Jb\\tc")
    'a�[2Jb\\tc'
    """
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def reason(code: Code, content: str) -> str:
    """Why a call failed: the name of its status, once, and what a model reads of it.

    >>> reason(Code.NOT_FOUND, "NOT_FOUND: no such city"), reason(Code.NOT_FOUND, "no such tool")
    ('NOT_FOUND: no such city', 'NOT_FOUND: no such tool')
    """
    return f"{code.name}: {harmless(content).removeprefix(f'{code.name}: ')}"


def one_line(text: str, length: int = 160) -> str:
    """The beginning of a text, on one line.

    >>> one_line("one\\n  two  three", 11)
    'one two th…'
    """
    line = harmless(" ".join(text.split()))
    return line if len(line) <= length else line[: length - 1] + "…"


def indented(text: str) -> str:
    """JSON text, in lines.

    >>> indented('{"a":[1]}')
    '{\\n  "a": [\\n    1\\n  ]\\n}'
    """
    return json.dumps(json.loads(text), ensure_ascii=False, indent=2)


def exact(text: str, length: int = 20_000) -> str:
    """JSON text, for somebody who must see what it is: what does not show itself is escaped.

    >>> exact('{"to":"a\u202eb  北京"}')
    '{"to":"a\\\\u202eb  北京"}'
    """
    shown = "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)
    if len(shown) <= length:
        return shown
    return f"{shown[:length]}…\n{len(shown) - length:,} more characters are not shown here"


def show_tools(definitions: Sequence[Mapping[str, Any]]) -> None:
    """A row for each tool: its name, what it does, its arguments. `definitions` have the `openai` form."""
    functions = [definition["function"] for definition in definitions]
    rows = [(each["name"], each["description"], arguments_of(each["parameters"])) for each in functions]
    if not on_terminal():
        for name, description, arguments in rows:
            typer.echo("\t".join((name, one_line(description), arguments)))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("tool", "what it does", "arguments", show_lines=True)
    for name, description, arguments in rows:
        table.add_row(Text(name, style="bold", overflow="fold"), one_line(description, 400), arguments)
    console().print(table)


def arguments_of(schema: Mapping[str, Any]) -> str:
    """The parameters of a tool; those that may be left out have a question mark.

    >>> properties = {"city": {"type": "string"}, "days": {"enum": [1, 2]}}
    >>> arguments_of({"properties": properties, "required": ["city"]})
    'city: string, days?: 1|2'
    """
    required = schema.get("required", ())
    return ", ".join(
        f"{harmless(name)}{'' if name in required else '?'}: {_kind(each)}"
        for name, each in schema.get("properties", {}).items()
    )


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return one_line("|".join(map(str, schema["enum"])), 60)
    kind = schema.get("type", "any")
    if kind == "array":
        return f"{_kind(schema.get('items', {}))}[]"
    return kind if isinstance(kind, str) else "|".join(kind)


def show_json(value: Any) -> None:
    """JSON for machines: one line."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def show_content(content: str) -> None:
    """A result: as it is in a pipe, indented on a terminal."""
    if not on_terminal():
        typer.echo(content)
        return
    console().print_json(content, ensure_ascii=False, highlight=True)
