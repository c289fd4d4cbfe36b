"""Options of google.api and google.longrunning → what they say of a method."""

import re

from broker.descriptors.bare import Unknown, joined, parts, texts

HTTP = 72295728
"""The number of google.api.http."""
OPERATION = 1049
"""The number of google.longrunning.operation_info."""
SIGNATURE = 1051
"""The number of google.api.method_signature."""

# By the number of HttpRule's field. https://github.com/googleapis/googleapis/blob/master/google/api/http.proto
_VERBS = {2: "GET", 3: "PUT", 4: "POST", 5: "DELETE", 6: "PATCH"}


def read_verb(unknown: Unknown) -> str | None:
    """Read the HTTP method under which a gateway offers the method; None: nothing is said of it."""
    rule = parts(joined(unknown, HTTP)) if HTTP in unknown else {}
    return next((verb for number, verb in _VERBS.items() if number in rule), None)


def read_signature(unknown: Unknown) -> tuple[str, ...]:
    """Read the fields of the request that the first signature has, in its order; none: there is no signature.

    Of a path the first step counts: `book.name,title` has `book` and `title`.
    """
    first = next(texts(unknown, SIGNATURE), "")
    return tuple(dict.fromkeys(path.strip().partition(".")[0] for path in first.split(",") if path.strip()))


def read_operation(unknown: Unknown) -> dict[str, str | None]:
    """Read the types of what a long-running operation comes to, and of what is told of its progress."""
    if OPERATION not in unknown:
        return {}
    # google.longrunning.OperationInfo, whose module brings others and takes longer to load than most protos.
    info = parts(joined(unknown, OPERATION))
    return {
        "operation_result": _type_name(next(texts(info, 1), "")),
        "operation_metadata": _type_name(next(texts(info, 2), "")),
    }


def _type_name(said: str) -> str | None:
    # A reflected server can say anything here.
    return said if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]{0,199}", said) else None
