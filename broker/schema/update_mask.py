"""The paths of an update mask → the same, in the .proto's spelling, when each is of the resource.

https://google.aip.dev/134: the mask stands beside the resource, and its paths are relative to that.
"""

from collections.abc import Mapping, Sequence

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from broker.descriptors.options import FieldOptions
from broker.descriptors.pool import Descriptors
from broker.schema import kinds
from broker.schema.field_masks import decode_written, snake
from broker.schema.notes import then
from broker.schema.problems import Refused, listed, plain, quoted, suggestion
from broker.schema.scalars import Decode

_NAME = "update_mask"
_WHOLE = "*"
_FIXED = frozenset({"IMMUTABLE", "IDENTIFIER"})


def resource_of(field: FieldDescriptor) -> FieldDescriptor | None:
    """The field of the resource that an update mask is about; None where that is not certain."""
    message = field.containing_type
    if field.name != _NAME or message is None or not kinds.is_partial_update(message):
        return None
    others = [one for one in message.fields if one.message_type is not None and one is not field]
    resources = [one for one in others if not _is_opaque(one)]
    return resources[0] if len(resources) == 1 else None


def checked(resource: FieldDescriptor, descriptors: Descriptors) -> Decode:
    """The decoder of a mask whose paths must be of the resource."""

    def in_place(mask: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        return {"paths": [_path(path, resource, descriptors) for path in mask["paths"]]}

    return then(decode_written, in_place)


def writable(resource: FieldDescriptor, descriptors: Descriptors) -> list[str]:
    """The paths of one step that a mask may name: the fields of the resource that can be changed."""
    message = resource.message_type
    if message is None or descriptors.field_options(resource).hidden:
        return []
    own = descriptors.message_options(message).resource
    name = None if own is None else own.name_field
    return [
        field.name
        for field in descriptors.fields(message)
        if field.name != name and _is_writable(descriptors.field_options(field))
    ]


def _is_writable(options: FieldOptions) -> bool:
    return kinds.is_offered(options, required=False) and not options.behavior & _FIXED


def _path(path: str, resource: FieldDescriptor, descriptors: Descriptors) -> str:
    """The path in the .proto's spelling; raises Refused where a step of it is no field."""
    message: Descriptor | None = resource.message_type
    steps = path.split(".")
    for place, step in enumerate(steps):
        # What lies in a map or a dynamic value is the service's own, and so is what is no name.
        if message is None or step == _WHOLE or not step.isidentifier():
            break
        fields = descriptors.fields(message)
        field = _field(fields, step)
        if field is None:
            raise Refused(_no_field(path, place, [one.name for one in fields], message, resource))
        steps[place] = field.name
        if field.is_repeated and not kinds.is_map(field):
            return ".".join([*steps[: place + 1], *map(snake, steps[place + 1 :])])
        message = None if _is_opaque(field) else field.message_type
        if message is None and field.message_type is None and not field.is_repeated and steps[place + 1 :]:
            raise Refused(
                f"{quoted(path)}: {field.name} has no fields. Send {quoted('.'.join(steps[: place + 1]))}."
            )
    return ".".join(steps)


def _field(fields: Sequence[FieldDescriptor], step: str) -> FieldDescriptor | None:
    for field in fields:
        if field.name == step:
            return field
    spelled = [field for field in fields if plain(field.name) == plain(step) or field.json_name == step]
    return spelled[0] if len(spelled) == 1 else None


def _no_field(
    path: str, place: int, names: Sequence[str], message: Descriptor, resource: FieldDescriptor
) -> str:
    step, rest = path.split(".")[place], path.split(".")[1:]
    if place == 0 and plain(step) == plain(resource.name):
        cure = f" Paths begin in {message.name}: send {quoted('.'.join(rest) or _WHOLE)}."
    else:
        cure = suggestion(step, names)
    return f"{quoted(path)}: {message.name} has no field {quoted(step)}.{cure} Fields: {listed(names, step)}."


def _is_opaque(field: FieldDescriptor) -> bool:
    message = field.message_type
    well_known = message is not None and message.full_name.startswith("google.protobuf.")
    return well_known or field.is_repeated
