from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from broker.chat.loop import Chat
from broker.config.settings import ChatSettings, ModelSettings
from broker.dispatch import Broker
from broker.models.chat_completions import ChatCompletions
from tests.models.scripted_server import ScriptedServer, scripted_server


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
