"""What goes wrong with a request → ModelError, in words for the one who can mend it, without the key."""

from collections.abc import Mapping
from typing import Any

import httpx2
import openai

from broker.errors import ModelError
from broker.models.refused_tool import refused_tool
from broker.models.text import server_words

FAILURES = (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, TimeoutError, ModelError)
"""All that a request can raise, and `explain` takes."""

_CURES: Mapping[int, str] = {
    400: "It does not accept the request.",
    401: "It does not accept the key. Check `model.api_key`.",
    402: "The account has no credit left.",
    403: "The key may not use this model. Check `model.api_key` and `model.name`.",
    404: "It does not know the model or the address. Check `model.name`, and that `model.base_url` is right: "
    "mostly it ends with `/v1`.",
    413: "The conversation is too long for it.",
    422: "It does not accept the request.",
    429: "It is asked too often, or the account's quota is used up. Try later, or check the account.",
}

_REFUSALS = (400, 413, 422)


class Refusal(ModelError):
    """The server answered with an error; what it said is kept for those who know a way around it."""

    def __init__(self, message: str, error: openai.APIStatusError, refused_tool: str | None) -> None:
        is_refusal = error.status_code in _REFUSALS
        super().__init__(message, is_refusal=is_refusal, refused_tool=refused_tool)
        self.status = error.status_code
        self.words = server_words(error.body)
        body: Mapping[str, Any] = error.body if isinstance(error.body, dict) else {}
        self.code = body.get("code")
        self.param = body.get("param")


def explain(
    error: Exception, server: str, *, timeout: float, key: str | None, body: Mapping[str, Any]
) -> ModelError:
    """`error` is one of FAILURES; `server` is how the message names the one that was asked, with `body`."""
    message = _explain(error, server, timeout)
    if key:
        message = message.replace(key, "***")
    if isinstance(error, openai.APIStatusError):
        is_refusal = error.status_code in _REFUSALS
        tool = refused_tool(error.body, body.get("tools", ())) if is_refusal else None
        return Refusal(message, error, tool)
    return ModelError(message)


def _explain(error: Exception, server: str, timeout: float) -> str:
    match error:
        case openai.APIStatusError():
            return _status(error, server)
        case openai.APITimeoutError() | httpx2.TimeoutException() | TimeoutError():
            cure = "Raise `model.timeout` if it is slow."
            return f"{server} did not finish its answer within {timeout:g} s. {cure}"
        case openai.APIConnectionError():
            cure = "Check that it runs, and that `model.base_url` is right."
            return f"{server} cannot be reached ({_cause(error)}). {cure}"
        case httpx2.HTTPError() | httpx2.StreamError():
            return f"{server} broke off in the middle of its answer ({_cause(error)}). Ask again."
        case _:
            return f"{server} cannot be used. {server_words(str(error))}"


def _status(error: openai.APIStatusError, server: str) -> str:
    status = error.status_code
    cure = _CURES.get(status, "The fault is on its side; try later." if status >= 500 else "")
    if "html" in error.response.headers.get("content-type", ""):
        words = "a page of HTML. Perhaps it is no server of models; check `model.base_url`."
    else:
        # With 401 OpenAI repeats parts of the key.
        words = "" if status == 401 else server_words(error.body)
    said = f"It says: {words}" if words else ""
    return " ".join(part for part in (f"{server} answered {status}.", cure, said) if part)


def _cause(error: BaseException) -> str:
    """The words of the innermost error that has any."""
    causes = [error]
    while causes[-1].__cause__ is not None and len(causes) < 10:
        causes.append(causes[-1].__cause__)
    words = (server_words(str(cause)) for cause in reversed(causes))
    return next((word for word in words if word), type(causes[-1]).__name__)
