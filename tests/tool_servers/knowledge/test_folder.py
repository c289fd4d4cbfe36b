"""What becomes of the files of a folder: which passages there are, and by which words they are found."""

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
from knowledge.v1 import knowledge_pb2, knowledge_pb2_grpc

from tests.tool_servers.conftest import Serve
from tests.tool_servers.knowledge.searched import search
from tool_servers.knowledge import documents
from tool_servers.knowledge.index import open_index
from tool_servers.knowledge.service import knowledge_service


async def test_lines_are_counted_as_editors_count_them(tmp_path: Path, index_url: str | None) -> None:
    # A new page, a line and a paragraph of Unicode, and what else Python takes for the end of a line.
    lines = ["one", "two\x0c page", "three \u2028 \u2029 \x85 \x1c", "four wombat"]
    (tmp_path / "pages.txt").write_bytes("\r\n".join(lines).encode())
    found = documents.load(tmp_path)

    async with open_index(found, index_url) as index:
        (passage,) = await index.search("wombat", 5)

    assert (passage.first_line, passage.last_line) == (1, 4)
    assert found["pages.txt"].lines == lines


async def test_what_a_heading_names_is_found_before_what_a_text_mentions(
    tmp_path: Path, index_url: str | None
) -> None:
    (tmp_path / "a.md").write_text("# Animals\n\nA wombat, an emu and a koala.\n")
    (tmp_path / "b.md").write_text("# Wombat\n\nAn animal, a digger and a sleeper.\n")

    async with open_index(documents.load(tmp_path), index_url) as index:
        found = await index.search("wombat", 5)

    assert [passage.document for passage in found] == ["b.md", "a.md"]


async def test_a_comment_in_code_is_no_heading_whatever_fences_the_code_has_in_it(tmp_path: Path) -> None:
    text = (
        "# Tea\n\n````md\n```python\n# no heading\n```\n````\n\n```sh\n```python\n# none\n```\n\nA wombat.\n"
    )
    (tmp_path / "fences.md").write_text(text)

    async with open_index(documents.load(tmp_path), None) as index:
        (passage,) = await index.search("wombat", 5)

    assert passage.headings == ("Tea",)


async def test_every_word_of_a_long_line_is_found_in_a_passage_of_usual_length(
    tmp_path: Path, index_url: str | None
) -> None:
    words = [f"word{number}" for number in range(5000)]
    (tmp_path / "line.txt").write_text("first\n" + " ".join(words))
    (tmp_path / "中文.txt").write_text("一" * 7000 + "鱼" + "二" * 100)

    async with open_index(documents.load(tmp_path), index_url) as index:
        for word in ("word0", "word1234", "word4999"):
            (passage,) = await index.search(word, 5)
            assert word in passage.text.split()
            assert (passage.first_line, passage.last_line) == (2, 2)
            assert len(passage.text) <= documents.MAX_CHARACTERS
        (passage,) = await index.search("鱼", 5)
    assert "鱼" in passage.text


async def test_a_heading_of_any_length_leaves_room_for_what_is_found(
    tmp_path: Path, index_url: str | None, serve_service: Serve
) -> None:
    text = "\n\n".join("Ostriches run. " * 60 for _ in range(40))
    (tmp_path / "long.md").write_text(f"# {'long ' * 300_000}\n\n{text}")
    found = documents.load(tmp_path)
    async with open_index(found, index_url) as index:
        _, channel = await serve_service(knowledge_service(found, index))
        passages = await search(knowledge_pb2_grpc.KnowledgeServiceStub(channel), "ostriches", limit=20)

    assert len(passages) == 20
    assert all(len(heading) <= documents.MAX_HEADING for each in passages for heading in each.headings)


async def test_files_that_would_break_the_index_are_left_out_and_the_others_are_found(
    tmp_path: Path, index_url: str | None, serve_service: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "good.md").write_bytes(b"\xef\xbb\xbf# Wombats\n\nA wombat digs.\n")
    (tmp_path / "nul.txt").write_bytes(b"A wombat \0 digs.")
    with contextlib.suppress(OSError):  # Not every file system takes such a name.
        (tmp_path / os.fsdecode(b"name\xff.md")).write_text("A wombat digs.")
    found = documents.load(tmp_path)
    async with open_index(found, index_url) as index:
        _, channel = await serve_service(knowledge_service(found, index))
        knowledge: Any = knowledge_pb2_grpc.KnowledgeServiceStub(channel)
        (passage,) = await search(knowledge, "wombat")
        listed = await knowledge.ListDocuments(knowledge_pb2.ListDocumentsRequest())

    assert (passage.document, list(passage.headings)) == ("good.md", ["Wombats"])
    assert [(each.document, each.title) for each in listed.documents] == [("good.md", "Wombats")]
    assert "left out 'nul.txt': it is no text" in caplog.text


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("чай", "Чай заваривают три минуты."),
        ("τσάι", "Το τσάι είναι ζεστό."),
        ("녹차", "녹차는 뜨겁다."),
        ("شاي", "هذا شاي ساخن."),
        ("ชา", "ชาร้อน"),
    ],
)
async def test_words_of_other_scripts_are_found_as_words(
    tmp_path: Path, index_url: str | None, query: str, text: str
) -> None:
    (tmp_path / "right.txt").write_text(text)
    # The same letters in other words.
    (tmp_path / "wrong.txt").write_text("йач ач άτσι 녀노차 ياش")

    async with open_index(documents.load(tmp_path), index_url) as index:
        best, *_ = await index.search(query, 5)

    assert best.document == "right.txt"


async def test_a_letter_of_a_word_is_not_the_word(tmp_path: Path) -> None:
    (tmp_path / "coffee.txt").write_text("Кофе и тайга.")

    async with open_index(documents.load(tmp_path), None) as index:
        assert await index.search("чай", 5) == []
        assert await index.search("кот", 5) == []


async def test_of_too_many_documents_the_first_are_taken_and_one_line_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_DOCUMENTS", 3)
    for number in range(10):
        (tmp_path / f"{number}.txt").write_text("text")

    assert list(documents.load(tmp_path)) == ["0.txt", "1.txt", "2.txt"]
    assert [record.getMessage() for record in caplog.records] == [
        "left out 7 more file(s): there are over 3 documents"
    ]
