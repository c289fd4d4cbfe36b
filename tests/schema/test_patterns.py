# ruff: noqa: E501 (a row of a table is a line)
"""Patterns of RE2 → the same for every reader of JSON Schema, or nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.schema.patterns import MAX_PATTERN, literal, portable

SAME = [
    "^[a-z]+$",
    "^(?:a|b){2,3}$",
    r"^\d{4}-\w+$",
    r"[\w.-]+@x\.org",
    "a*?b",
    r"[^a-z\-]",
    r"\x41",
    "",
    r"^\s*$",
]
FOREIGN = [
    "(?i)a", "(?P<a>b)", "(?<a>b)", r"\pL", r"\p{Greek}", r"\Aa\z", r"\Qa.b\E", "[[:alpha:]]", r"a\bb", r"\D", r"\S+",
    r"[^\d]", "[]a]", "[^]a]", "a{,3}", "a]", "a}", "[a", "(a", r"\a", r"\C", r"\x{10FFFF}", r"\1", "a**", "\\",
    "a" * (MAX_PATTERN + 1),
]  # fmt: skip


@pytest.mark.parametrize("pattern", SAME)
def test_what_all_dialects_read_alike_is_kept(pattern: str) -> None:
    assert portable(pattern) == pattern


@pytest.mark.parametrize("pattern", FOREIGN)
def test_what_dialects_read_otherwise_is_no_pattern(pattern: str) -> None:
    assert portable(pattern) is None


def test_the_dot_takes_all_but_a_line_feed_as_in_re2() -> None:
    assert portable(r"a.\.[.]") == r"a[^\n]\.[.]"


@given(st.text(max_size=30))
def test_a_literal_finds_itself_and_is_read_by_all(text: str) -> None:
    escaped = literal(text)
    if escaped is not None:
        assert re.fullmatch(escaped, text)
        assert portable(escaped) == escaped


@given(st.text(alphabet="ab.\\[](){}^$|*+?,:<-1dDwQ", max_size=25))
def test_any_pattern_is_kept_as_one_that_compiles_or_is_none(pattern: str) -> None:
    made = portable(pattern)
    if made is not None:
        re.compile(made)
