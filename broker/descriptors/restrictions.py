"""An element's options → for whom google.api.visibility says it is."""

from broker.descriptors.bare import Unknown, joined, parts, texts

VISIBILITY = 72295727
"""The number of google.api.method_visibility, field_visibility and the like."""

RESTRICTIONS = tuple(
    (f"google.protobuf.{options}Options", VISIBILITY, f"google.api.{name}_visibility")
    for options, name in (
        ("Enum", "enum"),
        ("EnumValue", "value"),
        ("Field", "field"),
        ("Message", "message"),
        ("Method", "method"),
        ("Service", "api"),
    )
)
"""What declares that number: the options that are extended, the number, and the full name."""


def read_restriction(unknown: Unknown) -> str:
    """Read the labels, comma-separated, of those who may see the element, from what stands in its options.

    Nothing: everybody may.
    """
    said = list(texts(parts(joined(unknown, VISIBILITY)), 2)) if VISIBILITY in unknown else []
    return said[-1] if said else ""
