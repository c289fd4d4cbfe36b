"""Options, be they ours, a stranger's or rubbish → what they say, or nothing."""

from typing import Any

import pytest
from google.api import field_behavior_pb2
from google.protobuf import descriptor_pb2, duration_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from hypothesis import given
from hypothesis import strategies as st

from broker.descriptors.bare import parse_file_set
from broker.descriptors.options import FieldOptions, MethodOptions
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.sources import Loaded
from broker.tool import Approval
from broker.v1 import annotations_pb2
from broker.v1.annotations_pb2 import ToolFieldOptions, ToolOptions

BEHAVIOR, TOOL, FIELD = 1052, 58120, 58121
DEPRECATED = b"\x18\x01"


def varint(number: int) -> bytes:
    """Encode as https://protobuf.dev/programming-guides/encoding/#varints says."""
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + varint(number >> 7)


def record(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def with_options(*files: FileDescriptorProto, field: bytes = b"", method: bytes = b"") -> Descriptors:
    """Link a field `p.M.f` and a method `p.S.R` that have these serialized options; `files` stand beside."""
    loaded = Loaded(files=parse_file_set(b""), services=["p.S"], trusted=True)
    made: Any = loaded.files.file.add(name="p.proto", package="p", syntax="proto3")
    made.message_type.add(name="M").field.add(name="f", number=1, type=9, label=1)
    made.message_type[0].field[0].options.MergeFromString(field)
    made.service.add(name="S").method.add(name="R", input_type=".p.M", output_type=".p.M")
    made.service[0].method[0].options.MergeFromString(method)
    for beside in files:
        loaded.files.file.add().MergeFromString(beside.SerializeToString())
    return link(loaded)


def field_options(data: bytes, *files: FileDescriptorProto) -> FieldOptions:
    found = with_options(*files, field=data)
    return found.field_options(found.pool.FindFieldByName("p.M.f"))


def method_options(data: bytes, *files: FileDescriptorProto) -> MethodOptions:
    found = with_options(*files, method=data)
    return found.method_options(found.pool.FindMethodByName("p.S.R"))


def declaring(extendee: str, number: int, name: str, of: int = 9) -> FileDescriptorProto:
    """Return a file in which somebody declares an extension of options; `of` is its type, a string."""
    package, _, name = name.rpartition(".")
    file = FileDescriptorProto(name="theirs.proto", package=package, syntax="proto3")
    file.dependency.append("google/protobuf/descriptor.proto")
    file.extension.add(
        name=name, number=number, extendee=f".google.protobuf.{extendee}", label=1, proto3_optional=True
    ).type = of  # type: ignore[assignment]
    return file


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("name", FieldOptions(behavior=frozenset({"IDENTIFIER", "OUTPUT_ONLY"}))),
        ("title", FieldOptions(example="Dream of the Red Chamber")),
        ("author", FieldOptions(behavior=frozenset({"REQUIRED"}))),
        ("blurb", FieldOptions(bytes_as_text=True)),
        ("shelf_mark", FieldOptions(hidden=True, deprecated=True, debug_redact=True)),
        ("added", FieldOptions()),
    ],
)
def test_reads_the_options_of_a_field(descriptors: Descriptors, name: str, said: FieldOptions) -> None:
    field = descriptors.pool.FindFieldByName(f"library.v1.Book.{name}")
    assert descriptors.field_options(field) == said
    assert descriptors.field_options(field) is descriptors.field_options(field)


