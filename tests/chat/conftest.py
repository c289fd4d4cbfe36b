from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from broker import assembly
from broker.chat.loop import Chat
from broker.config.settings import ChatSettings, ModelSettings, Settings
from broker.dispatch import Broker
from broker.models.chat_completions import ChatCompletions
from tests.models.scripted_server import ScriptedServer, scripted_server
from tests.servers.probe import Probe


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """The model's server: what it says is written in the test."""
    async with scripted_server() as scripted:
        yield scripted


@pytest.fixture
async def chat_with(server: ScriptedServer, broker: Broker) -> AsyncIterator[Callable[..., Chat]]:
    """Makes a Chat of a real broker before a real backend, and a real driver before a scripted server."""
    settings = ModelSettings(driver="chat-completions", name="m", base_url=server.base_url)
    model = ChatCompletions(settings, max_retries=0)

    def make(**settings: Any) -> Chat:
        return Chat(broker, model, ChatSettings.model_validate(settings) if settings else None)

    yield make
    await model.close()


@pytest.fixture
def chat_before(
    server: ScriptedServer, probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> Callable[..., AbstractAsyncContextManager[Chat]]:
    """Opens a Chat by its settings: a model at the scripted server, the probe as the backend."""

    @asynccontextmanager
    async def opened(endpoint: str = "other", **settings: Any) -> AsyncIterator[Chat]:
        model = {
            "driver": "chat-completions",
            "name": "m",
            "base_url": server.base_url,
            "api_key": "k",
            "endpoint": endpoint,
        }
        given = settings_for(probe[1], model=model, **settings)
        async with assembly.open(given) as broker, assembly.open_chat(given, broker) as chat:
            yield chat

    return opened
