from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest

from broker.config.settings import ModelSettings
from broker.models.auto import Auto
from broker.models.chat_completions import ChatCompletions
from broker.models.model import Model
from broker.models.responses import Responses
from tests.models.scripted_server import ScriptedServer, scripted_server


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as scripted:
        yield scripted


DRIVERS: Mapping[str, type[Auto | ChatCompletions | Responses]] = {
    "auto": Auto,
    "chat-completions": ChatCompletions,
    "responses": Responses,
}


@pytest.fixture
async def model_for(server: ScriptedServer) -> AsyncIterator[Callable[..., Model]]:
    """Makes a driver, chat-completions if none is named, whose server is the scripted one."""
    models: list[Auto | ChatCompletions | Responses] = []

    def make(*, max_retries: int = 0, driver: str = "chat-completions", **settings: Any) -> Model:
        known = {"driver": driver, "name": "m", "base_url": server.base_url}
        made = DRIVERS[driver](ModelSettings.model_validate(known | settings), max_retries=max_retries)
        models.append(made)
        return made

    yield make
    for model in models:
        await model.close()
