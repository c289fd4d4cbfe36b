"""A comment from a .proto → what a model shall read of it, within a budget of characters."""

import functools
import re

MAX_FIELD = 300
"""Characters of a field's description."""

# Third-party text in a prompt: nothing that a terminal or a tokenizer treats specially.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_INTERNAL = re.compile(r"\(--.*?--\)", re.DOTALL)  # https://google.aip.dev/192#internal-comments
_DIRECTIVE = re.compile(
    r"\s*(buf:lint:|@ignore-comment|TODO\b|FIXME\b|NOLINT|api-linter:|clang-format|jsonschema:|\[#|copyright\b)",
    re.IGNORECASE,
)
_RULER = re.compile(r"\s*([-=*#~_/+])\1{2,}\s*$")
_LINK = re.compile(r"\[([^\]\[\n]+)\](?:\([^)\s]*\)|\[[^\]\n]*\])")
_URL = re.compile(r"\[([^\]\[\n]+)\]\((https?://[^)\s]+)\)")
_HTML = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*(?:\s[^<>]*)?/?>")
_SAID_BY_SCHEMA = re.compile(r"^(?:(?:Required|Optional|Output only|Input only)\.\s*)+", re.IGNORECASE)
_LIST_ITEM = re.compile(r"\s*(?:[-*+•]|\d+[.)])\s")
_SENTENCE_END = re.compile(r"(?<=[\w)\"'`][.!?])(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z\"'`(])|(?<=[。!?])")


def readable(text: str, limit: int) -> str:
    """A stranger's words on one line, without control characters, at most so long."""
    return shorten(" ".join(_CONTROL.sub("", text).split()), limit)


@functools.lru_cache(maxsize=4096)  # the same types stand in many tools, and each tool in many profiles
def clean(comment: str, *, links: bool = False) -> str:
    """The comment without what is not for readers, its wrapped lines joined, a line for each list item.

    `links`: the addresses that it names are kept, behind their texts.

    >>> clean(" Required. The publisher, e.g.\\n [Publisher][lib.v1.Publisher].\\n (-- b/123 --)\\n")
    'The publisher, e.g. Publisher.'
    """
    text = _INTERNAL.sub("", _CONTROL.sub("", comment.replace("\r\n", "\n")))
    kept = [line for line in text.split("\n") if not (_DIRECTIVE.match(line) or _RULER.match(line))]
    text = "\n".join(kept)
    text = _HTML.sub("", _LINK.sub(r"\1", _URL.sub(r"\1 (\2)", text) if links else text))
    paragraphs = [_joined(paragraph) for paragraph in re.split(r"\n\s*\n", text)]
    return _SAID_BY_SCHEMA.sub("", "\n\n".join(filter(None, paragraphs))).strip()


def _joined(paragraph: str) -> str:
    lines: list[str] = []
    fenced = False
    for line in paragraph.split("\n"):
        fence = line.strip().startswith("```")
        if lines and not (fenced or fence or _LIST_ITEM.match(line)):
            lines[-1] = f"{lines[-1]} {line.strip()}".strip()
        else:
            lines.append(line.rstrip() if fenced else line.strip())
        fenced ^= fence
    return "\n".join(lines).strip()


def first_paragraph(text: str) -> str:
    """What stands before the first blank line."""
    return text.split("\n\n", 1)[0]


def first_sentence(text: str) -> str:
    """What stands before the second sentence.

    >>> first_sentence("The city, e.g. Paris. In English.")
    'The city, e.g. Paris.'
    """
    return _SENTENCE_END.split(first_paragraph(text), maxsplit=1)[0].strip()


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters: whole sentences where at least one fits, else words.

    >>> shorten("One. Two. Three.", 10)
    'One. Two.'
    """
    if len(text) <= limit:
        return text
    ends = [match.start() for match in _SENTENCE_END.finditer(text[: limit + 100]) if match.start() <= limit]
    if ends:
        return text[: ends[-1]].rstrip()
    words = text[:limit].rpartition(" ")[0]
    return f"{words if words else text[: limit - 1]}…"
