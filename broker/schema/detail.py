"""How much a schema tells: from each field's first paragraph down to no words at all, until it fits."""

from collections.abc import Callable
from dataclasses import dataclass

from broker.schema import descriptions
from broker.schema.forms import Property

MAX_BYTES = 64 * 1024
"""A larger schema loses its explanations, then its depth."""
HARD_MAX_BYTES = 256 * 1024
"""A still larger one is refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Detail:
    """One level of detail."""

    cut: Callable[[str], str]
    """A field's comment → what is kept of it."""
    values: bool = False
    """Whether the values of enums are explained."""
    explained: int = 100
    """Levels whose fields are explained."""
    depth: int = 100
    """Levels of objects; deeper ones are left open."""

    def explain(self, one: Property, level: int) -> list[str]:
        """What is said of a field `level` objects deep, the root being the first."""
        if level > self.explained:
            return []
        return [self.cut(one.comment), *([one.values] if self.values else []), *one.notes]


def _short(comment: str) -> str:
    return descriptions.shorten(descriptions.first_paragraph(comment), descriptions.MAX_FIELD)


WHOLE = (
    Detail(cut=_short, values=True),
    Detail(cut=descriptions.first_sentence),
    Detail(cut=descriptions.first_sentence, explained=2),
    Detail(cut=descriptions.first_sentence, explained=0),
)
"""Every object in full."""
STAGES = (
    *WHOLE,
    *(Detail(cut=descriptions.first_sentence, explained=0, depth=depth) for depth in (8, 6, 5, 4, 3, 2, 1)),
)
"""The same, and then fewer and fewer levels."""


def sentences(*texts: str) -> str:
    """What is said of one thing, as one text; each part with a full stop, since another may follow.

    >>> sentences("The city", "", "E.g. Paris")
    'The city. E.g. Paris.'
    """
    return " ".join(text if text[-1] in ".!?。！？…:" else f"{text}." for text in texts if text)
