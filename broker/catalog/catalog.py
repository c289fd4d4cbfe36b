"""The descriptors of all backends → one frozen, ordered list of tools, by name."""

import difflib
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import orjson

from broker.descriptors.pool import Descriptors
from broker.errors import CatalogError
from broker.schema.content import Content, message_reader, stream_reader
from broker.schema.decode import Decoder, DecodeText
from broker.schema.encode import Encoder
from broker.schema.media import chunk_field, may_hold_files
from broker.schema.profiles import PROFILES, render
from broker.schema.validation import checker
from broker.tool import Prepared, Tool

LeftOut = Mapping[tuple[str, str], str]
"""Backend and full name, which together are a method's identity → why it is not offered."""

_LIKELY = 200
"""So many names are compared letter by letter."""
_HIDE = "Leave the method out with `hide`."


class Catalog:
    """The tools on offer. Their definitions and codecs are made on first use and kept here."""

    def __init__(
        self, tools: Sequence[Tool], descriptors: Mapping[str, Descriptors], left_out: LeftOut
    ) -> None:
        """`descriptors` are by name of backend; the names of `tools` differ."""
        self._tools = {tool.name: tool for tool in tools}
        self._descriptors = descriptors
        self._decoders = {backend: Decoder(found, checker=checker) for backend, found in descriptors.items()}
        self._decode: dict[str, DecodeText] = {}
        self._encoders = {backend: Encoder(found) for backend, found in descriptors.items()}
        self._written = {backend: Encoder(found, files=False) for backend, found in descriptors.items()}
        self._readers: dict[str, Callable[[Any], Content]] = {}
        self._definitions: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._left_out = MappingProxyType(dict(left_out))
        self._refused: dict[str, dict[str, str]] = {profile: {} for profile in PROFILES}

    @property
    def left_out(self) -> LeftOut:
        """Methods that are exposed and have become no tool: backend and full name → why."""
        return self._left_out

    def refused(self, profile: str) -> Mapping[str, str]:
        """Tools that one profile cannot show: name → why. Known of those whose definition was asked for."""
        return MappingProxyType(self._refused[profile])

    def not_offered(self, profile: str = "openai") -> Iterator[tuple[str, str, str]]:
        """Backend, full name and reason of each method that is exposed and that the profile does not show."""
        for (backend, full_name), reason in self._left_out.items():
            yield backend, full_name, reason
        for name, reason in self._refused[profile].items():
            yield *identity(self._tools[name]), reason

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

        `profile` is one of `broker.schema.profiles.PROFILES`; another one raises KeyError. A tool that
        the provider would not accept is not among them, and `refused` says why: it must not take the others
        down.
        """
        definitions = (self.definition(tool, profile) for tool in self)
        return [definition for definition in definitions if definition is not None]

    def definition(self, tool: Tool, profile: str = "openai") -> dict[str, Any] | None:
        """One tool's definition in one provider's form; None when it cannot be had, as `refused` says."""
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
            reason = str(error)
        except RecursionError:
            reason = f"its messages lie too deep in each other. {_HIDE}"
        except Exception as error:  # noqa: BLE001 - a bug that one tool brings out must not take the others down
            reason = f"{type(error).__name__}: {error}; this should not happen. {_HIDE}"
        self._refused[profile][tool.name] = reason
        return None

    def without(self, reasons: Mapping[str, str]) -> "Catalog":
        """The same without some tools: name of each → why it is not offered."""
        gone = {identity(self._tools[name]): reason for name, reason in reasons.items()}
        kept = [tool for tool in self if tool.name not in reasons]
        return Catalog(kept, self._descriptors, {**self._left_out, **gone})

    def descriptors(self, tool: Tool) -> Descriptors:
        """What the .proto files of the tool's backend say."""
        return self._descriptors[tool.backend]

    def decoder(self, tool: Tool) -> DecodeText:
        """Arguments as JSON text → the tool's request, or all of its stream in one message.

        What was not exact is noted in the reading.
        """
        decode = self._decode.get(tool.name)
        if decode is None:
            request = self.descriptors(tool).request_type(tool.method)
            decode = self._decode[tool.name] = self._decoders[tool.backend].compile(request)
        return decode

    def request_json(self, prepared: Prepared) -> str:
        """JSON text: a request as it will be sent, whatever the model wrote for it."""
        tool = prepared.tool
        encode = self._written[tool.backend].compile(self.descriptors(tool).request_type(tool.method))
        return orjson.dumps(encode(prepared.request)).decode()

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


def identity(tool: Tool) -> tuple[str, str]:
    """The tool's backend and full name: its name may change, and one service may be on two backends."""
    return tool.backend, tool.full_name


def _segments(name: str) -> set[str]:
    return set(name.lower().split("_"))
