from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from broker.dispatch import Broker
from broker.tool import ToolResult

POLL = "Long-running: poll Operations.GetOperation with the name in the answer until it is done."


@pytest.mark.parametrize(
    ("method", "description"),
    [
        pytest.param(
            "Start",
            f"Starts it. {POLL} It comes to: Album. Its progress is told as: files.v1.Part.",
            id="its types are said",
        ),
        pytest.param("StartPlain", f"Starts it untold. {POLL}", id="nothing is said"),
        pytest.param("GetAlbum", "The same as a message with several files.", id="no operation"),
    ],
)
def test_a_long_running_method_says_how_to_follow_it_up(
    broker: Broker, method: str, description: str
) -> None:
    tool = broker.catalog.get(f"files_v1_FileService_{method}")

    assert tool is not None
    assert tool.description == description


async def test_an_operation_is_an_object_with_the_result_that_it_holds(
    new: Callable[..., Any], answer: Callable[..., Awaitable[ToolResult]]
) -> None:
    operation = new("google.longrunning.Operation", name="operations/1", done=True)
    operation.response.Pack(new("Album", title="t"))

    result = await answer("Start", operation)

    assert result.structured == {
        "name": "operations/1",
        "done": True,
        "response": {"@type": "type.googleapis.com/files.v1.Album", "title": "t"},
    }