@pytest.mark.parametrize(
    ("name", "said"),
    [("mills", FieldOptions(debug_redact=True)), ("Coin.mint", FieldOptions(deprecated=True))],
    ids=["of a file", "of a message"],
)
def test_reads_the_options_of_an_extension(descriptors: Descriptors, name: str, said: FieldOptions) -> None:
    extension = descriptors.pool.FindExtensionByName(f"common.v1.{name}")
    assert descriptors.field_options(extension) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("GetBook", MethodOptions(idempotency_level="NO_SIDE_EFFECTS")),
        (
            "DeleteBook",
            MethodOptions(
                name="discard",
                description="Discards a book for good.",
                approval=Approval.REQUIRED,
                timeout=2.5,
                deprecated=True,
            ),
        ),
        ("WatchBooks", MethodOptions(hidden=True, approval=Approval.NEVER)),
    ],
)
def test_reads_the_options_of_a_method(descriptors: Descriptors, name: str, said: MethodOptions) -> None:
    method = descriptors.pool.FindMethodByName(f"library.v1.LibraryService.{name}")
    assert descriptors.method_options(method) == said
    assert descriptors.method_options(method) is descriptors.method_options(method)


@pytest.mark.parametrize(
    ("element", "extension", "value"),
    [
        ("FindFieldByName library.v1.Book.title", "audience", ["children", "adults"]),
        ("FindMethodByName library.v1.LibraryService.DeleteBook", "audited", True),
        ("FindServiceByName library.v1.LibraryService", "team", "reading room"),
        ("FindEnumTypeByName common.v1.Region", "registry", "UN M49"),
        ("FindOneofByName library.v1.Book.offer", "exclusive", True),
        ("FindFileByName library/v1/book.proto", "owner", "the readers"),
    ],
)
def test_options_of_every_kind_of_element_know_the_pools_own_extensions(
    descriptors: Descriptors, element: str, extension: str, value: object
) -> None:
    find, name = element.split()
    options: Any = descriptors.options(getattr(descriptors.pool, find)(name))
    assert options.Extensions[descriptors.pool.FindExtensionByName(f"house.v1.{extension}")] == value


def test_options_of_messages_enum_values_and_extensions_know_them_too(descriptors: Descriptors) -> None:
    pool: Any = descriptors.pool
    book: Any = descriptors.options(pool.FindMessageTypeByName("library.v1.Book"))
    assert book.Extensions[pool.FindExtensionByName("house.v1.retention")].days == 30
    asia: Any = descriptors.options(pool.FindEnumTypeByName("common.v1.Region").values_by_name["REGION_ASIA"])
    assert asia.Extensions[pool.FindExtensionByName("house.v1.rank")] == 7
    mills: Any = descriptors.options(pool.FindExtensionByName("common.v1.mills"))
    assert mills.debug_redact


def test_options_that_do_not_fit_their_own_declaration_are_unknown_fields() -> None:
    found = with_options(
        declaring("FieldOptions", 60_000, "theirs.flag"), field=DEPRECATED + record(60_000, b"\xff")
    )
    options: Any = found.options(found.pool.FindFieldByName("p.M.f"))
    assert options.deprecated
    assert options.SerializeToString() == DEPRECATED + record(60_000, b"\xff")


class TestFieldBehavior:
    def test_names_are_those_of_google_api(self) -> None:
        for name, number in field_behavior_pb2.FieldBehavior.items():
            assert field_options(record(BEHAVIOR, number)).behavior == {name}

    @pytest.mark.parametrize(
        ("data", "names"),
        [
            pytest.param(record(BEHAVIOR, b"\x02\x03"), {"REQUIRED", "OUTPUT_ONLY"}, id="packed"),
            pytest.param(
                record(BEHAVIOR, 2) + record(BEHAVIOR, 3), {"REQUIRED", "OUTPUT_ONLY"}, id="unpacked"
            ),
            pytest.param(record(BEHAVIOR, 2) + record(BEHAVIOR, 99), {"REQUIRED"}, id="of the future"),
            pytest.param(record(BEHAVIOR, b"\x82\x02\x03"), {"OUTPUT_ONLY"}, id="packed number above 127"),
            pytest.param(record(BEHAVIOR, b"\x02\x82"), {"REQUIRED"}, id="cut"),
            pytest.param(varint(BEHAVIOR << 3 | 5) + b"\x02\0\0\0", set(), id="fixed32"),
            pytest.param(varint(BEHAVIOR << 3 | 3) + varint(BEHAVIOR << 3 | 4), set(), id="group"),
        ],
    )
    def test_is_read_in_every_encoding(self, data: bytes, names: set[str]) -> None:
        assert field_options(data).behavior == names


