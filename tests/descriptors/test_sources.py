"""The same files, whatever place they come from; and what each place says when they cannot be had."""

import asyncio
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from broker.descriptors import protoc, sources
from broker.descriptors.comments import comments_of
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.reflection import Reflection
from broker.descriptors.sources import DescriptorSource, Loaded, ProtoFiles, Protoset
from broker.errors import DescriptorError
from broker.tool import Approval


def compilers() -> list[psutil.Process]:
    """The processes of ours in which protoc runs."""
    return [child for child in psutil.Process().children() if "grpc_tools.protoc" in child.cmdline()]


class TestEverySource:
    async def test_links_the_service_with_all_that_it_imports(self, source: DescriptorSource) -> None:
        found = link(await source.load())
        (service,) = found.services
        assert service.full_name == "library.v1.LibraryService"
        assert [method.name for method in service.methods] == ["GetBook", "DeleteBook", "WatchBooks"]
        book: Any = service.methods_by_name["GetBook"].output_type
        code = book.fields_by_name["author"].message_type.fields_by_name["country"].message_type
        price = book.fields_by_name["price"].message_type.fields_by_name["issuer"].message_type
        assert code is price
        assert code.full_name == "common.v1.Country"

    async def test_gives_messages_that_can_be_sent(self, source: DescriptorSource) -> None:
        found = link(await source.load())
        book = found.message_class(found.pool.FindMessageTypeByName("library.v1.Book"))
        data = book(title="红楼梦", author={"country": {"code": "CN", "region": 1}}).SerializeToString()
        assert "红楼梦".encode() in data
        assert book.FromString(data).SerializeToString() == data

    async def test_keeps_what_our_annotations_say(self, source: DescriptorSource) -> None:
        found = link(await source.load())
        method = found.pool.FindMethodByName("library.v1.LibraryService.DeleteBook")
        options = found.method_options(method)
        assert (options.name, options.approval, options.timeout) == ("discard", Approval.REQUIRED, 2.5)
        title = found.pool.FindFieldByName("library.v1.Book.title")
        assert found.field_options(title).example == "Dream of the Red Chamber"

    async def test_keeps_options_that_the_broker_does_not_know(self, source: DescriptorSource) -> None:
        found = link(await source.load())
        audience: Any = found.pool.FindExtensionByName("house.v1.audience")
        title = found.pool.FindFieldByName("library.v1.Book.title")
        assert list(found.options(title).Extensions[audience]) == ["children", "adults"]

    async def test_has_comments_unless_it_is_a_server(self, source: DescriptorSource) -> None:
        comments = comments_of(await source.load())
        if isinstance(source, Reflection):
            assert comments == {}
        else:
            assert comments["library.v1.LibraryService.GetBook"] == " Finds a book.\n"

    async def test_takes_comments_from_elsewhere(self, source: DescriptorSource, compiled: Loaded) -> None:
        overlay = comments_of(compiled) | {"library.v1.Book": " From elsewhere."}
        found = link(await source.load(), comments=overlay)
        assert found.comments["library.v1.LibraryService.GetBook"] == " Finds a book.\n"
        assert found.comments["library.v1.Book"] == " From elsewhere."

    async def test_is_trusted_unless_it_is_a_server(self, source: DescriptorSource) -> None:
        loaded = await source.load()
        assert loaded.trusted == link(loaded).trusted == (not isinstance(source, Reflection))


