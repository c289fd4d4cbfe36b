"""Loaded files → a linked pool of their own, with the services on offer, their comments and options."""

import functools
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from broker.descriptors import request_streams
from broker.descriptors.bare import AnyDescriptor, bare_message, bare_options
from broker.descriptors.comments import comments_of
from broker.descriptors.options import (
    FieldOptions,
    MessageOptions,
    MethodOptions,
    foreign_numbers,
    read_field_options,
    read_message_options,
    read_method_options,
    read_oneof_options,
)
from broker.descriptors.resources import patterns_of
from broker.descriptors.rules import RuleReader
from broker.descriptors.runtime import runtime_file, shape, well_known_types
from broker.descriptors.sources import Loaded, quoted
from broker.descriptors.visibility import Visibility
from broker.errors import DescriptorError

_MAX_LISTED = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Descriptors:
    """What a backend's .proto files say."""

    pool: DescriptorPool
    """Holds this backend's files and no other's."""
    services: tuple[ServiceDescriptor, ...]
    """Those on offer, by full name."""
    comments: dict[str, str] = field(repr=False)
    """Raw comments by full name; an enum value's is under its enum, `weather.v1.Units.UNITS_METRIC`."""
    trusted: bool
    """False: from a reflected server, whose options may only tighten."""
    resource_patterns: Mapping[str, tuple[str, ...]] = field(repr=False)
    """The patterns of the names of resources, by type."""
    _foreign: frozenset[int] = field(repr=False)
    _rules: RuleReader = field(repr=False)
    _visibility: Visibility = field(repr=False)
    _field_options: dict[FieldDescriptor, FieldOptions] = field(default_factory=dict, init=False, repr=False)
    _message_options: dict[Descriptor, MessageOptions] = field(default_factory=dict, init=False, repr=False)
    _method_options: dict[MethodDescriptor, MethodOptions] = field(
        default_factory=dict, init=False, repr=False
    )

    _request_streams: dict[str, Descriptor] = field(default_factory=dict, init=False, repr=False)

    @property
    def has_rules(self) -> bool:
        """Whether the files can hold rules of protovalidate at all."""
        return self._rules.knows_rules

    @functools.cached_property
    def validator(self) -> Any:
        """A protovalidate.Validator for this pool's messages; None: the extra [validate] is not installed."""
        # It keeps what it makes of a type, so that each pool has its own; and it takes a while to load.
        if find_spec("protovalidate") is None:
            return None
        return import_module("protovalidate").Validator()

    def request_type(self, method: MethodDescriptor) -> Descriptor:
        """Return what the arguments of a call stand for: the request, or a message that lists its stream."""
        message = method.input_type
        if not method.client_streaming:
            return message
        if message.full_name not in self._request_streams:
            self._request_streams[message.full_name] = self._listing(message)
        return self._request_streams[message.full_name]

    def _listing(self, message: Descriptor) -> Descriptor:
        made = request_streams.add_request_stream(self.pool, message)
        messages = made.fields_by_name[request_streams.MESSAGES]
        self._field_options[messages] = request_streams.OPTIONS
        # Else they would be read together with those of its field, in place of what is said here.
        self._message_options[made] = MessageOptions()
        self.comments[messages.full_name] = request_streams.COMMENT
        return made

    def message_class(self, message: Descriptor) -> type[Message]:
        """Return the class of `message`, made on first use."""
        return GetMessageClass(message)

    def field_options(self, field: FieldDescriptor) -> FieldOptions:
        """Return what the options of `field` say."""
        if field not in self._field_options:
            if field.is_extension or field.containing_type is None:
                options = read_field_options(bare_options(field), self._foreign, self._rules)
                self._field_options[field] = self._visibility.applied(field, options)
            else:
                self._read(field.containing_type)
        return self._field_options[field]

    def fields(self, message: Descriptor) -> list[FieldDescriptor]:
        """Return the fields of `message` without those that are withheld from models."""
        return [field for field in message.fields if not self.field_options(field).withheld]

    def message_options(self, message: Descriptor) -> MessageOptions:
        """Return what the options of `message` say."""
        if message not in self._message_options:
            self._read(message)
        return self._message_options[message]

    def method_options(self, method: MethodDescriptor) -> MethodOptions:
        """Return what the options of `method` say."""
        if method not in self._method_options:
            self._method_options[method] = read_method_options(bare_options(method), self._foreign)
        return self._method_options[method]

    def withheld(self, method: MethodDescriptor) -> tuple[str, str] | None:
        """Return the full name and the restriction of what keeps `method` from models; None: nothing does."""
        return self._visibility.withheld_of(method, self.method_options(method))

    def withholds_type(self, message: Descriptor) -> bool:
        """Return whether messages of this type are kept from models."""
        return self._visibility.withholds_type(message)

    def options(self, descriptor: AnyDescriptor) -> Message:
        """Return an element's options as a message of the pool's own classes, which know every custom option.

        Options that do not fit their own declarations come as a message that knows no extension.
        """
        bare: Message = bare_options(descriptor)
        with suppress(KeyError, DecodeError):
            own = self.message_class(self.pool.FindMessageTypeByName(bare.DESCRIPTOR.full_name))
            return own.FromString(bare.SerializeToString())
        return bare

    def _read(self, message: Descriptor) -> None:
        """Read the options of a message and of all its fields: one copy of it serves them all."""
        proto = bare_message(message)
        read = self._foreign, self._rules
        self._message_options[message] = read_message_options(proto.options, *read)
        asked = {
            oneof.index
            for oneof in message.oneofs
            if oneof.has_options and read_oneof_options(proto.oneof_decl[oneof.index].options, *read)
        }
        rules = self._message_options[message].rules
        grouped = {name for group in (() if rules is None else rules.groups) for name in group.fields}
        for one in message.fields:
            oneof = one.containing_oneof
            options = read_field_options(
                proto.field[one.index].options,
                *read,
                in_required_oneof=oneof is not None and oneof.index in asked,
                in_group=one.name in grouped,
            )
            self._field_options[one] = self._visibility.applied(one, options)


