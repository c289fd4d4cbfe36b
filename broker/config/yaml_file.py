"""A YAML file → plain values, and where in the file each of them stands.

It knows nothing of what the values mean, and bounds what a file may cost: its size, its depth, and how many
values its aliases unfold to.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from broker.config.problems import KeyPath, Place, Problem, quoted
from broker.errors import ConfigError

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_VALUES = 50_000

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_TEXT = (f"{_TAG}str", f"{_TAG}timestamp")
_YAML = yaml.constructor.SafeConstructor()
_CONSTANTS: dict[str, Callable[[yaml.ScalarNode], Any]] = {
    f"{_TAG}null": _YAML.construct_yaml_null,
    f"{_TAG}bool": _YAML.construct_yaml_bool,
    f"{_TAG}int": _YAML.construct_yaml_int,
    f"{_TAG}float": _YAML.construct_yaml_float,
}
_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?P<default>[^}]*))?\}|\$\{")


@dataclass(kw_only=True, slots=True)
class Document:
    """What a file says, where it says it, and what is wrong with it."""

    values: Any = None
    places: dict[KeyPath, Place] = field(default_factory=dict)
    """Of each key and list item."""
    problems: list[Problem] = field(default_factory=list)
    expanded: dict[str, str] = field(default_factory=dict)
    """By text that `${ENV}` was expanded to: what is written in the file; messages must not tell secrets."""

    def place(self, path: KeyPath) -> Place:
        """Where `path` stands; where it is not given, the key that should hold it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(1, 1))

    def note(self, problems: Iterable[tuple[KeyPath, str]]) -> None:
        """Adds what was found wrong with the values, but nothing that follows from an older problem."""
        older = [problem.path for problem in self.problems if problem.path]
        for path, message in problems:
            if not any(path[: len(each)] == each for each in older):
                for text, written in self.expanded.items():
                    message = message.replace(quoted(text), quoted(written))
                self.problems.append(Problem(self.place(path), path, message))


def read(path: Path, env: Mapping[str, str]) -> Document:
    """Reads a file. What is wrong with single values is in the document's `problems`.

    Raises ConfigError when the file cannot be read, or is not YAML.
    """
    text = _text(path)
    document = Document()
    try:
        root = _Loader(text).get_single_node()
        if root is not None:
            document.values = _Reader(document, env).value(root, ())
    except yaml.reader.ReaderError as error:
        place = Place(text.count("\n", 0, error.position) + 1, 1)
        problem = f"is not YAML: the character U+{ord(text[error.position]):04X} is not allowed"
        raise ConfigError(Problem(place, (), problem).line(path)) from None
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_syntax_problem(error, text).line(path)) from None
    return document


def expand(text: str, env: Mapping[str, str]) -> str:
    """`${NAME}` and `${NAME:-default}` → what the environment says; `$${` stands for `${`.

    Raises ValueError when a variable is not set, or a reference is not written like that.

    >>> expand("${HOST:-localhost}:${PORT}", {"PORT": "50051"})
    'localhost:50051'
    """

    def replacement(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        name, default = match["name"], match["default"]
        if name is None:
            raise ValueError('"${" begins a reference like ${NAME} or ${NAME:-default}; or write "$${"')
        if default is not None:
            return env[name] if env.get(name) else default
        if name not in env:
            raise ValueError(f"the variable {name} is not set; set it, or write ${{{name}:-default}}")
        return env[name]

    return _REFERENCE.sub(replacement, text)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: is larger than {MAX_BYTES:,} bytes; is it the file that was meant?")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{number}: is not UTF-8 text; save it as UTF-8") from None


def _place(mark: yaml.Mark | None) -> Place:
    return Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)


def _syntax_problem(error: yaml.MarkedYAMLError, text: str) -> Problem:
    # Never `str(error)`: it shows the line, which may hold a secret.
    begin, end = error.context_mark, error.problem_mark
    if end is not None and text[end.index - 1 : end.index + 1] == "${":
        return Problem(_place(end), (), 'is not YAML: within { } and [ ], a "${NAME}" needs quotes')
    context = "" if begin is None else f"{error.context} that begins in line {_place(begin).line}: "
    return Problem(_place(end), (), f"is not YAML: {context}{error.problem}")


class _Loader(yaml.SafeLoader):
    """PyYAML's own, which composes as deep as Python's stack allows, with a bound."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.depth > MAX_DEPTH:
            problem = f"nested more than {MAX_DEPTH} deep"
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


@dataclass(slots=True)
class _Reader:
    """Nodes → values. A value that cannot be read is a problem, and None in its place."""

    document: Document
    env: Mapping[str, str]
    count: int = 0
    depth: int = 0

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        # An alias is its anchor's node once more, so that few lines can unfold to billions of values.
        if self.count == MAX_VALUES or self.depth > MAX_DEPTH:
            problem = f"more than {MAX_VALUES:,} values, counting those that aliases stand for"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
        self.count += 1
        self.depth += 1
        value = self._value(node, path)
        self.depth -= 1
        return value

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:
        match node:
            case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
                return self._mapping(node, path)
            case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
                return self._sequence(node, path)
            case yaml.ScalarNode(tag="tag:yaml.org,2002:str" | "tag:yaml.org,2002:timestamp"):
                return self._expand(node, path)
            case yaml.ScalarNode() if node.tag in _CONSTANTS:
                return self._constant(node, path)
        return self._refuse(path, f"the tag {quoted(node.tag)} is not understood; leave it out")

    def _sequence(self, node: yaml.SequenceNode, path: KeyPath) -> list[Any]:
        for index, item in enumerate(node.value):
            self.document.places[*path, index] = _place(item.start_mark)
        return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                merged = {**self._merged(value, path), **merged}
        for key, value in node.value:
            if key.tag == _MERGE:
                continue
            if not isinstance(key, yaml.ScalarNode) or key.tag not in _TEXT:
                name = key.value if isinstance(key, yaml.ScalarNode) else "?"
                self._refuse_key(key, (*path, name), "a key must be text; put it in quotes")
            elif key.value in own:
                first = self.document.places[*path, key.value].line
                problem = f"duplicate key, first given in line {first}; remove one"
                self._refuse_key(key, (*path, key.value), problem)
            else:
                self.document.places[*path, key.value] = _place(key.start_mark)
                own[key.value] = self.value(value, (*path, key.value))
        return {**merged, **own}

    def _merged(self, node: yaml.Node, path: KeyPath) -> dict[str, Any]:
        """The mapping that `<<` stands for; the first of a list wins. Source: https://yaml.org/type/merge.html"""
        merged: dict[str, Any] = {}
        for each in reversed(node.value) if isinstance(node, yaml.SequenceNode) else [node]:
            value = self.value(each, path)
            if isinstance(value, dict):
                merged.update(value)
            else:
                self._refuse(path, '"<<" takes a mapping or a list of mappings')
        return merged

    def _constant(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        try:
            return _CONSTANTS[node.tag](node)
        except (KeyError, ValueError):
            tag = quoted(node.tag.replace(_TAG, "!!"))
            return self._refuse(path, f"cannot be read as {tag}; put it in quotes if it is text")

    def _expand(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        try:
            text = expand(node.value, self.env)
        except ValueError as error:
            return self._refuse(path, str(error))
        if text != node.value:
            self.document.expanded[text] = node.value
        return text

    def _refuse(self, path: KeyPath, message: str) -> Any:
        """Notes a problem of a value; None stands for it."""
        self.document.problems.append(Problem(self.document.place(path), path, message))
        return None

    def _refuse_key(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        self.document.problems.append(Problem(_place(node.start_mark), path, message))
