from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from broker.config.settings import ModelSettings
from broker.models.chat_completions import ChatCompletions
from tests.models.scripted_server import ScriptedServer, scripted_server


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as scripted:
        yield scripted


@pytest.fixture
async def model_for(server: ScriptedServer) -> AsyncIterator[Callable[..., ChatCompletions]]:
    """Makes a driver whose server is the scripted one; the settings add to that."""
    models: list[ChatCompletions] = []

    def make(*, max_retries: int = 0, **settings: Any) -> ChatCompletions:
        known = {"driver": "chat-completions", "name": "m", "base_url": server.base_url}
        models.append(
            ChatCompletions(ModelSettings.model_validate(known | settings), max_retries=max_retries)
        )
        return models[-1]

    yield make
    for model in models:
        await model.close()
