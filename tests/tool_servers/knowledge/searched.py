"""What a client finds."""

from typing import Any

from knowledge.v1 import knowledge_pb2


async def search(knowledge: Any, query: str, **more: Any) -> list[knowledge_pb2.Passage]:
    """The passages, the best first."""
    response = await knowledge.SearchDocuments(knowledge_pb2.SearchDocumentsRequest(query=query, **more))
    return list(response.passages)
