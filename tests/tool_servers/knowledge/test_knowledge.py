"""What a client of the knowledge service sees, over real gRPC, with the index in SQLite and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from google.rpc import error_details_pb2
from grpc import StatusCode
from knowledge.v1 import knowledge_pb2, knowledge_pb2_grpc

from tests.tool_servers.conftest import Elsewhere, Serve
from tests.tool_servers.knowledge.searched import search
from tests.tool_servers.process import refuses, running
from tests.tool_servers.served import failure
from tool_servers.knowledge import documents
from tool_servers.knowledge.index import open_index
from tool_servers.knowledge.service import knowledge_service
from tool_servers.serving.server import ToolServer

TEA = """\
# Tea

How to make tea, and how to keep it.

## Green tea

Green tea is brewed at 70 °C for two minutes.
Hotter water makes it bitter.

## 红茶

红茶要用沸水冲泡三分钟。

```
# no heading, but a comment in code
brew --minutes 3
```
"""
COFFEE = "Coffee\n\nEspresso is brewed at 93 degrees, under a pressure of nine bar.\n"
LONG = "\n\n".join(f"Paragraph {number} speaks of nothing much, at some length. " * 8 for number in range(40))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of documents, with some things in it that are none."""
    root = tmp_path / "docs"
    (root / "drinks").mkdir(parents=True)
    (root / ".hidden").mkdir()
    (root / "drinks" / "tea.md").write_text(TEA)
    (root / "drinks" / "coffee.txt").write_text(COFFEE)
    (root / "long.rst").write_text(LONG)
    (root / ".hidden" / "secret.md").write_text("# Secret\n\nThe espresso is hidden.")
    (root / "image.png").write_bytes(b"espresso")
    (root / "broken.md").write_bytes(b"espresso \xff\xfe")
    (root / "huge.md").write_text("espresso " * 300_000)
    (tmp_path / "outside.md").write_text("espresso outside")
    (root / "link.md").symlink_to(tmp_path / "outside.md")
    return root


@pytest.fixture
async def serving(
    index_url: str | None, folder: Path, serve_service: Serve
) -> AsyncIterator[tuple[ToolServer, Any]]:
    """The service over the folder, and a channel to it."""
    found = documents.load(folder)
    async with open_index(found, index_url) as index:
        yield await serve_service(knowledge_service(found, index))


@pytest.fixture
def knowledge(serving: tuple[ToolServer, Any]) -> Any:
    """A stub of it."""
    return knowledge_pb2_grpc.KnowledgeServiceStub(serving[1])


async def test_a_passage_is_found_with_its_place_and_as_it_is_written(knowledge: Any) -> None:
    best, *_ = await search(knowledge, "How hot is the water for green tea?")

    assert best == knowledge_pb2.Passage(
        document="drinks/tea.md",
        headings=["Tea", "Green tea"],
        first_line=7,
        last_line=8,
        text="Green tea is brewed at 70 °C for two minutes.\nHotter water makes it bitter.",
    )
    assert TEA.splitlines()[best.first_line - 1 : best.last_line] == best.text.splitlines()


@pytest.mark.parametrize(
    ("query", "document", "first_line"),
    [
        ("brewing espresso", "drinks/coffee.txt", 1),
        ("PRESSURES", "drinks/coffee.txt", 1),
        ("红茶怎么冲泡?", "drinks/tea.md", 12),
        ("how do I keep it", "drinks/tea.md", 3),
        ("comments in code", "drinks/tea.md", 12),
        ("paragraph 39", "long.rst", 77),
    ],
)
async def test_words_are_found_in_other_forms_in_chinese_and_in_code(
    knowledge: Any, query: str, document: str, first_line: int
) -> None:
    best, *_ = await search(knowledge, query)

    assert (best.document, best.first_line) == (document, first_line)


@pytest.mark.parametrize(
    "query", ["zzzz", "the of is", "?!", "' OR ''='", '"', "NEAR(", "a:*b", "\x00", "😀", "& | !", "-- ;"]
)
async def test_a_query_without_a_known_word_finds_nothing(knowledge: Any, query: str) -> None:
    assert await search(knowledge, query) == []


