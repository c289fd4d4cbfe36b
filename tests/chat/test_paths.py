from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.chat.paths import NoSuchPath, below, find

RESULT: dict[str, Any] = {
    "items": [{"id": 1, "body": "text"}, {"id": 2}],
    "labels": {"a.b": "dotted", "": "empty", "x y": "spaced", '"': "quote", "汉字": "han", "7": "seven"},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", RESULT),
        ("items[1].id", 2),
        ("items", RESULT["items"]),
        ('labels["a.b"]', "dotted"),
        ('labels[""]', "empty"),
        ('labels["x y"]', "spaced"),
        ('labels["\\""]', "quote"),
        ("labels.汉字", "han"),
        ("labels[7]", "seven"),
    ],
)
def test_a_path_leads_to_its_value(path: str, value: Any) -> None:
    assert find(RESULT, path) == value


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("itmes", 'the result has no "itmes"; its keys are: "items", "labels". Did you mean "items"?'),
        ("items[2]", '"items" has 2 members, counted from 0'),
        ("items[0].bodi", '"items[0]" has no "bodi"; its keys are: "id", "body". Did you mean "body"?'),
        ("items.id", '"items" is a list of 2 members, and has no "id"'),
        ("items[0].id.x", '"items[0].id" is neither an object nor a list, and has no "x"'),
        ("items[-1]", 'the path cannot be read from character 6 on ("[-1]")'),
        ("items[0", 'the path cannot be read from character 6 on ("[0")'),
    ],
)
def test_a_path_that_leads_nowhere_is_told_what_is_there(path: str, said: str) -> None:
    with pytest.raises(NoSuchPath) as error:
        find(RESULT, path)

    assert str(error.value).startswith(said)


def test_of_many_keys_some_are_named() -> None:
    with pytest.raises(NoSuchPath) as error:
        find({f"key_{n}": n for n in range(1_000)}, "nothing")

    assert "and 980 more" in str(error.value)
    assert len(str(error.value)) < 400


@given(st.lists(st.one_of(st.text(max_size=8), st.integers(0, 3)), max_size=6))
def test_the_path_that_is_written_is_the_path_that_is_read(steps: list[str | int]) -> None:
    value: Any = "here"
    for step in reversed(steps):
        value = [value] * (step + 1) if isinstance(step, int) else {step: value}
    path = ""
    for step in steps:
        path = below(path, step)

    assert find(value, path) == "here"
