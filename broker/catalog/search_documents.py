"""A tool → the document by which it is found: the words of its names, comments, fields and enum values."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from google.protobuf.descriptor import Descriptor, EnumDescriptor

from broker.catalog.search_index import Document, Field
from broker.catalog.search_synonyms import phrases
from broker.catalog.search_versions import is_version
from broker.catalog.search_words import stems, words
from broker.descriptors.pool import Descriptors
from broker.schema.descriptions import clean, first_sentence
from broker.tool import Tool

FIELDS: Mapping[str, Field] = {
    "name": Field(weight=3.0, length=0.8),
    "service": Field(weight=2.0, length=0.5),
    "package": Field(weight=1.5, length=0.5),
    "summary": Field(weight=3.0, length=0.5),
    "comment": Field(weight=1.0, length=0.5),
    "service comment": Field(weight=1.2, length=0.5),
    "parameters": Field(weight=1.0, length=0.5),
    "parameter comments": Field(weight=0.7, length=0.5),
    "inner parameters": Field(weight=0.5, length=0.5),
    "innermost parameters": Field(weight=0.3, length=0.5),
    "values": Field(weight=0.5, length=0.5),
    "response": Field(weight=0.15, length=0.5),
    "inner response": Field(weight=0.1, length=0.5),
}
"""What the document of a method consists of."""

SERVICE_FIELDS: Mapping[str, Field] = {
    "said": Field(weight=1.0, length=0.6),
    "fields": Field(weight=0.5, length=0.6),
}
"""What the document of a whole service consists of: how many of its methods have a word."""

_SAID = ("name", "service", "package", "comment", "service comment")
_FIELDS = ("parameters", "parameter comments", "inner parameters", "response")

_MAX_COMMENT = 2_000
_MAX_FIELDS = 100
"""Fields of a message, and values of an enum, that are read."""

_Words = Mapping[str, int]


class Reader:
    """Reads the documents of one backend's tools; what several tools share is read once."""

    def __init__(self, descriptors: Descriptors) -> None:
        self._comments = descriptors.comments
        self._comment = lru_cache(maxsize=None)(self._read_comment)
        self._names = lru_cache(maxsize=None)(_field_names)
        self._field_comments = lru_cache(maxsize=None)(self._read_field_comments)
        self._inner = lru_cache(maxsize=None)(self._read_inner)
        self._values = lru_cache(maxsize=None)(_enum_values)

    def document(self, tool: Tool) -> Document:
        """The document of one tool."""
        method = tool.method
        service, request = method.containing_service, method.input_type
        description = tool.description[:_MAX_COMMENT]
        return {
            "name": _counted_with_phrases(f"{method.name} {_given_name(tool)}"),
            "service": _counted_with_phrases(service.name),
            "package": _counted_with_phrases(_package(service.file.package)),
            "summary": _counted_with_phrases(first_sentence(description)),
            "comment": _counted(description),
            "service comment": self._comment(service.full_name),
            "parameters": self._names(request),
            "parameter comments": self._field_comments(request),
            "inner parameters": self._of_inner(request),
            "innermost parameters": _sum(self._of_inner(message) for message in _messages_in(request)),
            "values": self._of_values(request),
            "response": self._inner(method.output_type),
            "inner response": self._of_inner(method.output_type),
        }

    def _read_comment(self, full_name: str) -> _Words:
        return _counted(clean(self._comments.get(full_name, "")[:_MAX_COMMENT]))

    def _read_field_comments(self, message: Descriptor) -> _Words:
        return _sum(self._comment(field.full_name) for field in message.fields[:_MAX_FIELDS])

    def _read_inner(self, message: Descriptor) -> _Words:
        parts = (self._comment(message.full_name), self._names(message), self._field_comments(message))
        return _sum(parts)

    def _of_inner(self, request: Descriptor) -> _Words:
        return _sum(self._inner(message) for message in _messages_in(request))

    def _of_values(self, request: Descriptor) -> _Words:
        holders = [request, *_messages_in(request)]
        return _sum(
            self._values(field.enum_type)
            for holder in holders
            for field in holder.fields[:_MAX_FIELDS]
            if field.enum_type is not None
        )


def service_document(methods: Sequence[Document]) -> Document:
    """The document of a service: what its methods are about together."""
    return {
        "said": _sum(dict.fromkeys(method[name], 1) for method in methods for name in _SAID),
        "fields": _sum(dict.fromkeys(method[name], 1) for method in methods for name in _FIELDS),
    }


def _counted(text: str) -> _Words:
    return Counter(words(text))


def _counted_with_phrases(text: str) -> _Words:
    return Counter([*words(text), *phrases(stems(text))])


def _sum(parts: Iterable[_Words]) -> _Words:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return total


def _given_name(tool: Tool) -> str:
    """The name that an operator or a .proto gave; a name made of the full name says nothing new."""
    return "" if tool.name.endswith(tool.method.name) else tool.name


def _package(package: str) -> str:
    return " ".join(part for part in package.split(".") if not is_version(part))


def _field_names(message: Descriptor) -> _Words:
    return _counted(" ".join(field.name for field in message.fields[:_MAX_FIELDS]))


def _enum_values(enum: EnumDescriptor) -> _Words:
    return _counted(" ".join(value.name for value in enum.values[:_MAX_FIELDS]))


def _messages_in(message: Descriptor) -> list[Descriptor]:
    types = (field.message_type for field in message.fields[:_MAX_FIELDS])
    return [found for found in types if found is not None]
