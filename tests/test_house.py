"""The house stays one to live in: short steps, small rooms, a main path that is read in a minute."""

import ast
from pathlib import Path

import pytest

BROKER = Path(__file__).parent.parent / "broker"
FILES = [path for path in sorted(BROKER.rglob("*.py")) if path.parent.name != "v1"]


def lengths(path: Path) -> dict[str, int]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, functions)]
    return {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in found}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(BROKER)))
def test_a_file_has_at_most_300_lines_and_a_function_at_most_50(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
    assert {name: length for name, length in lengths(path).items() if length > 50} == {}


def test_the_main_path_is_short() -> None:
    path = BROKER / "dispatch.py"

    assert len(path.read_text().splitlines()) <= 200
    assert all(lengths(path)[step] <= 30 for step in ("call", "prepare", "execute"))
