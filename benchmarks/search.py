"""How often the search finds the right method of googleapis, beside a plain overlap of words.

The questions share no word with the service or the method that answers them. Those of
search_development.jsonl were looked at while the search was made; those of search_held_out.jsonl were written
before, most of them about other services, and tried when it was done. One is answered at k when one of its
answers is among the first k methods found, the versions of a package counting as one.
"""

import asyncio
import gc
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.catalog import CORPUS, compiled
from benchmarks.row import machine
from broker.catalog.catalog import Catalog
from broker.catalog.exposure import Exposed, build
from broker.catalog.search import Search
from broker.catalog.search_versions import by_method
from broker.catalog.search_words import words
from broker.descriptors.pool import link
from broker.descriptors.sources import Protoset

_DEVELOPMENT, _HELD_OUT = (
    Path(__file__).parent / f"search_{half}.jsonl" for half in ("development", "held_out")
)
_DEPTHS = (1, 5, 10)
_FLOOR, _GOAL = 0.6, 0.8
"""Of recall@5, over the questions held out."""

Find = Callable[[str], list[str]]
"""A question → full names, best first."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a user asks, and the methods that are right."""

    text: str
    answers: frozenset[str]
    held_out: bool
    """Whether the question was left alone while the search was made."""


def questions() -> list[Question]:
    """All questions, in the order of their files."""
    return [*_read(_DEVELOPMENT, held_out=False), *_read(_HELD_OUT, held_out=True)]


def _read(path: Path, *, held_out: bool) -> Iterator[Question]:
    for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        yield Question(text=line["question"], answers=frozenset(line["answers"]), held_out=held_out)


def main() -> int:
    """Prints the tables; exit status 1 when the floor is missed. No corpus, no tables."""
    if not CORPUS.exists():
        print(
            "search: left out, since googleapis is not installed: `make corpora` does that", file=sys.stderr
        )
        return 0
    catalog = _catalog()
    asked = questions()
    _refuse_unknown_answers(asked, catalog)
    search, cost = _built(catalog)
    print(f"Measured on {machine()}.\n\n{len(asked)} questions, {len(catalog):,} methods. {cost}\n")
    finders: dict[str, Find] = {"index": _by_index(search), "overlap of words": _by_overlap(catalog)}
    print(
        "| questions | found by | recall@1 | recall@5 | recall@10 | p50 | p99 |\n"
        "|---|---|--:|--:|--:|--:|--:|"
    )
    reached = 0.0
    for half in (False, True):
        of_half = [question for question in asked if question.held_out is half]
        label = f"{'held out' if half else 'development'} ({len(of_half)})"
        for name, find in finders.items():
            recalls, times = _measured(of_half, find)
            shares = " | ".join(f"{recall:.3f}" for recall in recalls)
            print(f"| {label} | {name} | {shares} | {_spread(times)} |", flush=True)
            reached = recalls[1] if name == "index" else reached
    verdict = "goal" if reached >= _GOAL else "floor" if reached >= _FLOOR else "MISSED"
    print(f"\nrecall@5, held out: {reached:.3f}; floor {_FLOOR}, goal {_GOAL}: {verdict}")
    return int(verdict == "MISSED")


def _catalog() -> Catalog:
    with TemporaryDirectory() as folder:
        descriptors = link(asyncio.run(Protoset(compiled(Path(folder))).load()))
    return build([Exposed(backend="googleapis", descriptors=descriptors)], {})


def _refuse_unknown_answers(asked: Sequence[Question], catalog: Catalog) -> None:
    known = {tool.full_name for tool in catalog}
    unknown = sorted(set().union(*(question.answers for question in asked)) - known)
    if unknown:
        raise SystemExit(f"search: answers that the corpus does not hold: {', '.join(unknown)}")


def _built(catalog: Catalog) -> tuple[Search, str]:
    """The search with its index made, and what that took: the CPU time alone first, then the memory."""
    gc.collect()
    before = time.process_time()
    Search(catalog).find("anything")
    seconds = time.process_time() - before
    gc.collect()
    tracemalloc.start()
    search = Search(catalog)
    search.find("anything")
    gc.collect()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    memory = f"{kept / 2**20:.0f} MiB kept, {peak / 2**20:.0f} MiB while it is made"
    return search, f"The index: {seconds:.1f} s of CPU, {memory}."


def _by_index(search: Search) -> Find:
    def find(text: str) -> list[str]:
        found = search.find(text, max(_DEPTHS))
        return [one.tool.full_name for one in found]

    return find


def _by_overlap(catalog: Catalog) -> Find:
    """The plain way: how many words of the question are in a tool's name and description."""
    newest = [versions[0] for versions in by_method(catalog)]
    known = [(tool.full_name, set(words(f"{tool.full_name} {tool.description}"))) for tool in newest]

    def find(text: str) -> list[str]:
        wanted = set(words(text))
        return [name for name, _ in sorted(known, key=lambda one: -len(wanted & one[1]))[: max(_DEPTHS)]]

    return find


def _measured(asked: Sequence[Question], find: Find) -> tuple[list[float], list[float]]:
    """Recall at each depth, and the seconds of each search."""
    found, times = [], []
    for question in asked:
        before = time.perf_counter()
        found.append(find(question.text))
        times.append(time.perf_counter() - before)
    answered = [
        [
            bool(question.answers.intersection(names[:depth]))
            for question, names in zip(asked, found, strict=True)
        ]
        for depth in _DEPTHS
    ]
    return [statistics.fmean(each) for each in answered], times


def _spread(times: Sequence[float]) -> str:
    cuts = statistics.quantiles(times, n=100)
    return f"{cuts[49] * 1e3:.1f} ms | {cuts[98] * 1e3:.1f} ms"


if __name__ == "__main__":
    sys.exit(main())