class TestStrangers:
    """Somebody else's options under our numbers, and bytes that nobody can read."""

    def test_a_users_own_text_under_our_number_is_not_ours(self) -> None:
        theirs = declaring("FieldOptions", FIELD, "house.v1.note")
        data = (
            record(BEHAVIOR, 2)
            + DEPRECATED
            + record(FIELD, ToolFieldOptions(hidden=True).SerializeToString())
        )
        assert field_options(data, theirs) == FieldOptions(behavior=frozenset({"REQUIRED"}), deprecated=True)
        assert field_options(data).hidden

    def test_a_users_own_option_under_our_number_can_be_read_as_theirs(self) -> None:
        found = with_options(declaring("FieldOptions", FIELD, "house.v1.note"), field=record(FIELD, b"hello"))
        options: Any = found.options(found.pool.FindFieldByName("p.M.f"))
        assert options.Extensions[found.pool.FindExtensionByName("house.v1.note")] == "hello"

    def test_a_users_own_method_option_under_our_number_is_not_ours(self) -> None:
        theirs = declaring("MethodOptions", TOOL, "house.v1.note")
        data = record(TOOL, ToolOptions(approval=annotations_pb2.APPROVAL_NEVER).SerializeToString())
        assert method_options(data, theirs) == MethodOptions()
        assert method_options(data).approval is Approval.NEVER

    def test_a_users_own_number_1052_is_no_field_behavior(self) -> None:
        theirs = declaring("FieldOptions", BEHAVIOR, "house.v1.note", of=5)
        assert field_options(record(BEHAVIOR, 2), theirs).behavior == set()

    def test_our_name_with_another_shape_is_read_as_far_as_it_fits(self) -> None:
        theirs = declaring("FieldOptions", FIELD, "broker.v1.field")
        data = record(FIELD, record(1, b"hidden?") + record(2, b"an example"))
        assert field_options(data, theirs) == FieldOptions(example="an example")

    @given(st.binary(max_size=40))
    def test_any_bytes_under_our_numbers_leave_the_rest_readable(self, rubbish: bytes) -> None:
        for number in (BEHAVIOR, FIELD, TOOL):
            assert field_options(DEPRECATED + record(number, rubbish)).deprecated
        assert method_options(b"\x88\x02\x01" + record(TOOL, rubbish)).deprecated

    def test_a_word_that_is_not_utf_8_is_not_read(self) -> None:
        assert field_options(record(FIELD, record(2, b"\xff"))).example is None


class TestToolOptions:
    @pytest.mark.parametrize(
        ("value", "approval"), [(0, None), (1, "never"), (2, "required"), (3, "deny"), (4, "deny")]
    )
    def test_an_approval_that_is_not_known_fails_closed(self, value: int, approval: str | None) -> None:
        assert method_options(record(TOOL, record(4, value))).approval == approval

    @pytest.mark.parametrize(
        ("timeout", "seconds"),
        [((0, 0), None), ((-1, 0), None), ((0, -1), None), ((1, 500_000_000), 1.5), ((0, 1_000_000), 0.001)],
    )
    def test_a_timeout_is_in_seconds_above_0(self, timeout: tuple[int, int], seconds: float | None) -> None:
        duration = duration_pb2.Duration(seconds=timeout[0], nanos=timeout[1])
        assert (
            method_options(record(TOOL, ToolOptions(timeout=duration).SerializeToString())).timeout == seconds
        )

    def test_two_records_are_merged(self) -> None:
        data = record(TOOL, record(1, b"a")) + record(TOOL, record(3, 1))
        assert method_options(data) == MethodOptions(name="a", hidden=True)

    def test_an_idempotency_level_that_is_not_known_is_unknown(self) -> None:
        level = descriptor_pb2.MethodOptions.IDEMPOTENCY_LEVEL_FIELD_NUMBER
        assert method_options(record(level, 9)).idempotency_level == "IDEMPOTENCY_UNKNOWN"
