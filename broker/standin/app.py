"""The planner → an OpenAI-compatible HTTP server on a loopback address, for the real `openai` client."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date, datetime

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from broker.errors import ConfigError
from broker.standin.asking import BadRequest, read_asking
from broker.standin.completions import MODEL as MODEL
from broker.standin.completions import complete, to_events, to_object
from broker.standin.planner import plan

MAX_BODY = 4 * 1024 * 1024
"""Bytes of a request; more are refused with 413."""
_ROUTES = "there are POST /v1/chat/completions and GET /v1/models"
_GRACE = 5
_MODEL_CARD = {"id": MODEL, "object": "model", "created": 0, "owned_by": "grpc-tool-broker"}


def create_app(*, today: Callable[[], date] = lambda: datetime.now().astimezone().date()) -> Starlette:
    """POST /v1/chat/completions, GET /v1/models; `today` is what "tomorrow" is counted from."""

    async def chat_completions(request: Request) -> Response:
        body = await _read_body(request)
        asking = read_asking(body)
        answer = plan(
            asking.messages,
            asking.tools,
            today=today(),
            tool_choice=asking.tool_choice,
            parallel=asking.parallel,
        )
        completion = complete(answer, len(body))
        if not asking.stream:
            return JSONResponse(to_object(completion))
        events = to_events(completion, include_usage=asking.include_usage)
        return StreamingResponse(
            events, media_type="text/event-stream", headers={"Cache-Control": "no-cache"}
        )

    return Starlette(
        routes=[
            Route("/v1/chat/completions", chat_completions, methods=["POST"]),
            Route("/v1/models", _list_models, methods=["GET"]),
            Route("/v1/models/{model}", _show_model, methods=["GET"]),
        ],
        exception_handlers={BadRequest: _refuse, HTTPException: _refuse_route, Exception: _fail},
    )


@contextlib.asynccontextmanager
async def start(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serves the app in this event loop; yields its base URL, `http://127.0.0.1:PORT/v1`. Port 0: a free one.

    ConfigError: the host is not a loopback address, or the port is taken.
    """
    listener = _listen(host, port)
    server = _Server(
        uvicorn.Config(
            create_app(),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_GRACE,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    serving.add_done_callback(lambda _: server.ready.set())
    try:
        await server.ready.wait()
        if serving.done():
            serving.result()
        address, bound = listener.getsockname()[:2]
        yield f"http://{f'[{address}]' if ':' in address else address}:{bound}/v1"
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Runs inside somebody else's event loop: signals stay theirs, and readiness can be awaited."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _listen(host: str, port: int) -> socket.socket:
    address = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ConfigError(
            f'"{host}" is not a loopback address; the stand-in listens on 127.0.0.1, ::1 or localhost'
        )
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f'"{host}:{port}" cannot be listened on: {error.strerror}; choose another port, or 0'
        ) from None
    return listener


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise BadRequest(
                f"the body is longer than {MAX_BODY} bytes", code="request_too_large", status=413
            )
    return bytes(body)


async def _list_models(_: Request) -> Response:
    return JSONResponse({"object": "list", "data": [_MODEL_CARD]})


async def _show_model(request: Request) -> Response:
    name = request.path_params["model"]
    if name != MODEL:
        raise BadRequest(
            f'there is no model "{name}"; the only one is "{MODEL}"',
            param="model",
            code="model_not_found",
            status=404,
        )
    return JSONResponse(_MODEL_CARD)


def _to_response(
    status: int, message: str, *, kind: str, param: str | None = None, code: str | None = None
) -> Response:
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return JSONResponse(body, status_code=status)


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, BadRequest)
    return _to_response(
        error.status, error.message, kind="invalid_request_error", param=error.param, code=error.code
    )


async def _refuse_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f'"{request.method} {request.url.path}": {error.detail}; {_ROUTES}'
    return _to_response(error.status_code, message, kind="invalid_request_error")


async def _fail(_request: Request, _error: Exception) -> Response:
    return _to_response(500, "the stand-in failed; this is a bug of the broker", kind="server_error")
