"""A question → the tools that answer it, best first: by name, or by what their .proto says in other words."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from broker.catalog.catalog import Catalog
from broker.catalog.search_documents import FIELDS, SERVICE_FIELDS, Reader, service_document
from broker.catalog.search_index import Document, Index
from broker.catalog.search_synonyms import phrases, synonyms
from broker.catalog.search_verbs import fit, verb_of, wanted_verbs
from broker.catalog.search_versions import by_method, version_of
from broker.catalog.search_words import stems, words
from broker.tool import Tool

_MAX_QUERY = 2_000
"""Characters of a query that are read."""
_MAX_WORDS = 64
"""Words of a query that are looked up."""
_SERVICE = 0.5
"""How much it counts what a method's whole service is about: "Kubernetes" is said once, and meant of all."""
_VERB = 0.3
"""How much a method gains that does what is asked for: that deletes, where a question has "get rid of"."""
_NAME = re.compile(r"[\w./-]+")

Offered = Callable[[Tool], bool]


def _any(_: Tool) -> bool:
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A tool that fits a question."""

    tool: Tool
    score: float
    """How well it fits what was asked; comparable within one search only."""
    named: bool
    """Whether the question has its name or its full name; then it comes first, whatever its score."""
    versions: tuple[Tool, ...]
    """The same method in other versions of its package: of `v1beta1`, where `tool` is of `v1`."""


class Search:
    """Finds tools in a catalog. The index is made on the first search: seconds, where there are thousands."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._ranking: _Ranking | None = None

    def find(self, query: str, limit: int = 10, *, offered: Offered = _any) -> list[Found]:
        """At most `limit` tools, best first; none where nothing fits.

        A method that a package has in several versions is found once. `offered`: which may be found.
        """
        if self._ranking is None:
            self._ranking = _Ranking(self._catalog)
        return list(islice(self._ranking.find(query[:_MAX_QUERY], offered), limit))


class _Ranking:
    """The methods of a catalog, indexed each alone and by service."""

    def __init__(self, catalog: Catalog) -> None:
        self._methods = by_method(catalog)
        self._number = {tool.name: number for number, tools in enumerate(self._methods) for tool in tools}
        self._by_name = _by_name(catalog)
        self._verbs = [verb_of(tool.method.name) for tool, *_ in self._methods]
        services = _by_service(self._methods)
        self._service = {number: at for at, numbers in enumerate(services) for number in numbers}
        documents = list(_documents(catalog, self._methods))
        together = [service_document([documents[number] for number in numbers]) for numbers in services]
        self._index, self._services = Index(documents, FIELDS), Index(together, SERVICE_FIELDS)

    def find(self, query: str, offered: Offered) -> Iterator[Found]:
        """Every tool that fits, best first."""
        scores = self._scores(query)
        asked = _NAME.findall(query.lower())
        named = [tool for tool in self._named(asked) if offered(tool)]
        for tool in named:
            yield self._found(tool, scores, offered, named=True)
        done = {self._number[tool.name] for tool in named}
        for number in sorted(scores.keys() - done, key=lambda number: (-scores[number], number)):
            versions = sorted(
                filter(offered, self._methods[number]), key=lambda tool: version_of(tool) not in asked
            )
            if versions:
                yield self._found(versions[0], scores, offered, named=False)

    def _named(self, asked: Sequence[str]) -> Iterator[Tool]:
        names = (name.strip("./").replace("/", ".") for name in asked)
        for name in dict.fromkeys(names):
            yield from self._by_name.get(name, ())

    def _found(self, tool: Tool, scores: Mapping[int, float], offered: Offered, *, named: bool) -> Found:
        number = self._number[tool.name]
        others = (other for other in self._methods[number] if other is not tool and offered(other))
        return Found(tool=tool, score=scores.get(number, 0.0), named=named, versions=tuple(others))

    def _scores(self, query: str) -> dict[int, float]:
        found = stems(query)
        sought, wanted = _sought(query, found), wanted_verbs(found)
        gains = {verb: 1 + _VERB * fit(verb, wanted) for verb in set(self._verbs)}
        alone, together = self._index.score(sought), self._services.score(sought)
        return {
            number: (score + _SERVICE * together.get(self._service[number], 0.0)) * gains[self._verbs[number]]
            for number, score in alone.items()
        }


def _sought(query: str, found: Sequence[str]) -> list[dict[str, float]]:
    """The things that a query names, each with the words that may say it; `found` is its stems."""
    single = list(dict.fromkeys(words(query)))[:_MAX_WORDS]
    return [{said: 1.0, **synonyms(said)} for said in (*single, *phrases(found)[:_MAX_WORDS])]


def _documents(catalog: Catalog, methods: Sequence[Sequence[Tool]]) -> Iterator[Document]:
    readers: dict[str, Reader] = {}
    for tool, *_ in methods:
        if tool.backend not in readers:
            readers[tool.backend] = Reader(catalog.descriptors(tool))
        yield readers[tool.backend].document(tool)


def _by_service(methods: Sequence[Sequence[Tool]]) -> list[list[int]]:
    services: dict[tuple[str, str], list[int]] = {}
    for number, (tool, *_) in enumerate(methods):
        services.setdefault((tool.backend, tool.method.containing_service.full_name), []).append(number)
    return list(services.values())


def _by_name(tools: Iterable[Tool]) -> dict[str, list[Tool]]:
    named: dict[str, list[Tool]] = {}
    for tool in tools:
        for name in {tool.name.lower(), tool.full_name.lower()}:
            named.setdefault(name, []).append(tool)
    return named
