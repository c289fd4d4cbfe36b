"""Files in any order and of any quality → a pool of their own, or a reason why not."""

from itertools import permutations
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, struct_pb2, timestamp_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from hypothesis import given
from hypothesis import strategies as st

from broker.descriptors.pool import Descriptors, link
from broker.descriptors.runtime import shape, well_known_types
from broker.descriptors.sources import Loaded
from broker.errors import DescriptorError


def loaded(*files: FileDescriptorProto, services: tuple[str, ...] = ()) -> Loaded:
    return Loaded(files=FileDescriptorSet(file=files), services=services, trusted=True)


def file(name: str, *imports: str, **more: Any) -> FileDescriptorProto:
    return FileDescriptorProto(name=name, dependency=imports, syntax="proto3", **more)


def with_message(name: str, message: str, of: str, *imports: str) -> FileDescriptorProto:
    made = file(name, *imports, package="p")
    made.message_type.add(name=message).field.add(
        name="f", number=1, type="TYPE_MESSAGE", label=1, type_name=of
    )
    return made


DIAMOND = (
    with_message("top.proto", "Top", ".p.Left", "left.proto", "right.proto"),
    with_message("left.proto", "Left", ".p.Bottom", "bottom.proto"),
    with_message("right.proto", "Right", ".p.Bottom", "bottom.proto"),
    with_message("bottom.proto", "Bottom", ".google.protobuf.Timestamp", "google/protobuf/timestamp.proto"),
)


@pytest.mark.parametrize("files", list(permutations(DIAMOND)))
def test_links_a_diamond_of_imports_in_any_order(files: tuple[FileDescriptorProto, ...]) -> None:
    found: Any = link(loaded(*files)).pool.FindMessageTypeByName("p.Top")
    for step in ("p.Left", "p.Bottom", "google.protobuf.Timestamp"):
        found = found.fields_by_name["f"].message_type
        assert found.full_name == step


@given(st.permutations(["c.S", "a.S", "b.S", "a.S"]))
def test_services_come_in_one_order_whatever_the_order_they_were_found_in(names: list[str]) -> None:
    files = [file(f"{package}.proto", package=package) for package in "bac"]
    for made in files:
        made.service.add(name="S")
    found = link(loaded(*files, services=tuple(names)))
    assert [service.full_name for service in found.services] == ["a.S", "b.S", "c.S"]


def test_two_backends_may_have_different_files_of_one_name() -> None:
    first, second = (
        link(loaded(with_message("common.proto", name, ".p.M", "m.proto"), message())) for name in "AB"
    )
    assert first.pool.FindMessageTypeByName("p.A").file.name == "common.proto"
    assert second.pool.FindMessageTypeByName("p.B").file.name == "common.proto"
    with pytest.raises(KeyError):
        first.pool.FindMessageTypeByName("p.B")
    ours, theirs = (found.message_class(found.pool.FindMessageTypeByName("p.M")) for found in (first, second))
    assert ours is not theirs


def message() -> FileDescriptorProto:
    made = file("m.proto", package="p")
    made.message_type.add(name="M")
    return made


def test_does_not_change_what_was_loaded(compiled: Loaded) -> None:
    before = compiled.files.SerializeToString(deterministic=True)
    assert link(compiled).comments == link(compiled).comments
    assert compiled.files.SerializeToString(deterministic=True) == before


def test_the_same_file_twice_is_one_file() -> None:
    assert link(loaded(message(), message())).pool.FindMessageTypeByName("p.M")


def test_reads_editions(descriptors: Descriptors) -> None:
    country = descriptors.pool.FindMessageTypeByName("common.v1.Country")
    assert country.fields_by_name["code"].has_presence
    assert not country.fields_by_name["region"].has_presence


def test_the_pool_knows_descriptor_proto_even_when_nothing_imports_it() -> None:
    assert link(loaded(message())).pool.FindMessageTypeByName("google.protobuf.FieldOptions")


def test_descriptor_proto_may_be_there_under_another_name() -> None:
    renamed = FileDescriptorProto()
    descriptor_pb2.DESCRIPTOR.CopyToProto(renamed)
    renamed.name = "google_protobuf.proto"
    options = link(loaded(renamed)).pool.FindMessageTypeByName("google.protobuf.FieldOptions")
    assert options.file.name == "google_protobuf.proto"


