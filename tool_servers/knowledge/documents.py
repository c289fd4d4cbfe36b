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
MAX_HEADING = 200
"""Characters of a heading or a title."""

_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})(.*)")

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
    title: str
    """Its first heading, or its first line that is not empty."""
    lines: Sequence[str]

    def passages(self) -> Iterator[Passage]:
        """Its passages: paragraphs, joined as far as they are short and stand below the same heading."""
        headings: list[tuple[int, str]] = []
        start: int | None = None
        fence = ""
        for number, line in enumerate(self.lines, 1):
            fence = _fence(fence, line)
            heading = None if fence else _HEADING.match(line)
            if start is not None and (heading or self._is_full(start, number, line, fenced=bool(fence))):
                yield from self._cut(headings, start, number - 1)
                start = None
            if heading:
                level = len(heading[1])
                headings = [
                    *(above for above in headings if above[0] < level),
                    (level, heading[2][:MAX_HEADING]),
                ]
            elif start is None and line.strip():
                start = number
        if start is not None:
            yield from self._cut(headings, start, len(self.lines))

    def _is_full(self, start: int, number: int, line: str, *, fenced: bool) -> bool:
        characters = sum(map(len, self.lines[start - 1 : number - 1]))
        if number - start >= MAX_LINES or characters + len(line) > MAX_CHARACTERS:
            return True
        # A paragraph ends a passage that has some length already; code is not torn apart.
        return not line.strip() and not fenced and characters > MAX_CHARACTERS // 4

    def _cut(self, headings: Sequence[tuple[int, str]], first: int, last: int) -> Iterator[Passage]:
        """The passage of these lines; several where it is one line that is longer than a passage."""
        while last > first and not self.lines[last - 1].strip():
            last -= 1
        for text in _pieces("\n".join(self.lines[first - 1 : last])):
            yield Passage(
                document=self.name,
                headings=tuple(heading for _, heading in headings),
                first_line=first,
                last_line=last,
                text=text,
            )


def _fence(fence: str, line: str) -> str:
    """What the code around the next line began with; empty: there is no code."""
    found = _FENCE.match(line)
    if found is None:
        return fence
    if not fence:
        return found[1]
    return "" if found[1].startswith(fence) and not found[2].strip() else fence


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces that are no longer than a passage, cut at blanks where there are some."""
    start = 0
    while len(text) - start > MAX_CHARACTERS:
        blank = text.rfind(" ", start + 1, start + MAX_CHARACTERS)
        end = start + MAX_CHARACTERS if blank < 0 else blank
        yield text[start:end]
        start = end
    yield text[start:]


def load(folder: Path, patterns: Sequence[str] | None = None) -> Mapping[str, Document]:
    """The documents of a folder, by name; raises ValueError where there are none.

    `patterns`: which files; None: all with a suffix of a document, in all folders below, but hidden ones.
    What is too large, no text, or reached by a link out of the folder is left out, and logged.
    """
    if not folder.is_dir():
        raise ValueError(f"{str(folder)!r} is no folder: give one with documents")
    root = folder.resolve()
    found: dict[str, Document] = {}
    too_many = 0
    for path in sorted(_paths(root, patterns)):
        if len(found) == MAX_DOCUMENTS:
            too_many += 1
            continue
        name = path.relative_to(root).as_posix()
        try:
            found[name] = _read(path, name, root)
        except (OSError, ValueError) as error:
            logger.warning("left out %r: %s", name, error)
    if too_many:
        logger.warning("left out %d more file(s): there are over %d documents", too_many, MAX_DOCUMENTS)
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


def _read(path: Path, name: str, root: Path) -> Document:
    """Raises ValueError or OSError for what is no document of the folder."""
    if not path.resolve().is_relative_to(root):
        raise ValueError("it is a link out of the folder")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f"it has {size} bytes, more than {MAX_BYTES}")
    try:
        name.encode()
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeError:
        raise ValueError("its name or its text is not in UTF-8") from None
    if "\0" in text:
        raise ValueError("it is no text: there is a NUL in it")
    # At line feeds only, as editors count lines: there are pages and paragraphs of Unicode within lines.
    lines = text.removesuffix("\n").split("\n") if text else []
    return Document(name=name, title=_title(lines), lines=lines)


def _title(lines: Sequence[str]) -> str:
    headings = (found[2] for line in lines if (found := _HEADING.match(line)))
    return next(headings, next((line.strip() for line in lines if line.strip()), ""))[:MAX_HEADING]
