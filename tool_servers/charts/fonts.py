"""The fonts of this machine, and which characters none of them has."""

from collections.abc import Iterable, Sequence
from functools import cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

# After the one that is always there, those with Chinese, Japanese and Korean that systems bring.
_WANTED = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "SimHei",
)


@cache
def family() -> Sequence[str]:
    """The names of the fonts that text is drawn with, as far as this machine has them."""
    here = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in _WANTED if name in here]


def missing(texts: Iterable[str], names: Sequence[str]) -> str:
    """The characters that cannot be drawn, each once, in their order.

    >>> missing(["Größe in °C"], ["DejaVu Sans"])
    ''
    """
    drawn = _characters(tuple(names))
    wanted = dict.fromkeys(character for text in texts for character in text if not character.isspace())
    return "".join(character for character in wanted if ord(character) not in drawn)


@cache
def _characters(names: tuple[str, ...]) -> frozenset[int]:
    paths = [font_manager.findfont(name, fallback_to_default=False) for name in names]
    return frozenset().union(*(FT2Font(path).get_charmap() for path in paths))