def test_message_classes_are_made_once(descriptors: Descriptors) -> None:
    book = descriptors.pool.FindMessageTypeByName("library.v1.Book")
    assert descriptors.message_class(book) is descriptors.message_class(book)


LISTED = [f"x{number:02}.proto" for number in range(12)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(
            loaded(file("a.proto", "b.proto")),
            r"'a\.proto' imports 'b\.proto', which the descriptors do not hold; .*--include_imports",
            id="missing import",
        ),
        pytest.param(
            loaded(file("a.proto", *LISTED)), r"'x09\.proto' and 2 more, which", id="many missing imports"
        ),
        pytest.param(
            loaded(file("a.proto", "b.proto"), file("b.proto", "a.proto")),
            r"import each other: '(a|b)\.proto' imports '(a|b)\.proto' imports '(a|b)\.proto'; take one",
            id="cycle",
        ),
        pytest.param(loaded(file("a.proto", "a.proto")), r"'a\.proto' imports 'a\.proto'; take", id="self"),
        pytest.param(
            loaded(file("a.proto", package="x"), file("a.proto", package="y")),
            r"two different files are named 'a\.proto'; give them different",
            id="one name",
        ),
        pytest.param(
            loaded(with_message("a.proto", "A", ".p.Nothing")),
            r"'a\.proto' cannot be linked: .*p\.Nothing.*; compile it with",
            id="unknown type",
        ),
        pytest.param(
            loaded(
                message(),
                FileDescriptorProto(name="n.proto", package="p", message_type=message().message_type),
            ),
            r"'n\.proto' cannot be linked: .*duplicate symbol",
            id="duplicate symbol",
        ),
        pytest.param(
            loaded(
                FileDescriptorProto(
                    name="a.proto", syntax="editions", edition=descriptor_pb2.EDITION_99999_TEST_ONLY
                )
            ),
            r"'a\.proto' cannot be linked: .*[Ee]dition.*current protoc",
            id="edition of the future",
        ),
        pytest.param(
            loaded(message(), services=("p.S",)),
            r"the service 'p\.S' is on offer, but no file defines it",
            id="undefined service",
        ),
    ],
)
def test_refuses_with_the_name_of_the_file_and_the_cure(given: Loaded, said: str) -> None:
    with pytest.raises(DescriptorError, match=said):
        link(given)


class TestWellKnownTypes:
    def test_all_have_a_shape_of_their_own_runtime(self) -> None:
        types = {message.full_name for message in well_known_types()}
        assert len(types) == 9 + 8
        assert {"google.protobuf.Any", "google.protobuf.Struct", "google.protobuf.UInt64Value"} <= types

    @pytest.mark.parametrize(
        ("of", "change"),
        [
            (timestamp_pb2, {"name": "seconds", "type": FieldDescriptorProto.TYPE_STRING}),
            (timestamp_pb2, {"name": "second"}),
            (timestamp_pb2, {"name": "seconds", "number": 9}),
            (timestamp_pb2, {"name": "seconds", "label": FieldDescriptorProto.LABEL_REPEATED}),
        ],
        ids=["type", "name", "number", "label"],
    )
    def test_refuses_one_of_another_shape(self, of: Any, change: dict[str, Any]) -> None:
        forged = FileDescriptorProto()
        of.DESCRIPTOR.CopyToProto(forged)
        forged.name = "elsewhere.proto"
        forged.message_type[0].field[0].MergeFrom(FieldDescriptorProto(**change))
        with pytest.raises(
            DescriptorError, match=r"'elsewhere.proto' defines google\.protobuf\.Timestamp other"
        ):
            link(loaded(forged))

    def test_refuses_a_struct_without_its_map(self) -> None:
        forged = FileDescriptorProto()
        struct_pb2.DESCRIPTOR.CopyToProto(forged)
        forged.message_type[0].nested_type[0].ClearField("options")
        with pytest.raises(DescriptorError, match=r"defines google\.protobuf\.Struct otherwise"):
            link(loaded(forged))

    def test_takes_them_from_a_file_of_another_name(self) -> None:
        renamed = FileDescriptorProto()
        struct_pb2.DESCRIPTOR.CopyToProto(renamed)
        renamed.name = "elsewhere.proto"
        found = link(loaded(renamed)).pool.FindMessageTypeByName("google.protobuf.Value")
        assert shape(found) == shape(struct_pb2.Value.DESCRIPTOR)
