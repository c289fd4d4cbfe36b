import pytest

from broker.schema.problems import MAX_BYTES, describe, got, listed, suggestion


def test_ten_problems_are_told_and_the_rest_counted() -> None:
    text = describe("Library_Get", [f"field_{number}: wrong." for number in range(25)])
    lines = text.splitlines()
    assert (
        lines[0]
        == "Invalid arguments for Library_Get: 25 problems. Nothing was sent. Fix these and call again."
    )
    assert lines[1] == "1. field_0: wrong."
    assert lines[10] == "10. field_9: wrong."
    assert lines[11:] == ["and 15 more."]


@pytest.mark.parametrize("length", [100, 1_900, 5_000, 1_000_000])
def test_the_text_is_never_longer_than_two_kilobytes(length: int) -> None:
    text = describe("n" * 64, ["北x" * length] * 12)
    assert len(text.encode()) <= MAX_BYTES
    assert text.endswith("more.")


def test_one_problem_is_one() -> None:
    assert "1 problem. Nothing was sent. Fix this and call again." in describe("Get", ["a: wrong."])


def test_a_long_value_is_cut() -> None:
    assert got("x" * 1_000) == f'string "{"x" * 79}…"'


def test_a_long_list_shows_what_is_nearest() -> None:
    names = [f"NAME_{number}" for number in range(300)]
    shown = listed(names, "NAME_123")
    assert shown.startswith("NAME_123, ")
    assert shown.endswith(" and 280 more")


@pytest.mark.parametrize(("word", "said"), [
    ("autor", ' Did you mean "author"?'),
    ("AUTHOR", ' Did you mean "author"?'),
    ("page-tokn", ' Did you mean "page_token"?'),
    ("xyz", ""),
    ("x" * 1_000_000, ""),
])  # fmt: skip
def test_the_nearest_name_is_suggested(word: str, said: str) -> None:
    assert suggestion(word, ["author", "title", "page_token"]) == said