async def test_as_many_passages_are_found_as_are_wanted_and_none_is_longer_than_some_lines(
    knowledge: Any,
) -> None:
    usual = await search(knowledge, "paragraph")
    many = await search(knowledge, "paragraph", limit=20)

    assert (len(usual), len(many)) == (5, 20)
    assert all(len(passage.text) <= documents.MAX_CHARACTERS for passage in many)
    assert len({(passage.first_line, passage.last_line) for passage in many}) == 20


async def test_only_documents_of_the_folder_are_listed(knowledge: Any) -> None:
    every = await knowledge.ListDocuments(knowledge_pb2.ListDocumentsRequest())
    some = await knowledge.ListDocuments(knowledge_pb2.ListDocumentsRequest(prefix="drinks/", limit=1))

    assert [(each.document, each.title, each.lines) for each in every.documents] == [
        ("drinks/coffee.txt", "Coffee", 3),
        ("drinks/tea.md", "Tea", 17),
        ("long.rst", LONG.splitlines()[0].strip()[:200], 79),
    ]
    assert ([each.document for each in some.documents], some.total) == (["drinks/coffee.txt"], 2)


async def test_lines_are_read_as_they_are_written(knowledge: Any) -> None:
    some = await knowledge.ReadDocument(
        knowledge_pb2.ReadDocumentRequest(document="drinks/tea.md", first_line=5, lines=3)
    )
    every = await knowledge.ReadDocument(knowledge_pb2.ReadDocumentRequest(document="drinks/tea.md"))
    beyond = await knowledge.ReadDocument(
        knowledge_pb2.ReadDocumentRequest(document="drinks/tea.md", first_line=1000)
    )

    assert (some.first_line, some.last_line, some.total_lines) == (5, 7, 17)
    assert some.text == "## Green tea\n\nGreen tea is brewed at 70 °C for two minutes."
    assert f"{every.text}\n" == TEA
    assert (beyond.text, beyond.last_line) == ("", 0)


async def test_a_name_of_any_length_is_told_back_as_far_as_it_fits(knowledge: Any) -> None:
    name = "茶" * 500

    code, message, details = await failure(
        knowledge.ReadDocument(knowledge_pb2.ReadDocumentRequest(document=name))
    )

    assert code == StatusCode.NOT_FOUND
    assert '"茶茶' in message
    assert len(details) == 2


@pytest.mark.parametrize(
    "name",
    ["drinks/te.md", "../outside.md", "/etc/passwd", "link.md", ".hidden/secret.md", "huge.md", "drinks"],
)
async def test_what_is_no_document_of_the_folder_cannot_be_read(knowledge: Any, name: str) -> None:
    code, message, details = await failure(
        knowledge.ReadDocument(knowledge_pb2.ReadDocumentRequest(document=name))
    )

    assert code == StatusCode.NOT_FOUND
    assert f'"{name}"' in message
    assert isinstance(details[0], error_details_pb2.ErrorInfo)
    assert details[0].reason == "DOCUMENT_NOT_FOUND"
    if name == "drinks/te.md":
        assert "drinks/tea.md" in message


@pytest.mark.parametrize(
    ("method", "given", "field"),
    [
        ("SearchDocuments", {"query": ""}, "query"),
        ("SearchDocuments", {"query": "x" * 501}, "query"),
        ("SearchDocuments", {"query": "x", "limit": 0}, "limit"),
        ("SearchDocuments", {"query": "x", "limit": 21}, "limit"),
        ("ReadDocument", {"document": ""}, "document"),
        ("ReadDocument", {"document": "x" * 501}, "document"),
        ("ReadDocument", {"document": "x", "first_line": 0}, "first_line"),
        ("ReadDocument", {"document": "x", "lines": 0}, "lines"),
        ("ReadDocument", {"document": "x", "lines": 401}, "lines"),
        ("ListDocuments", {"prefix": "x" * 501}, "prefix"),
        ("ListDocuments", {"limit": 0}, "limit"),
        ("ListDocuments", {"limit": 1001}, "limit"),
    ],
)
async def test_a_bad_request_is_refused_naming_its_field(
    serving: tuple[ToolServer, Any], elsewhere: Elsewhere, method: str, given: dict[str, Any], field: str
) -> None:
    knowledge: Any = knowledge_pb2_grpc.KnowledgeServiceStub(elsewhere(serving[0]))
    request = getattr(knowledge_pb2, f"{method}Request")(**given)

    code, _, (bad,) = await failure(getattr(knowledge, method)(request))

    assert code == StatusCode.INVALID_ARGUMENT
    assert isinstance(bad, error_details_pb2.BadRequest)
    assert [each.field for each in bad.field_violations] == [field]


