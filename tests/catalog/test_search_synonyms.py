"""The word lists of the search: what people call things, and what methods call what people want."""

import re
from importlib.resources import files

import pytest

from broker.catalog.search_synonyms import lines, phrases, synonyms
from broker.catalog.search_words import stem, stems

LISTS = ("search_thesaurus.txt", "search_verbs.txt")


def written(name: str) -> list[str]:
    text = files("broker.catalog").joinpath(name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("name", LISTS)
def test_a_line_has_words_on_both_sides_of_one_bar(name: str) -> None:
    wrong = [line for line in written(name) if not re.fullmatch(r"[a-z0-9_]+(?: [a-z0-9_]+)* \| \S.*", line)]

    assert wrong == []


@pytest.mark.parametrize("name", LISTS)
def test_no_side_of_a_line_says_a_word_twice(name: str) -> None:
    sides = [side.split() for line in written(name) for side in line.split("|")]

    assert [side for side in sides if len(side) != len(set(side))] == []


@pytest.mark.parametrize("name", LISTS)
def test_no_line_stands_twice(name: str) -> None:
    assert len(written(name)) == len(set(written(name)))


def test_every_word_of_the_thesaurus_finds_the_technical_ones_of_its_line() -> None:
    for technical, everyday in lines("search_thesaurus.txt"):
        for said in (*technical, *everyday):
            assert set(technical) - {said} <= synonyms(said).keys()


def test_every_phrase_of_the_thesaurus_is_found_within_a_text() -> None:
    several = {
        said for sides in lines("search_thesaurus.txt") for side in sides for said in side if " " in said
    }

    assert len(several) > 100
    for phrase in several:
        assert phrase in phrases(["some", *phrase.split(" "), "more"])


def test_an_everyday_word_stands_for_the_technical_one_and_not_the_other_way_round() -> None:
    assert "nfs" in synonyms(" ".join(stems("network drive")))
    assert " ".join(stems("network drive")) not in synonyms("nfs")
    assert synonyms(stem("qwertyuiop")) == {}
