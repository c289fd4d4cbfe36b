"""Message types → the forms of their requests, each made once for all tools and profiles that show it."""

from weakref import WeakKeyDictionary

from google.protobuf.descriptor import Descriptor

from broker.descriptors.pool import Descriptors
from broker.schema.json_schema import Form, input_schema
from broker.schema.kinds import Use

_MAX_KEPT = 4096
"""Forms of one pool. Tools that share types stand side by side, so that few are made again."""

# A catalog that was replaced must not be kept alive by what was made of it.
_kept: WeakKeyDictionary[Descriptors, dict[tuple[str, Use], Form]] = WeakKeyDictionary()


def input_form(message: Descriptor, descriptors: Descriptors, use: Use = Use.WHOLE) -> Form:
    """The same as `input_schema`, which takes longer than all that is made of a form."""
    kept = _kept.setdefault(descriptors, {})
    form = kept.get((message.full_name, use))
    if form is None:
        if len(kept) >= _MAX_KEPT:
            kept.clear()
        form = kept[message.full_name, use] = input_schema(message, descriptors, use)
    return form