class TestProtoFiles:
    @pytest.mark.parametrize("name", ["library/v1/library.proto", "./library/v1/library.proto"])
    async def test_takes_import_names(self, tree: Path, name: str) -> None:
        assert (await ProtoFiles([name], [tree]).load()).services == ("library.v1.LibraryService",)

    async def test_takes_paths_within_an_import_path(
        self, tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tree.parent)
        relative = f"{tree.name}/library/v1/library.proto"
        for file in (relative, str(tree / "library/v1/library.proto")):
            loaded = await ProtoFiles([file], [Path(tree.name)]).load()
            assert "library/v1/library.proto" in {found.name for found in loaded.files.file}

    async def test_looks_in_the_files_own_folder_when_there_is_no_import_path(self, tmp_path: Path) -> None:
        for folder, text in (("a", 'import "b.proto"; service A {}'), ("c", "service C {}")):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / f"{folder}.proto").write_text(f'syntax = "proto3"; {text}')
        (tmp_path / "a/b.proto").write_text('syntax = "proto3"; service B {}')
        loaded = await ProtoFiles([f"{tmp_path}/a/a.proto", f"{tmp_path}/c/c.proto"]).load()
        assert loaded.services == ("A", "C")

    async def test_refuses_two_names_alike_without_import_paths(self, tmp_path: Path) -> None:
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "same.proto").write_text('syntax = "proto3";')
        with pytest.raises(DescriptorError, match="one name in different folders; give import_paths"):
            await ProtoFiles([f"{tmp_path}/a/same.proto", f"{tmp_path}/b/same.proto"]).load()

    async def test_offers_only_the_services_of_the_files_that_are_named(self, tree: Path) -> None:
        loaded = await ProtoFiles(["library/v1/book.proto"], [tree]).load()
        assert loaded.services == ()
        assert link(loaded).services == ()

    async def test_looks_in_the_import_paths_in_their_order(self, tmp_path: Path) -> None:
        for folder in ("first", "second"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "x.proto").write_text(f'syntax = "proto3"; package {folder}; service S {{}}')
        folders = [tmp_path / "second", tmp_path / "first"]
        assert (await ProtoFiles(["x.proto"], folders).load()).services == ("second.S",)

    async def test_a_file_in_the_working_folder_is_not_taken_for_an_import_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for folder in ("here", "there"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "x.proto").write_text(f'syntax = "proto3"; package {folder}; service S {{}}')
        monkeypatch.chdir(tmp_path / "here")
        assert (await ProtoFiles(["x.proto"], [tmp_path / "there"]).load()).services == ("there.S",)

    @pytest.mark.parametrize(
        ("files", "import_paths", "message"),
        [
            pytest.param(["no.proto"], ["."], "there is no file 'no.proto' in the import paths", id="file"),
            pytest.param(["no.proto"], [], "there is no file '.*no.proto'; mend its path", id="path"),
            pytest.param(["x.proto"], ["no"], "the import path '.*no' is no folder; give one", id="folder"),
        ],
    )
    async def test_names_what_is_missing_and_the_cure(
        self, tmp_path: Path, files: list[str], import_paths: list[str], message: str
    ) -> None:
        with pytest.raises(DescriptorError, match=message):
            await ProtoFiles(files, [tmp_path / folder for folder in import_paths]).load()

    async def test_shows_protocs_own_lines(self, tmp_path: Path) -> None:
        (tmp_path / "x.proto").write_text('syntax = "proto3";\nmessage M { strin a = 1; }\n')
        with pytest.raises(DescriptorError, match=r'x\.proto:2:13: "strin" is not defined'):
            await ProtoFiles(["x.proto"], [tmp_path]).load()

    async def test_a_missing_import_names_the_key_to_set(self, tmp_path: Path) -> None:
        (tmp_path / "x.proto").write_text('syntax = "proto3"; import "no/y.proto";')
        with pytest.raises(DescriptorError, match=r"import_paths:\nno/y\.proto: File not found"):
            await ProtoFiles(["x.proto"], [tmp_path]).load()

    async def test_shows_no_warnings_beside_errors(self, tmp_path: Path) -> None:
        (tmp_path / "x.proto").write_text('syntax = "proto3"; import "google/protobuf/empty.proto";')
        (tmp_path / "y.proto").write_text("rubbish")
        assert (await ProtoFiles(["x.proto"], [tmp_path]).load()).files.file
        with pytest.raises(DescriptorError, match=r"y\.proto:1:1") as caught:
            await ProtoFiles(["x.proto", "y.proto"], [tmp_path]).load()
        assert "x.proto" not in str(caught.value)

    def test_leaves_no_files_behind(
        self, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        before = sorted(tree.rglob("*"))
        asyncio.run(ProtoFiles(["library/v1/library.proto"], [tree]).load())
        with pytest.raises(DescriptorError, match="File not found"):
            asyncio.run(ProtoFiles(["v1/library.proto"], [tree / "library"]).load())
        assert list(tmp_path.iterdir()) == []
        assert sorted(tree.rglob("*")) == before

    async def test_a_protoc_that_takes_too_long_is_ended(
        self, tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(protoc, "TIMEOUT", 0.0)
        with pytest.raises(DescriptorError, match=r"protoc was not done after 0 s; .* protoset"):
            await ProtoFiles(["library/v1/library.proto"], [tree]).load()
        assert not compilers()

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
    async def test_protoc_ends_with_its_caller(self, tmp_path: Path) -> None:
        (tmp_path / "x.proto").write_text('syntax = "proto3"; import "pipe.proto";')
        pipe = tmp_path / "pipe.proto"
        os.mkfifo(pipe)
        loading = asyncio.create_task(ProtoFiles(["x.proto"], [tmp_path]).load())
        writer = await asyncio.to_thread(os.open, pipe, os.O_WRONLY)  # until protoc waits for what it says
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        os.close(writer)
        assert not compilers()

    async def test_says_what_to_install_when_google_api_is_not_there(
        self, tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(protoc, "find_spec", lambda _: None)
        with pytest.raises(DescriptorError, match="install googleapis-common-protos"):
            await ProtoFiles(["library/v1/library.proto"], [tree]).load()


class TestProtoset:
    async def test_offers_all_its_services(self, tmp_path: Path) -> None:
        files = FileDescriptorSet()
        for name in ("b", ""):
            files.file.add(name=f"{name}x.proto", package=name).service.add(name="S")
        (tmp_path / "x").write_bytes(files.SerializeToString())
        loaded = await Protoset(tmp_path / "x").load()
        assert [service.full_name for service in link(loaded).services] == ["S", "b.S"]

    @pytest.mark.parametrize(
        "data",
        [b"", b'syntax = "proto3";', b'{"file": []}', b"\x0a\x00", b"\x0a\xff", b"\x08\x01"],
        ids=["empty", "proto", "json", "nameless", "cut", "other"],
    )
    async def test_refuses_what_is_no_protoset(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "x").write_bytes(data)
        with pytest.raises(DescriptorError, match=r"/x' cannot be used: it holds no .*--include_imports"):
            await Protoset(tmp_path / "x").load()

    @pytest.mark.parametrize(("path", "fact"), [("no", "No such file"), (".", "Is a directory")])
    async def test_refuses_what_cannot_be_read(self, tmp_path: Path, path: str, fact: str) -> None:
        with pytest.raises(DescriptorError, match=f"cannot be used: {fact}"):
            await Protoset(tmp_path / path).load()

    async def test_refuses_what_is_too_large(
        self,
        compiled: Loaded,
        write_protoset: Callable[[FileDescriptorSet], Path],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sources, "MAX_PROTOSET", 100)
        with pytest.raises(DescriptorError, match="it has more than 100 bytes"):
            await Protoset(write_protoset(compiled.files)).load()

    async def test_without_imports_names_them_and_the_cure(
        self, descriptors: Descriptors, write_protoset: Callable[[FileDescriptorSet], Path]
    ) -> None:
        files = FileDescriptorSet()
        descriptors.pool.FindFileByName("common/v1/author.proto").CopyToProto(files.file.add())
        loaded = await Protoset(write_protoset(files)).load()
        expected = "'common/v1/author.proto' imports 'common/v1/country.proto', .* --include_imports"
        with pytest.raises(DescriptorError, match=expected):
            link(loaded)

    async def test_takes_protobufs_own_files_from_the_runtime(
        self, compiled: Loaded, write_protoset: Callable[[FileDescriptorSet], Path]
    ) -> None:
        files = FileDescriptorSet()
        for file in compiled.files.file:
            if not file.name.startswith("google/protobuf/"):
                files.file.add().MergeFromString(file.SerializeToString())
        assert len(files.file) < len(compiled.files.file)
        found = link(await Protoset(write_protoset(files)).load())
        assert found.pool.FindMessageTypeByName("google.protobuf.Timestamp").fields_by_name["nanos"]


def test_a_name_that_is_quoted_stays_one_short_line() -> None:
    assert sources.quoted("a\nb\x1b[31m") == "'a\\nb\\x1b[31m'"
    assert len(sources.quoted("x" * 10_000)) < 400


RULED = """syntax = "proto3";
package ruled.v1;
import "buf/validate/validate.proto";
message City { string name = 1 [(buf.validate.field).string.min_len = 1]; }
"""


async def test_rules_of_protovalidate_are_found_where_the_extra_is_installed(tmp_path: Path) -> None:
    (tmp_path / "ruled.proto").write_text(RULED)
    found = link(await ProtoFiles(["ruled.proto"], [tmp_path]).load())
    rules = found.field_options(found.pool.FindFieldByName("ruled.v1.City.name")).rules
    assert rules is not None
    assert (rules.kind, rules.values) == ("string", {"min_len": 1})


async def test_rules_without_the_extra_say_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ruled.proto").write_text(RULED)
    monkeypatch.setattr(
        protoc, "find_spec", lambda name: None if name == "protovalidate" else importlib.util.find_spec(name)
    )
    with pytest.raises(DescriptorError, match=r"pip install \"grpc-tool-broker\[validate\]\""):
        await ProtoFiles(["ruled.proto"], [tmp_path]).load()


async def test_a_copy_of_the_rules_in_an_import_path_goes_before_that_of_the_extra(tmp_path: Path) -> None:
    (tmp_path / "ruled.proto").write_text(RULED.replace(" [(buf.validate.field).string.min_len = 1]", ""))
    own = tmp_path / "buf" / "validate" / "validate.proto"
    own.parent.mkdir(parents=True)
    own.write_text('syntax = "proto3"; package buf.validate; message Own {}')
    found = link(await ProtoFiles(["ruled.proto"], [tmp_path]).load())
    assert found.pool.FindMessageTypeByName("buf.validate.Own")
    assert not found.has_rules
