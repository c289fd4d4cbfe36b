"""Rules of strings and bytes → what they say."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from broker.descriptors.rules import Rules
from broker.schema.constraints import Piece, examples, named, none_of, one_of
from broker.schema.patterns import literal, portable

_FORMATS: Mapping[str, str] = {
    "email": "email",
    "hostname": "hostname",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "uri": "uri",
    "uri_ref": "uri-reference",
    "uuid": "uuid",
}
_KINDS: Mapping[str, str] = {
    "ip": "An IP address, v4 or v6.",
    "address": "A host name or an IP address.",
    "tuuid": "A UUID without hyphens.",
    "ulid": "A ULID.",
    "ip_with_prefixlen": "An IP address with the length of its prefix, e.g. 192.0.2.1/24.",
    "ipv4_with_prefixlen": "An IPv4 address with the length of its prefix, e.g. 192.0.2.1/24.",
    "ipv6_with_prefixlen": "An IPv6 address with the length of its prefix, e.g. 2001:db8::1/64.",
    "ip_prefix": "An IP prefix, e.g. 192.0.2.0/24.",
    "ipv4_prefix": "An IPv4 prefix, e.g. 192.0.2.0/24.",
    "ipv6_prefix": "An IPv6 prefix, e.g. 2001:db8::/32.",
    "host_and_port": "A host and a port, e.g. example.com:443.",
    "protobuf_fqn": "A full name in protobuf, e.g. package.Message.",
    "protobuf_dot_fqn": "A full name in protobuf with a dot before it, e.g. .package.Message.",
}
_HEADERS: Mapping[float, Piece] = {
    1: Piece(words="The name of an HTTP header.", refuses_zero=True),
    2: Piece(words="The value of an HTTP header."),
}


def string_pieces(rules: Rules) -> Iterator[Piece]:
    """What the rules of a string say."""
    const = rules.text("const")
    if const is not None:
        yield one_of([const], "")
    texts = [one for one in rules.several("in") if isinstance(one, str)]
    if texts:
        yield one_of(texts, "")
    if refused := rules.several("not_in"):
        yield none_of(refused, "")
    yield from _lengths(rules)
    yield from _patterns(rules)
    yield from _formats(rules)
    if found := rules.several("example"):
        yield examples(found)


def _lengths(rules: Rules) -> Iterator[Piece]:
    exact = _count(rules, "len")
    least, most = (exact if exact is not None else _count(rules, name) for name in ("min_len", "max_len"))
    # Both count code points.
    if least:
        yield Piece(keywords={"minLength": least}, refuses_zero=True)
    if most is not None:
        yield Piece(keywords={"maxLength": most})
    if (words := _bytes_in_words(rules, "len_bytes", "min_bytes", "max_bytes")) is not None:
        yield Piece(words=words.words.replace(".", " in UTF-8."), refuses_zero=words.refuses_zero)


def _patterns(rules: Rules) -> Iterator[Piece]:
    """A schema has one pattern: the first that can be one; the others are said in words."""
    taken = False
    for pattern, words, refuses_empty in _expressions(rules):
        if pattern is not None and not taken:
            taken = True
            yield Piece(keywords={"pattern": pattern}, refuses_zero=refuses_empty)
        else:
            yield Piece(words=words, refuses_zero=refuses_empty)
    if (text := rules.text("not_contains")) is not None:
        yield Piece(words=f"Must not contain {named([text])}.")


def _expressions(rules: Rules) -> Iterator[tuple[str | None, str, bool]]:
    """Each as a pattern, in words, and whether it refuses the empty text."""
    if (pattern := rules.text("pattern")) is not None:
        made = portable(pattern)
        yield made, f"Must match {named([pattern])}.", _refuses_empty(made)
    for name, before, after, words in (
        ("prefix", "^", "", "Must start with {}."),
        ("suffix", "", "$", "Must end with {}."),
        ("contains", "", "", "Must contain {}."),
    ):
        if text := rules.text(name):
            escaped = literal(text)
            made = None if escaped is None else f"{before}{escaped}{after}"
            yield made, words.format(named([text])), True


def _refuses_empty(pattern: str | None) -> bool:
    """Whether an empty text does not fit; False where it cannot be told at once."""
    # Alternatives that are all empty take a backtracking search exponentially long.
    return pattern is not None and "|" not in pattern and re.search(pattern, "") is None


def _formats(rules: Rules) -> Iterator[Piece]:
    for name, known in _FORMATS.items():
        if rules.flag(name):
            # A reference may be empty.
            yield Piece(keywords={"format": known}, refuses_zero=name != "uri_ref")
    for name, words in _KINDS.items():
        if rules.flag(name):
            yield Piece(words=words, refuses_zero=True)
    if (header := _HEADERS.get(rules.number("well_known_regex") or 0)) is not None:
        yield header


_BYTES: Mapping[str, str] = {
    "ip": "4 or 16 bytes, an IP address.",
    "ipv4": "4 bytes, an IPv4 address.",
    "ipv6": "16 bytes, an IPv6 address.",
    "uuid": "16 bytes, a UUID.",
}


def bytes_pieces(rules: Rules) -> Iterator[Piece]:
    """What the rules of bytes say: in words, since a schema sees their base64."""
    const = rules.values.get("const")
    if isinstance(const, bytes):
        yield Piece(words=f"Always {_base64([const])}.", refuses_zero=const != b"")
    for name, words in (("in", "One of {}."), ("not_in", "Not {}.")):
        if values := rules.several(name):
            yield Piece(
                words=words.format(_base64(values)), refuses_zero=(b"" in values) == (name == "not_in")
            )
    if (size := _bytes_in_words(rules, "len", "min_len", "max_len")) is not None:
        yield size
    if (pattern := rules.text("pattern")) is not None:
        yield Piece(
            words=f"As text, must match {named([pattern])}.", refuses_zero=_refuses_empty(portable(pattern))
        )
    for name, words in (
        ("prefix", "Must start with {}."),
        ("suffix", "Must end with {}."),
        ("contains", "Must contain {}."),
    ):
        value = rules.values.get(name)
        if isinstance(value, bytes) and value:
            yield Piece(words=words.format(_base64([value])), refuses_zero=True)
    yield from (Piece(words=words, refuses_zero=True) for name, words in _BYTES.items() if rules.flag(name))


def _base64(values: Sequence[Any]) -> str:
    return f"{named([base64.b64encode(one).decode() for one in values if isinstance(one, bytes)])} (base64)"


def _bytes_in_words(rules: Rules, exact: str, least: str, most: str) -> Piece | None:
    size = _count(rules, exact)
    low, high = (size if size is not None else _count(rules, name) for name in (least, most))
    if low is not None and low == high:
        return Piece(words=f"Exactly {low} bytes.", refuses_zero=low > 0)
    if low and high is not None:
        return Piece(words=f"{low} to {high} bytes.", refuses_zero=True)
    if low:
        return Piece(words=f"At least {low} bytes.", refuses_zero=True)
    return None if high is None else Piece(words=f"At most {high} bytes.")


def _count(rules: Rules, name: str) -> int | None:
    value = rules.number(name)
    return value if isinstance(value, int) else None