async def test_the_index_in_postgresql_is_replaced_by_the_next_start(
    postgres_url: str, folder: Path, serve_service: Serve
) -> None:
    for text, expected in (("First edition.", 1), ("Second edition.", 1), ("Nothing.", 0)):
        (folder / "drinks" / "tea.md").write_text(text)
        found = documents.load(folder)
        async with open_index(found, postgres_url) as index:
            passages = await index.search("edition", 20)
        assert [passage.text for passage in passages] == [text] * expected


async def test_by_itself_it_searches_the_documents_of_this_project() -> None:
    async with running("knowledge") as (_, channel):
        passages = await search(knowledge_pb2_grpc.KnowledgeServiceStub(channel), "weather forecast proto")

    assert any(passage.document == "protos/weather/v1/weather.proto" for passage in passages)


async def test_a_folder_and_postgresql_are_chosen_by_the_settings(folder: Path, postgres_url: str) -> None:
    async with running("knowledge", "--folder", str(folder), DATABASE_URL=postgres_url) as (process, channel):
        passages = await search(knowledge_pb2_grpc.KnowledgeServiceStub(channel), "espresso")
        process.terminate()
        _, log = await process.communicate()

    assert [passage.document for passage in passages] == ["drinks/coffee.txt"]
    for name in ("huge.md", "link.md", "broken.md"):
        assert f"left out '{name}'" in log.decode()


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (("--folder", "/nowhere"), {}, "'/nowhere' is no folder"),
        (("--folder", str(Path(__file__).parent)), {}, "there is no document in"),
        ((), {"DATABASE_URL": "sqlite:///x"}, "DATABASE_URL is no database of PostgreSQL"),
        ((), {"DATABASE_URL": "postgresql://me:hidden@127.0.0.1:1/x"}, "PostgreSQL cannot be reached"),
        ((), {"DATABASE_URL": "postgresql://me:hidden@127.0.0.1:99999/x"}, "the database URL cannot be read"),
        ((), {"DATABASE_URL": "postgresql://me:hidden@127.0.0.1:port/x"}, "the database URL cannot be read"),
    ],
)
async def test_a_wrong_setting_is_exit_status_2_and_one_line(
    arguments: tuple[str, ...], environment: dict[str, str], words: str
) -> None:
    await refuses("knowledge", words, "--address", "127.0.0.1:0", *arguments, **environment)


async def test_a_database_in_which_it_may_not_write_is_exit_status_2_and_one_line(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("DROP ROLE IF EXISTS looker; CREATE ROLE looker LOGIN")
    await connection.close()
    url = postgres_url.replace("owner@", "looker@")

    await refuses("knowledge", "the index cannot be made in PostgreSQL", DATABASE_URL=url)


async def test_a_search_outlives_the_connections_that_it_had(folder: Path, postgres_url: str) -> None:
    others = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
    async with open_index(documents.load(folder), postgres_url) as index:
        operator = await asyncpg.connect(postgres_url)
        try:
            for _ in range(20):
                await asyncio.gather(*(index.search("tea", 5) for _ in range(8)))
                await operator.execute(
                    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
                )
                assert await index.search("tea", 5)
        finally:
            await operator.close()


async def test_an_index_that_is_gone_is_unavailable(
    folder: Path, postgres_url: str, serve_service: Serve
) -> None:
    found = documents.load(folder)
    async with open_index(found, postgres_url) as index:
        _, channel = await serve_service(knowledge_service(found, index))
        await index._pool.execute("DROP TABLE knowledge_passages")  # type: ignore[attr-defined]

        code, message, _ = await failure(search(knowledge_pb2_grpc.KnowledgeServiceStub(channel), "tea"))

    assert code == StatusCode.UNAVAILABLE
    assert "knowledge_passages" not in message
