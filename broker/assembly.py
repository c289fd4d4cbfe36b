"""Settings → a running Broker, and a model to drive it: the one place where the parts are put together."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from broker.backends.backend import Backend, router
from broker.backends.channel import open_channel
from broker.call_log import CallLog
from broker.catalog import lock
from broker.catalog.catalog import Catalog
from broker.catalog.exposure import Exposed, build
from broker.config import loading
from broker.config.settings import BackendSettings, DescriptorSettings, ModelSettings, Settings, StateSettings
from broker.descriptors.comments import comments_of
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.reflection import Reflection
from broker.descriptors.sources import DescriptorSource, ProtoFiles, Protoset
from broker.dispatch import Broker
from broker.errors import BrokerError, ConfigError, DescriptorError
from broker.guards.approval import approval
from broker.guards.limits import limits
from broker.hooks import NO_HOOKS, Hooks
from broker.models.model import Model
from broker.outcomes import Observer
from broker.state.checkpoints import Checkpoints
from broker.state.memory import MemoryStore
from broker.state.store import Store
from broker.tool import Invoke

if TYPE_CHECKING:
    from broker.chat.loop import Chat
    from broker.models.auto import Auto
    from broker.models.chat_completions import ChatCompletions
    from broker.models.responses import Responses

GUARDS = (approval, limits)
"""What may happen around a call, the outermost first: what is refused takes nobody's place in a queue."""


@asynccontextmanager
async def open(source: Settings | str | Path, *, hooks: Hooks = NO_HOOKS) -> AsyncIterator[Broker]:
    """A broker that is ready to call: all descriptors are read, all names are checked.

    `source` is the path of a broker.yaml, or settings; `hooks` are functions of yours around each call, and
    around each turn of a model in a Chat of this broker. Raises ConfigError, DescriptorError or CatalogError,
    each of which says what to mend. Connections to backends are made by their first call.
    """
    settings = source if isinstance(source, Settings) else loading.load(source)
    async with AsyncExitStack() as stack:
        with loading.placed(settings):
            descriptors = await load_descriptors(settings.backends)
            catalog = build_catalog(settings, descriptors)
            backends = {}
            for name, backend in settings.backends.items():
                backends[name] = _backend(name, backend, catalog, descriptors[name])
                stack.push_async_callback(backends[name].close)
            log = CallLog(settings.log)
            observers = _observers(settings, log, stack)
        invoke = _guarded(router(backends), settings)
        yield Broker(catalog, invoke, log, hooks=hooks, observers=observers)


@asynccontextmanager
async def open_model(settings: Settings) -> AsyncIterator[Model]:
    """The language model that the settings name; the stand-in is started with it, on a free loopback port."""
    async with AsyncExitStack() as stack:
        wanted = settings.model
        if wanted.driver == "stand-in":
            wanted = await stack.enter_async_context(_stand_in())
        with loading.placed(settings):
            model = _model(wanted)
        stack.push_async_callback(model.close)
        yield model


def _model(settings: ModelSettings) -> "Auto | ChatCompletions | Responses":
    # The SDK is heavy, and only conversations need it.
    from broker.models.auto import Auto
    from broker.models.chat_completions import ChatCompletions
    from broker.models.responses import Responses

    match settings.driver:
        case "responses":
            return Responses(settings)
        case "chat-completions":
            return ChatCompletions(settings)
    return Auto(settings)


@asynccontextmanager
async def open_chat(
    settings: Settings, broker: Broker, *, store: Store | None = None
) -> "AsyncIterator[Chat]":
    """The loop between the model of the settings and a broker.

    Runs that wait are kept in `store`, which is its opener's to close; None: where `state` says.
    """
    # With the search it takes as long to load as gRPC, and commands that only look have no use for it.
    from broker.chat.loop import Chat

    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(open_model(settings))
        if store is None:
            with loading.placed(settings):
                store = _store(settings.state)
            stack.push_async_callback(store.close)
        yield Chat(broker, model, settings.chat, checkpoints=Checkpoints(store, settings.state))


