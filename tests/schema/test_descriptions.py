import pytest

from broker.schema.descriptions import clean, first_paragraph, first_sentence, readable, shorten

CLEANED = [
    (" The city.\n", "The city."),
    (" Wrapped\n over lines.\n", "Wrapped over lines."),
    (" One.\n\n Two.\n\n\n\n Three.\n", "One.\n\nTwo.\n\nThree."),
    (" Shown. (-- internal: b/123 --)\n", "Shown."),
    (" Shown.\n (-- api-linter: core::0192=disabled\n     aip.dev/not-precedent: why --)\n", "Shown."),
    (" Shown.\n buf:lint:ignore FIELD_LOWER_SNAKE_CASE\n", "Shown."),
    (" Shown.\n TODO(somebody): not this\n", "Shown."),
    (" Shown.\n [#next-free-field: 7]\n", "Shown."),
    (" ------\n Shown.\n ======\n", "Shown."),
    (" See [Book][lib.v1.Book] and [Shelf][].\n", "See Book and Shelf."),
    (" See [the docs](https://example.com/x).\n", "See the docs."),
    (" a <b>bold</b> word,<br/> 1 < 2 > 0.\n", "a bold word, 1 < 2 > 0."),
    (" Required. The name.\n", "The name."),
    (" Output only. Optional. The name.\n", "The name."),
    (" Values:\n * one\n   of two\n * two\n 1. first\n", "Values:\n* one of two\n* two\n1. first"),
    (" Like:\n ```\n a:\n   b\n ```\n", "Like:\n```\n a:\n   b\n```"),
    (" Ring\x07 the \x1b[31mbell\u202e.\n", "Ring the [31mbell."),
    (" 今天天气。\n 很好。\n", "今天天气。 很好。"),
    ("", ""),
]


@pytest.mark.parametrize(("comment", "cleaned"), CLEANED)
def test_a_comment_is_cleaned_of_what_is_not_for_readers(comment: str, cleaned: str) -> None:
    assert clean(comment) == cleaned


@pytest.mark.parametrize("comment", [comment for comment, _ in CLEANED])
def test_cleaning_twice_changes_nothing(comment: str) -> None:
    assert clean(clean(comment)) == clean(comment)


def test_addresses_are_kept_where_they_are_wanted() -> None:
    comment = " See [the docs](https://example.com/x) and [Book][lib.v1.Book].\n"
    assert clean(comment, links=True) == "See the docs (https://example.com/x) and Book."


def test_a_strangers_words_are_one_short_line() -> None:
    assert readable(" a\x1b\n  b\u202e ", 10) == "a b"
    assert readable("word " * 9, 12) == "word word…"


def test_the_first_paragraph_and_sentence_are_found() -> None:
    assert first_paragraph("One. Two.\n\nThree.") == "One. Two."
    assert first_sentence("One, i.e. 1.5 of it. Two.\n\nThree.") == "One, i.e. 1.5 of it."
    assert first_sentence("今天。明天。") == "今天。"


@pytest.mark.parametrize(("text", "limit", "short"), [
    ("One. Two. Three.", 100, "One. Two. Three."),
    ("One. Two. Three.", 9, "One. Two."),
    ("One. Two. Three.", 8, "One."),
    ("A very long sentence without an end", 12, "A very long…"),
    ("Unbreakable", 5, "Unbr…"),
])  # fmt: skip
def test_a_text_is_shortened_at_a_sentence_or_else_a_word(text: str, limit: int, short: str) -> None:
    assert shorten(text, limit) == short
