"""docs/your-first-tool.md taken apart: the files, the commands and the output that it shows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "your-first-tool.md").read_text()
LANGUAGES = ("Python", "Go", "TypeScript", "Java")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^\*\*`([\w./-]+)`\*\*\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page."""

    text: str

    @property
    def files(self) -> dict[str, str]:
        """What the reader writes: the text of each block under a file's name, by that name."""
        return dict(_FILE.findall(self.text))

    @property
    def lines(self) -> int:
        """How many lines the reader writes that are not blank."""
        return sum(bool(line.strip()) for text in self.files.values() for line in text.splitlines())

    @property
    def scripts(self) -> list[str]:
        """The blocks of commands that show no output."""
        return [text for kind, text in self._blocks if kind == "bash"]

    @property
    def commands(self) -> Iterator[tuple[str, str]]:
        """Each `$ command` with the output that is shown below it."""
        for kind, text in self._blocks:
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:] if kind == "console" else ():
                command, _, output = part.partition("\n")
                yield command, output.rstrip("\n")

    @property
    def _blocks(self) -> list[tuple[str, str]]:
        return _BLOCK.findall(self.text)


def section(heading: str) -> Section:
    """The part of the page below a heading, up to the next one."""
    found = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"the page has no heading {heading!r}"
    return Section(found[1])


CONTRACT = section("The contract")
SERVERS = {language: section(f"In {language}") for language in LANGUAGES}
CALLS = section("Call it, and let a model call it")
REFLECTION = section("Without the files")
