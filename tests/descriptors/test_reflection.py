"""Servers that describe themselves well, oddly, badly, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import grpc
import grpc.aio
import pytest
import trustme
from google.protobuf import descriptor_pb2, empty_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import (
    ErrorResponse,
    FileDescriptorResponse,
    ListServiceResponse,
    ServerReflectionRequest,
    ServerReflectionResponse,
    ServiceResponse,
)
from hypothesis import given
from hypothesis import strategies as st

from broker.descriptors.closure import Closure
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.reflection import Reflection, _Inquiry
from broker.descriptors.sources import Loaded
from broker.errors import DescriptorError

Serve = Callable[..., Any]
MakeReflection = Callable[..., Reflection]


def listed(*names: str) -> ServerReflectionResponse:
    services = [ServiceResponse(name=name) for name in names]
    return ServerReflectionResponse(list_services_response=ListServiceResponse(service=services))


def handed_out(*files: FileDescriptorProto | bytes) -> ServerReflectionResponse:
    data = [file if isinstance(file, bytes) else file.SerializeToString() for file in files]
    return ServerReflectionResponse(
        file_descriptor_response=FileDescriptorResponse(file_descriptor_proto=data)
    )


def failed(message: str = "not here") -> ServerReflectionResponse:
    return ServerReflectionResponse(error_response=ErrorResponse(error_code=5, error_message=message))


def with_service(name: str, *imports: str) -> FileDescriptorProto:
    made = FileDescriptorProto(name=name, package="p", syntax="proto3", dependency=imports)
    made.service.add(name="S")
    return made


def plain(name: str, *imports: str) -> FileDescriptorProto:
    return FileDescriptorProto(name=name, syntax="proto3", dependency=imports)


class Scripted:
    """Answers from a table; the question that a test has not foreseen is not found."""

    def __init__(
        self, answers: dict[str, ServerReflectionResponse], services: Iterable[str] = ("p.S",)
    ) -> None:
        self.answers = answers
        self.services = services
        self.questions: list[str] = []

    def __call__(self, request: ServerReflectionRequest) -> ServerReflectionResponse:
        if request.WhichOneof("message_request") == "list_services":
            return listed(*self.services)
        question = request.file_containing_symbol or request.file_by_filename
        self.questions.append(question)
        return self.answers.get(question, failed())


class TestFiles:
    async def test_fetches_imports_one_by_one_until_none_is_missing(
        self, descriptors: Descriptors, serve_answers: Serve, reflection: MakeReflection
    ) -> None:
        def answer(request: ServerReflectionRequest) -> ServerReflectionResponse:
            if request.WhichOneof("message_request") == "list_services":
                return listed("library.v1.LibraryService")
            name = request.file_by_filename or "library/v1/library.proto"
            if name.startswith("google/protobuf/"):
                return failed()
            return handed_out(descriptors.pool.FindFileByName(name).serialized_pb)

        loaded = await reflection(await serve_answers(answer)).load()
        names = [file.name for file in loaded.files.file]
        assert names == sorted(names)
        assert {"common/v1/country.proto", "google/api/field_behavior.proto"} <= set(names)
        assert link(loaded).services[0].methods_by_name["GetBook"].output_type.full_name == "library.v1.Book"

    async def test_takes_protobufs_own_files_from_the_server_when_it_has_them(
        self, serve_answers: Serve, reflection: MakeReflection
    ) -> None:
        own = FileDescriptorProto()
        empty_pb2.DESCRIPTOR.CopyToProto(own)
        own.options.java_package = "of.the.server"
        script = Scripted({"p.S": handed_out(with_service("s.proto", own.name)), own.name: handed_out(own)})
        found = link(await reflection(await serve_answers(script)).load())
        assert found.pool.FindFileByName(own.name).GetOptions().java_package == "of.the.server"

    async def test_a_file_that_comes_under_another_name_is_found_by_its_importers(
        self, serve_answers: Serve, reflection: MakeReflection
    ) -> None:
        renamed = FileDescriptorProto(name="m.proto", package="p", syntax="proto3")
        renamed.message_type.add(name="M")
        service = with_service("s.proto", "of/m.proto")
        service.service[0].method.add(name="R", input_type=".p.M", output_type=".p.M")
        script = Scripted({"p.S": handed_out(service), "of/m.proto": handed_out(renamed)})
        found = link(await reflection(await serve_answers(script)).load())
        assert found.services[0].methods[0].input_type.file.name == "m.proto"
        assert script.questions == ["p.S", "of/m.proto"]

    async def test_asks_once_for_two_services_of_one_file(
        self, serve_answers: Serve, reflection: MakeReflection
    ) -> None:
        both = with_service("s.proto")
        both.service.add(name="T")
        script = Scripted({"p.S": handed_out(both)}, services=["p.T", "p.S"][::-1])
        found = link(await reflection(await serve_answers(script)).load())
        assert [service.full_name for service in found.services] == ["p.S", "p.T"]
        assert script.questions == ["p.S"]

    async def test_asks_for_no_import_that_came_with_another(
        self, serve_answers: Serve, reflection: MakeReflection
    ) -> None:
        service = with_service("s.proto", "a.proto", "b.proto")
        both = handed_out(plain("a.proto"), plain("b.proto"))
        script = Scripted({"p.S": handed_out(service), "a.proto": both})
        assert len((await reflection(await serve_answers(script)).load()).files.file) == 3
        assert script.questions == ["p.S", "a.proto"]

    async def test_offers_no_services_of_grpc_itself(
        self, serve_answers: Serve, reflection: MakeReflection
    ) -> None:
        services = ["grpc.health.v1.Health", "p.S", "grpc.reflection.v1.ServerReflection", "p.S"]
        script = Scripted({"p.S": handed_out(with_service("s.proto"))}, services)
        assert (await reflection(await serve_answers(script)).load()).services == ["p.S"]
        assert script.questions == ["p.S"]

    @given(st.permutations([plain("a.proto", "b.proto"), plain("b.proto", "c.proto"), plain("c.proto")]))
    def test_are_the_same_in_whatever_order_they_come(self, files: list[FileDescriptorProto]) -> None:
        closure = Closure(max_files=3, max_bytes=1_000)
        closure.add([file.SerializeToString() for file in files[:2]])
        closure.add([file.SerializeToString() for file in files])
        assert closure.missing() == []
        assert [file.name for file in closure.file_set().file] == ["a.proto", "b.proto", "c.proto"]

    async def test_are_not_trusted(self, serve_answers: Serve, reflection: MakeReflection) -> None:
        script = Scripted({"p.S": handed_out(with_service("s.proto"))})
        assert not link(await reflection(await serve_answers(script)).load()).trusted


class TestBounds:
    @pytest.mark.parametrize("bound", ["max_files", "max_bytes"])
    async def test_a_server_may_hand_out_just_as_much_as_is_allowed(
        self, bound: str, serve_answers: Serve, reflection: MakeReflection
    ) -> None:
        files = [with_service("s.proto", "b.proto"), plain("b.proto")]
        exact = {"max_files": 2, "max_bytes": sum(file.ByteSize() for file in files)}[bound]
        script = Scripted({"p.S": handed_out(files[0]), "b.proto": handed_out(*files)})
        channel = await serve_answers(script)
        assert len((await reflection(channel, **{bound: exact}).load()).files.file) == 2
        with pytest.raises(DescriptorError, match=f"more than {exact - 1} .*; raise descriptors.{bound}"):
            await reflection(channel, **{bound: exact - 1}).load()

    async def test_a_server_that_answers_each_question_with_the_same_file_is_left(
        self, serve_answers: Serve, reflection: MakeReflection
    ) -> None:
        endless = with_service("s.proto", *(f"{number}.proto" for number in range(1_000)))
        script = Scripted(dict.fromkeys(["p.S", *endless.dependency], handed_out(endless)))
        with pytest.raises(DescriptorError, match=r"keeps naming files .* raise descriptors\.max_files"):
            await reflection(await serve_answers(script), max_files=20).load()
        assert len(script.questions) == 21

    async def test_a_server_that_is_silent_is_left_in_time(
        self, serve: Serve, reflection: MakeReflection
    ) -> None:
        left = asyncio.Event()

        async def silent(requests: AsyncIterator[ServerReflectionRequest], context: Any) -> Any:
            try:
                await asyncio.Event().wait()
                yield listed()
            finally:
                left.set()

        with pytest.raises(
            DescriptorError, match=r"DEADLINE_EXCEEDED.*raise connect_timeout, or give its .proto"
        ):
            await reflection(await serve(silent), timeout=0.1).load()
        await left.wait()

    async def test_an_answer_larger_than_the_channel_takes_names_the_key(
        self, serve_answers: Serve, reflection: MakeReflection
    ) -> None:
        large = with_service("s.proto")
        large.service[0].name += "x" * 10_000
        script = Scripted({"p.S": handed_out(large)})
        channel = await serve_answers(script, **{"grpc.max_receive_message_length": 5_000})
        with pytest.raises(DescriptorError, match=r"RESOURCE_EXHAUSTED .*raise max_message_bytes"):
            await reflection(channel).load()


class TestRefusals:
    @pytest.mark.parametrize(
        ("answers", "said"),
        [
            pytest.param({}, "offers 'p.S' and does not describe it: 'not here'", id="service"),
            pytest.param(
                {"p.S": handed_out(with_service("s.proto", "no.proto"))},
                "does not have 'no.proto', which its files import: 'not here'",
                id="import",
            ),
            pytest.param({"p.S": handed_out(b"\xff")}, "something that is no file descriptor", id="rubbish"),
            pytest.param({"p.S": handed_out(b"")}, "something that is no file descriptor", id="nameless"),
            pytest.param(
                {"p.S": handed_out(with_service("s.proto"), plain("s.proto"))},
                "two different files named 's.proto'",
                id="contradiction",
            ),
            pytest.param({"p.S": handed_out()}, "'p.S' is on offer, but no file defines it", id="nothing"),
            pytest.param(
                {"p.S": handed_out(with_service("s.proto", "s.proto"))}, "import each other", id="cycle"
            ),
        ],
    )
    async def test_say_what_the_server_lacks_and_the_cure(
        self,
        answers: dict[str, ServerReflectionResponse],
        said: str,
        serve_answers: Serve,
        reflection: MakeReflection,
    ) -> None:
        channel = await serve_answers(Scripted(answers))
        with pytest.raises(DescriptorError) as caught:
            link(await reflection(channel).load())
        assert said in str(caught.value)
        assert "give" in str(caught.value) or "take one" in str(caught.value)

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            pytest.param(b"\xff", "reflection answers cannot be read", id="rubbish"),
            pytest.param(None, "ended the reflection call too early", id="end"),
            pytest.param(failed("go\naway"), r"will not list its services: 'go\\naway'", id="no"),
        ],
    )
    async def test_a_server_that_does_not_list_its_services(
        self, answer: Any, said: str, serve_answers: Serve, reflection: MakeReflection
    ) -> None:
        with pytest.raises(DescriptorError, match=f"{said}.*; give its .proto files or a protoset"):
            await reflection(await serve_answers(lambda _: answer)).load()

    async def test_a_server_without_reflection(self, serve: Serve, reflection: MakeReflection) -> None:
        channel = await serve(None, version="other")
        with pytest.raises(
            DescriptorError, match=r"UNIMPLEMENTED .*it has no reflection service: give its .proto"
        ):
            await reflection(channel).load()

    async def test_a_server_that_asks_who_calls(self, serve: Serve, reflection: MakeReflection) -> None:
        async def guarded(requests: AsyncIterator[ServerReflectionRequest], context: Any) -> Any:
            if ("who", "me") not in context.invocation_metadata():
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "who?")
            async for _ in requests:
                yield listed()

        channel = await serve(guarded)
        with pytest.raises(DescriptorError, match=r"UNAUTHENTICATED 'who\?'; send metadata"):
            await reflection(channel).load()
        assert (await reflection(channel, metadata=[("who", "me")]).load()).services == []

    async def test_a_server_that_is_not_there(self, reflection: MakeReflection) -> None:
        async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
            with pytest.raises(DescriptorError, match=r"UNAVAILABLE .*127.0.0.1:1.*; check the target"):
                await reflection(channel).load()

    async def test_a_server_that_speaks_tls_when_we_do_not(self, reflection: MakeReflection) -> None:
        cert = trustme.CA().issue_cert("localhost")
        credentials = grpc.ssl_server_credentials(
            [(cert.private_key_pem.bytes(), cert.cert_chain_pems[0].bytes())]
        )
        server = grpc.aio.server()
        port = server.add_secure_port("127.0.0.1:0", credentials)
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            with pytest.raises(DescriptorError, match=r"UNAVAILABLE .*whether it speaks TLS"):
                await reflection(channel).load()
        await server.stop(None)

    async def test_another_status_is_told_with_its_name(
        self, serve: Serve, reflection: MakeReflection
    ) -> None:
        async def broken(requests: AsyncIterator[ServerReflectionRequest], context: Any) -> Any:
            await context.abort(grpc.StatusCode.INTERNAL, "x" * 4_000)
            yield

        with pytest.raises(DescriptorError, match=r"INTERNAL 'xxx.*; give its .proto files") as caught:
            await reflection(await serve(broken)).load()
        assert len(str(caught.value)) < 500


async def test_asks_by_v1_first(
    descriptors: Descriptors, serve_descriptors: Serve, serve_answers: Serve, reflection: MakeReflection
) -> None:
    script = Scripted({"p.S": handed_out(with_service("s.proto"))})
    assert (await reflection(await serve_answers(script, version="v1")).load()).services == ["p.S"]
    only_alpha = await serve_descriptors(descriptors, version="v1alpha")
    # Often, because the refusal of v1 may come before, while or after the first question is written.
    for _ in range(100):
        assert (await reflection(only_alpha).load()).services == ["library.v1.LibraryService"]


async def test_a_failure_of_v1_other_than_its_absence_is_not_papered_over(
    serve: Serve, reflection: MakeReflection
) -> None:
    async def refused(requests: AsyncIterator[ServerReflectionRequest], context: Any) -> Any:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you")
        yield

    with pytest.raises(DescriptorError, match="PERMISSION_DENIED 'not you'"):
        await reflection(await serve(refused)).load()


async def test_the_server_sees_the_end_of_the_call(serve: Serve, reflection: MakeReflection) -> None:
    ended = asyncio.Event()

    async def converse(requests: AsyncIterator[ServerReflectionRequest], context: Any) -> Any:
        try:
            async for _ in requests:
                yield listed()
        finally:
            ended.set()

    await reflection(await serve(converse)).load()
    await ended.wait()


async def test_a_question_after_the_end_of_the_call_tells_how_it_ended(serve: Serve) -> None:
    async def refused(requests: AsyncIterator[ServerReflectionRequest], context: Any) -> Any:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you")
        yield

    channel = await serve(refused)
    path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
    stream = channel.stream_stream(path, ServerReflectionRequest.SerializeToString, bytes)()
    assert await stream.code() is grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(grpc.aio.AioRpcError, match="not you"):
        await _Inquiry(stream, Closure(max_files=1, max_bytes=1), max_files=1).services()


async def test_descriptors_under_another_name_are_not_needed_twice(
    serve_answers: Serve, reflection: MakeReflection
) -> None:
    """A server that names files for their packages has descriptor.proto as google_protobuf.proto."""
    renamed = FileDescriptorProto()
    descriptor_pb2.DESCRIPTOR.CopyToProto(renamed)
    renamed.name = "google_protobuf.proto"
    script = Scripted({"p.S": handed_out(with_service("p.proto", renamed.name), renamed)})
    loaded: Loaded = await reflection(await serve_answers(script)).load()
    assert link(loaded).pool.FindMessageTypeByName("google.protobuf.FieldOptions").file.name == renamed.name