def _store(settings: StateSettings) -> Store:
    if settings.file is None:
        return MemoryStore()
    from broker.state.sqlite import SqliteStore

    return SqliteStore.open(settings.file)


@asynccontextmanager
async def _stand_in() -> AsyncIterator[ModelSettings]:
    from broker.standin import app

    async with app.start() as base_url:
        yield ModelSettings.model_validate(
            {
                "driver": "chat-completions",
                "name": app.MODEL,
                "base_url": base_url,
                "api_key": "none",
                "endpoint": "stand-in",
            }
        )


async def load_descriptors(backends: Mapping[str, BackendSettings]) -> dict[str, Descriptors]:
    """Reads what each backend offers, all at once; by name of backend."""
    loaded = await asyncio.gather(*map(_load, backends.values()), return_exceptions=True)
    found = dict(zip(backends, loaded, strict=True))
    refused = {name: error for name, error in found.items() if isinstance(error, BrokerError)}
    if refused:
        lines = [f'backend "{name}": {error}' for name, error in refused.items()]
        raise DescriptorError("\n".join(lines), key=("backends", next(iter(refused)), "descriptors"))
    return {name: _raised(result) for name, result in found.items()}


def build_catalog(settings: Settings, descriptors: Mapping[str, Descriptors]) -> Catalog:
    """The tools of all backends, in the order of the settings, but for those that the lockfile holds back."""
    exposed = [
        Exposed(
            backend=name,
            descriptors=descriptors[name],
            prefix=backend.prefix,
            expose=backend.expose,
            hide=backend.hide,
        )
        for name, backend in settings.backends.items()
    ]
    catalog = build(exposed, settings.tools, ask_by_default=settings.approvals == "strict")
    return catalog if settings.lockfile is None else lock.hold_back(catalog, settings.lockfile)


def _raised(result: Descriptors | BaseException) -> Descriptors:
    if isinstance(result, BaseException):
        raise result
    return result


async def _load(backend: BackendSettings) -> Descriptors:
    wanted = backend.descriptors
    overlay = None if wanted.comments is None else comments_of(await _source(wanted.comments).load())
    if not wanted.reflection:
        return link(await _source(wanted).load(), comments=overlay, visibility=backend.visibility)
    channel = open_channel(backend)
    try:
        reflection = Reflection(
            channel,
            max_files=wanted.max_files,
            max_bytes=wanted.max_bytes,
            timeout=backend.connect_timeout,
            metadata=_metadata(backend),
        )
        return link(await reflection.load(), comments=overlay, visibility=backend.visibility)
    finally:
        await channel.close()


def _source(wanted: DescriptorSettings) -> DescriptorSource:
    if wanted.protoset is not None:
        return Protoset(wanted.protoset)
    return ProtoFiles(wanted.protos, wanted.import_paths)


def _backend(name: str, settings: BackendSettings, catalog: Catalog, descriptors: Descriptors) -> Backend:
    own = [tool for tool in catalog if tool.backend == name]
    try:
        return Backend(open_channel(settings, own), descriptors, _metadata(settings))
    except ConfigError as error:
        raise ConfigError(str(error), key=("backends", name, "tls")) from error


def _metadata(settings: BackendSettings) -> tuple[tuple[str, str], ...]:
    return tuple((key, value.get_secret_value()) for key, value in settings.metadata.items())


def _guarded(invoke: Invoke, settings: Settings) -> Invoke:
    for guard in reversed(GUARDS):
        invoke = guard(invoke, settings)
    return invoke


def _observers(settings: Settings, log: CallLog, stack: AsyncExitStack) -> tuple[Observer, ...]:
    if settings.audit.file is None:
        return ()
    from broker.audit_log import AuditLog

    audit_log = AuditLog(settings.audit.file, log)
    stack.callback(audit_log.close)
    return (audit_log.note,)
