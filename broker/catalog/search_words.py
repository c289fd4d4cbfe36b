"""Text in any language → the words to search by: stems of English, pairs of Chinese characters."""

import re
import threading
import unicodedata
from functools import cache, lru_cache

from snowballstemmer import stemmer

# Scripts written without spaces: Chinese characters, kana, hangul.
_UNSPACED = "぀-ヿ㐀-䶿一-鿿가-힯"
_RUN = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^A-Za-z\d]+")
_MAX_WORD = 40
"""Characters of a word that count: what is longer is no word, but data."""
_MAX_RUN = 200
"""Characters of a name that are taken apart."""

_STOP_WORDS = """
    a about after again all also am an and any are as at be because been before being but by can cannot
    could did do does doing done each either every for from further had has have having he her here him his
    how i if in into is it its itself just let me might more most must my neither no nor not now of off on
    once one only onto or other our out over own please same shall she should so some such than that the
    their them then there these they this those through to too under until up upon us very want was we were
    what when where whether which while who whom whose why will with within without would yet you your
    的 了 吗 呢 吧 请 我 你 他 她 它 们 是 在 和 与 及
    把 被 给 对 从 到 为 有 这 那 个 一 下 些 什 么 怎 如 何 哪
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""Words that say nothing of what is sought."""


def words(text: str) -> list[str]:
    """The words of a text in order, stop words left out; a name gives its parts and the whole.

    >>> words("Deletes the crypto_key's versions")
    ['delet', 'crypto', 'key', 'version']
    >>> words("a BigQuery job"), words("删除知识库")
    (['bigqueri', 'big', 'queri', 'job'], ['删除', '除知', '知识', '识库', '删', '除', '知', '识', '库'])
    """
    runs = _RUN.findall(unicodedata.normalize("NFKC", text))
    return [word for run in runs for word in (_of_unspaced(run) if _IS_UNSPACED.match(run) else _of_run(run))]


def stems(text: str) -> list[str]:
    """The stems of all words of a text in order, stop words too; where there are no spaces, all short pieces.

    >>> stems("Turn on the SSLCertificates"), stems("虚拟机")
    (['turn', 'on', 'the', 'ssl', 'certif'], ['虚拟机', '虚拟', '拟机'])
    """
    runs = _RUN.findall(unicodedata.normalize("NFKC", text).replace("_", " "))
    return [one for run in runs for one in (_pieces(run) if _IS_UNSPACED.match(run) else _stems_of(run))]


def _pieces(run: str) -> list[str]:
    ends = ((at, at + length) for at in range(len(run)) for length in (4, 3, 2))
    return [run[at:end] for at, end in ends if end <= len(run)]


@lru_cache(maxsize=65_536)
def _stems_of(run: str) -> tuple[str, ...]:
    return tuple(stem(part[:_MAX_WORD].lower()) for part in _PART.findall(run[:_MAX_RUN]))


def _of_unspaced(run: str) -> list[str]:
    pairs = [run[at : at + 2] for at in range(len(run) - 1)]
    return pairs + [character for character in run if character not in STOP_WORDS]


@lru_cache(maxsize=65_536)
def _of_run(run: str) -> tuple[str, ...]:
    parts = _PART.findall(run[:_MAX_RUN])
    lowered = (part.lower() for part in (parts if len(parts) == 1 else [run, *parts]))
    return tuple(stem(word[:_MAX_WORD]) for word in lowered if len(word) > 1 and word not in STOP_WORDS)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """A word in lower case without its English ending, by Porter's second stemmer.

    >>> stem("policies"), stem("scheduling")
    ('polici', 'schedul')
    """
    with _STEMMING:
        return str(_english().stemWord(word))


@cache
def _english():  # type: ignore[no-untyped-def] # the package has no types
    return stemmer("english")


_STEMMING = threading.Lock()
"""The stemmer keeps the word that it works on."""
