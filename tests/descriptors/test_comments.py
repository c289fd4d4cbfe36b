"""Source info → comments by full name, from every kind of element and from no other place."""

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from hypothesis import given
from hypothesis import strategies as st

from broker.descriptors.comments import MAX_COMMENT, comments_of
from broker.descriptors.sources import Loaded


@pytest.mark.parametrize(
    ("name", "comment"),
    [
        ("library.v1.Book", " A book on a shelf.\n"),
        ("library.v1.Book.name", " Its name in the catalogue.\n"),
        ("library.v1.Book.title", " As on the cover.\n"),
        ("library.v1.Book.offer", " How it can be had.\n"),
        ("library.v1.Book.price", " For money.\n"),
        ("library.v1.Book.Page", " What a page looks like.\n"),
        ("library.v1.Book.Page.number", " From 1.\n"),
        ("library.v1.LibraryService", " Lends and takes back.\n"),
        ("library.v1.LibraryService.GetBook", " Finds a book.\n"),
        ("common.v1.Region", " A part of the world.\n"),
        ("common.v1.Region.REGION_ASIA", " All of Asia.\n"),
        ("common.v1.Region.REGION_EUROPE", " All of Europe.\n"),
        ("common.v1.Coin.mint", " Where it was struck.\n"),
        ("common.v1.mills", " Thousandths of a unit.\n"),
    ],
)
def test_finds_the_comment_of_every_kind_of_element(compiled: Loaded, name: str, comment: str) -> None:
    assert comments_of(compiled)[name] == comment


@pytest.mark.parametrize(
    "name",
    ["library.v1", "library.v1.Book.lent", "library.v1.Book.pages", "library.v1.LibraryService.WatchBooks"],
)
def test_says_nothing_where_there_is_no_comment(compiled: Loaded, name: str) -> None:
    assert name not in comments_of(compiled)


def test_leaves_out_detached_comments(compiled: Loaded) -> None:
    assert not [text for text in comments_of(compiled).values() if "detached remark" in text]


def remarks(*paths: list[int], text: str = "x") -> Loaded:
    """A file without a package, with one of each element, and a comment at each path."""
    file = FileDescriptorProto(name="a.proto")
    file.message_type.add(name="M").field.add(name="f")
    file.enum_type.add(name="E").value.add(name="V")
    file.service.add(name="S").method.add(name="R")
    for path in paths:
        file.source_code_info.location.add(path=path, leading_comments=text)
    return Loaded(files=FileDescriptorSet(file=[file]), services=(), trusted=True)


def test_names_have_no_dot_in_front_without_a_package() -> None:
    found = comments_of(remarks([4, 0], [4, 0, 2, 0], [5, 0, 2, 0], [6, 0, 2, 0]))
    assert set(found) == {"M", "M.f", "E.V", "S.R"}


@pytest.mark.parametrize(
    "path",
    [
        [],
        [4],
        [4, 1],
        [4, -1],
        [4, 0, 2],
        [4, 0, 2, 1],
        [4, 0, 7, 0],
        [12],
        [12, 0],
        [4, 0, 2, 0, 8, 3],
        [9, 0, 2, 0],
    ],
    ids=str,
)
def test_ignores_paths_that_lead_to_no_named_element(path: list[int]) -> None:
    assert comments_of(remarks(path)) == {}


def test_ignores_a_path_deeper_than_any_message() -> None:
    assert comments_of(remarks([4, 0] + [3, 0] * 50_000)) == {}


@given(st.lists(st.lists(st.integers(-1, 9), max_size=8), max_size=8))
def test_any_source_info_gives_names_that_exist_or_none(paths: list[list[int]]) -> None:
    assert comments_of(remarks(*paths)).keys() <= {"M", "M.f", "E", "E.V", "S", "S.R"}


def test_cuts_a_comment_that_is_a_book() -> None:
    assert comments_of(remarks([4, 0], text="长" * 100_000)) == {"M": "长" * MAX_COMMENT}
