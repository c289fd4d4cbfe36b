"""The descriptors of all backends → one frozen, ordered list of tools, by name."""

import difflib
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from google.protobuf.message import Message

from broker.descriptors.pool import Descriptors
from broker.errors import CatalogError
from broker.schema.content import Content, message_reader, stream_reader
from broker.schema.decode import Decoder
from broker.schema.encode import Encoder
from broker.schema.media import chunk_field, may_hold_files
from broker.schema.profiles import PROFILES, render
from broker.tool import Tool

_LIKELY = 200
"""So many names are compared letter by letter."""
_HIDE = "Leave the method out with `hide`."


class Catalog:
    """The tools on offer. Their definitions and codecs are made on first use and kept here."""

    def __init__(
        self, tools: Sequence[Tool], descriptors: Mapping[str, Descriptors], left_out: Mapping[str, str]
    ) -> None:
        """`descriptors` are by name of backend; the names of `tools` differ."""
        self._tools = {tool.name: tool for tool in tools}
        self._descriptors = descriptors
        self._decoders = {backend: Decoder(found) for backend, found in descriptors.items()}
        self._decode: dict[str, Callable[[str], Message]] = {}
        self._encoders = {backend: Encoder(found) for backend, found in descriptors.items()}
        self._readers: dict[str, Callable[[Any], Content]] = {}
        self._definitions: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._left_out = dict(left_out)

    @property
    def left_out(self) -> Mapping[str, str]:
        """Methods that are exposed and are not offered all the same: full name → why."""
        return MappingProxyType(self._left_out)

    def __len__(self) -> int:
        return len(self._tools)

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def get(self, name: str) -> Tool | None:
        """The tool that models call by this name; None where there is none."""
        return self._tools.get(name)

    def nearest(self, name: str, limit: int = 5) -> list[str]:
        """The names most like a name that does not exist, best first."""
        wanted = _segments(name[:128])
        # difflib compares letter by letter, which takes a second for thousands of names.
        likely = heapq.nlargest(_LIKELY, self._tools, key=lambda known: len(wanted & _segments(known)))
        return difflib.get_close_matches(name[:128], likely, n=limit, cutoff=0.5)

    def tools(self, profile: str = "openai") -> list[dict[str, Any]]:
        """All definitions in one provider's form, ready for its `tools=`.

        `profile` is one of `broker.schema.profiles.PROFILES`; another one raises KeyError. A tool that no
        provider would accept is left out, and `left_out` says why: one of them must not take the others down.
        """
        definitions = (self.definition(tool, profile) for tool in self)
        return [definition for definition in definitions if definition is not None]

    def definition(self, tool: Tool, profile: str = "openai") -> dict[str, Any] | None:
        """One tool's definition in one provider's form; None when it cannot be had, as `left_out` says."""
        if profile not in PROFILES:
            raise KeyError(profile)
        key = (tool.name, profile)
        if key not in self._definitions:
            self._definitions[key] = self._render(tool, profile)
        return self._definitions[key]

    def _render(self, tool: Tool, profile: str) -> dict[str, Any] | None:
        try:
            # What no codec takes is not offered either.
            self.decoder(tool)
            self.reader(tool)
            return render(tool, self.descriptors(tool), profile)
        except CatalogError as error:
            self._left_out[tool.full_name] = str(error)
        except RecursionError:
            self._left_out[tool.full_name] = f"its messages lie too deep in each other. {_HIDE}"
        except Exception as error:  # noqa: BLE001 - a bug that one tool brings out must not take the others down
            self._left_out[tool.full_name] = (
                f"{type(error).__name__}: {error}; this should not happen. {_HIDE}"
            )
        return None

    def without(self, reasons: Mapping[str, str]) -> "Catalog":
        """The same without some tools: name of each → why it is not offered."""
        gone = {self._tools[name].full_name: reason for name, reason in reasons.items()}
        kept = [tool for tool in self if tool.name not in reasons]
        return Catalog(kept, self._descriptors, {**self._left_out, **gone})

    def descriptors(self, tool: Tool) -> Descriptors:
        """What the .proto files of the tool's backend say."""
        return self._descriptors[tool.backend]

    def decoder(self, tool: Tool) -> Callable[[str], Message]:
        """Arguments as JSON text → the tool's request, or all of its stream in one message."""
        decode = self._decode.get(tool.name)
        if decode is None:
            request = self.descriptors(tool).request_type(tool.method)
            decode = self._decode[tool.name] = self._decoders[tool.backend].compile(request)
        return decode

    def reader(self, tool: Tool) -> Callable[[Any], Content]:
        """The tool's response, or its `Stream` of them → what a model reads."""
        read = self._readers.get(tool.name)
        if read is None:
            read = self._readers[tool.name] = self._reader(tool)
        return read

    def _reader(self, tool: Tool) -> Callable[[Any], Content]:
        response = tool.method.output_type
        encode = self._encoders[tool.backend].compile(response)
        if tool.method.server_streaming:
            return stream_reader(encode, chunk_field(response))
        return message_reader(encode, may_hold_files(response, self.descriptors(tool)))


def _segments(name: str) -> set[str]:
    return set(name.lower().split("_"))