def link(
    loaded: Loaded, *, comments: Mapping[str, str] | None = None, visibility: Collection[str] = ()
) -> Descriptors:
    """Link the files in a pool of their own; `comments` (by full name) go before those of the files.

    `visibility`: the labels of google.api.visibility whose elements models see.
    Imports of google/protobuf that are missing come from the runtime. Raises DescriptorError.
    """
    pool = DescriptorPool()
    for file in _sorted(_complete(loaded.files.file)):
        _add(pool, file)
    _add_descriptor_file(pool)
    _check_well_known(pool)
    found, foreign = comments_of(loaded), foreign_numbers(pool)
    return Descriptors(
        pool=pool,
        services=tuple(_service(pool, name) for name in sorted(set(loaded.services))),
        comments={**found, **({} if comments is None else comments)},
        trusted=loaded.trusted,
        resource_patterns=patterns_of(loaded.files),
        _foreign=foreign,
        _rules=RuleReader(pool),
        _visibility=Visibility(visibility, foreign),
    )


def _complete(given: Iterable[FileDescriptorProto]) -> dict[str, FileDescriptorProto]:
    files: dict[str, FileDescriptorProto] = {}
    for file in given:
        known = files.setdefault(file.name, file)
        if known is not file and known != file:
            raise DescriptorError(
                f"two different files are named {quoted(file.name)}; give them different import names"
            )
    unread = list(files.values())
    while unread:
        for name in unread.pop().dependency:
            supplied = None if name in files else runtime_file(name)
            if supplied is not None:
                files[name] = supplied
                unread.append(supplied)
    return files


def _sorted(files: Mapping[str, FileDescriptorProto]) -> list[FileDescriptorProto]:
    """Sort the files so that each comes after those that it imports."""
    missing = [
        f"{quoted(file.name)} imports {quoted(name)}"
        for file in files.values()
        for name in file.dependency
        if name not in files
    ]
    if missing:
        raise DescriptorError(
            f"{_listed(missing)}, which the descriptors do not hold; "
            "make the protoset with protoc --include_imports, or with buf build"
        )
    try:
        order = list(
            TopologicalSorter({name: file.dependency for name, file in files.items()}).static_order()
        )
    except CycleError as error:
        cycle = " imports ".join(quoted(name) for name in reversed(error.args[1]))
        raise DescriptorError(f"files import each other: {cycle}; take one of the imports away") from None
    return [files[name] for name in order]


def _listed(facts: list[str]) -> str:
    more = f" and {len(facts) - _MAX_LISTED} more" if len(facts) > _MAX_LISTED else ""
    return ", ".join(facts[:_MAX_LISTED]) + more


def _add(pool: DescriptorPool, file: FileDescriptorProto) -> None:
    try:
        pool.Add(file)
    except TypeError as error:
        reason = str(error).removeprefix("Couldn't build proto file into descriptor pool: ")
        raise DescriptorError(
            f"{quoted(file.name)} cannot be linked: {quoted(reason)}; "
            "compile it with a current protoc, which says where the fault is"
        ) from error


def _add_descriptor_file(pool: DescriptorPool) -> None:
    # It is there already when something imports it; servers that rename files have it under another name.
    with suppress(TypeError):
        pool.AddSerializedFile(descriptor_pb2.DESCRIPTOR.serialized_pb)


def _check_well_known(pool: DescriptorPool) -> None:
    """Refuse a google.protobuf.Timestamp that is none: all that follows trusts its shape."""
    for expected in well_known_types():
        with suppress(KeyError):
            found = pool.FindMessageTypeByName(expected.full_name)
            if shape(found) != shape(expected):
                raise DescriptorError(
                    f"{quoted(found.file.name)} defines {expected.full_name} otherwise than protobuf does; "
                    "rename that message, or take protobuf's own file"
                )


def _service(pool: DescriptorPool, name: str) -> ServiceDescriptor:
    try:
        return pool.FindServiceByName(name)
    except KeyError:
        raise DescriptorError(
            f"the service {quoted(name)} is on offer, but no file defines it; give its .proto or a protoset"
        ) from None
