"""A folder → its documents, and the passages that they are made of."""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset({".md", ".rst", ".txt"})
OWN = ("README.md", "CHANGELOG.md", "docs/**/*.md", "protos/**/*.proto")
"""This project's own documents, as patterns."""
MAX_DOCUMENTS = 5_000
MAX_BYTES = 2 * 1024 * 1024
"""Of one document."""
MAX_LINES = 40
"""Of one passage."""
MAX_CHARACTERS = 2_000
"""Of one passage."""

_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_FENCE = re.compile(r"\s*(```|~~~)")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A few lines that belong together."""

    document: str
    headings: tuple[str, ...]
    first_line: int
    last_line: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A document, by its lines."""

    name: str
    lines: Sequence[str]

    @property
    def title(self) -> str:
        """Its first heading, or its first line that is not empty."""
        headings = (found[2] for line in self.lines if (found := _HEADING.match(line)))
        return next(headings, next((line.strip() for line in self.lines if line.strip()), ""))[:200]

    def passages(self) -> Iterator[Passage]:
        """Its passages: paragraphs, joined as far as they are short and stand below the same heading."""
        headings: list[tuple[int, str]] = []
        start: int | None = None
        fenced = False
        for number, line in enumerate(self.lines, 1):
            fenced ^= bool(_FENCE.match(line))
            heading = None if fenced else _HEADING.match(line)
            if start is not None and (heading or self._is_full(start, number, line, fenced=fenced)):
                yield self._passage(headings, start, number - 1)
                start = None
            if heading:
                level = len(heading[1])
                headings = [*(above for above in headings if above[0] < level), (level, heading[2])]
            elif start is None and line.strip():
                start = number
        if start is not None:
            yield self._passage(headings, start, len(self.lines))

    def _is_full(self, start: int, number: int, line: str, *, fenced: bool) -> bool:
        characters = sum(map(len, self.lines[start - 1 : number - 1]))
        if number - start >= MAX_LINES or characters + len(line) > MAX_CHARACTERS:
            return True
        # A paragraph ends a passage that has some length already; code is not torn apart.
        return not line.strip() and not fenced and characters > MAX_CHARACTERS // 4

    def _passage(self, headings: Sequence[tuple[int, str]], first: int, last: int) -> Passage:
        while last > first and not self.lines[last - 1].strip():
            last -= 1
        return Passage(
            document=self.name,
            headings=tuple(text for _, text in headings),
            first_line=first,
            last_line=last,
            # One line alone may be longer than a passage.
            text="\n".join(self.lines[first - 1 : last])[: 2 * MAX_CHARACTERS],
        )


def load(folder: Path, patterns: Sequence[str] | None = None) -> Mapping[str, Document]:
    """The documents of a folder, by name; raises ValueError where there are none.

    `patterns`: which files; None: all with a suffix of a document, in all folders below, but hidden ones.
    What is too large, no text, or reached by a link out of the folder is left out, and logged.
    """
    if not folder.is_dir():
        raise ValueError(f"{str(folder)!r} is no folder: give one with documents")
    root = folder.resolve()
    found: dict[str, Document] = {}
    for path in sorted(_paths(root, patterns)):
        name = path.relative_to(root).as_posix()
        why_not = _why_not(path, root) if len(found) < MAX_DOCUMENTS else "there are too many documents"
        try:
            if why_not is None:
                found[name] = Document(name=name, lines=path.read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            why_not = f"it cannot be read: {type(error).__name__}"
        if why_not is not None:
            logger.warning("left out %r: %s", name, why_not)
    if not found:
        raise ValueError(f"there is no document in {str(folder)!r}: put .md, .rst or .txt files there")
    return found


def _paths(root: Path, patterns: Sequence[str] | None) -> Iterator[Path]:
    if patterns is not None:
        yield from {path for pattern in patterns for path in root.glob(pattern)}
        return
    for path in root.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
            yield path


def _why_not(path: Path, root: Path) -> str | None:
    if not path.resolve().is_relative_to(root):
        return "it is a link out of the folder"
    size = path.stat().st_size
    return f"it has {size} bytes, more than {MAX_BYTES}" if size > MAX_BYTES else None
