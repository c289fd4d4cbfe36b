"""knowledge.v1 requests → passages and lines of documents."""

import difflib
import logging
from collections.abc import Iterable, Mapping

import grpc.aio
from google.rpc import error_details_pb2
from knowledge.v1 import knowledge_pb2, knowledge_pb2_grpc

from tool_servers.knowledge.documents import Document, Passage
from tool_servers.knowledge.index import Index
from tool_servers.serving.failures import Failure, fitting, reason
from tool_servers.serving.server import Service

_DESCRIPTOR = knowledge_pb2.DESCRIPTOR.services_by_name["KnowledgeService"]
_DEFAULT_PASSAGES = 5
_DEFAULT_LINES = 100
_DEFAULT_DOCUMENTS = 200
_MAX_CHARACTERS = 100_000
_MAX_NAME = 600
"""Of a name that is told again, in bytes as they are sent."""

logger = logging.getLogger(__name__)


def knowledge_service(documents: Mapping[str, Document], index: Index) -> Service:
    """What is served."""
    return Service(
        descriptor=_DESCRIPTOR,
        servicer=KnowledgeService(documents, index),
        register=knowledge_pb2_grpc.add_KnowledgeServiceServicer_to_server,
    )


class KnowledgeService(knowledge_pb2_grpc.KnowledgeServiceServicer):
    """Answers SearchDocuments, ReadDocument and ListDocuments."""

    def __init__(self, documents: Mapping[str, Document], index: Index) -> None:
        self._documents = documents
        self._index = index

    async def SearchDocuments(
        self,
        request: knowledge_pb2.SearchDocumentsRequest,
        context: grpc.aio.ServicerContext[
            knowledge_pb2.SearchDocumentsRequest, knowledge_pb2.SearchDocumentsResponse
        ],
    ) -> knowledge_pb2.SearchDocumentsResponse:
        limit = request.limit if request.HasField("limit") else _DEFAULT_PASSAGES
        try:
            found = await self._index.search(request.query, limit)
        except OSError as error:
            logger.warning("the index cannot be reached: %s", error)
            raise Failure(
                grpc.StatusCode.UNAVAILABLE,
                "the index of the documents cannot be reached; try again later",
                reason(_DESCRIPTOR.full_name, "INDEX_UNAVAILABLE"),
            ) from error
        return knowledge_pb2.SearchDocumentsResponse(passages=map(_passage, found))

    async def ReadDocument(
        self,
        request: knowledge_pb2.ReadDocumentRequest,
        context: grpc.aio.ServicerContext[
            knowledge_pb2.ReadDocumentRequest, knowledge_pb2.ReadDocumentResponse
        ],
    ) -> knowledge_pb2.ReadDocumentResponse:
        document = self._find(request.document)
        first = request.first_line if request.HasField("first_line") else 1
        count = request.lines if request.HasField("lines") else _DEFAULT_LINES
        lines = _within(document.lines[first - 1 : first - 1 + count])
        return knowledge_pb2.ReadDocumentResponse(
            document=document.name,
            text="\n".join(lines),
            first_line=first,
            last_line=first + len(lines) - 1 if lines else 0,
            total_lines=len(document.lines),
        )

    async def ListDocuments(
        self,
        request: knowledge_pb2.ListDocumentsRequest,
        context: grpc.aio.ServicerContext[
            knowledge_pb2.ListDocumentsRequest, knowledge_pb2.ListDocumentsResponse
        ],
    ) -> knowledge_pb2.ListDocumentsResponse:
        limit = request.limit if request.HasField("limit") else _DEFAULT_DOCUMENTS
        found = [each for each in self._documents.values() if each.name.startswith(request.prefix)]
        listed = [
            knowledge_pb2.Document(document=each.name, title=each.title, lines=len(each.lines))
            for each in found[:limit]
        ]
        return knowledge_pb2.ListDocumentsResponse(documents=listed, total=len(found))

    def _find(self, name: str) -> Document:
        document = self._documents.get(name)
        if document is not None:
            return document
        name = fitting(name, _MAX_NAME)
        near = difflib.get_close_matches(name, self._documents, n=3, cutoff=0.5)
        cure = (
            f"the nearest names are {', '.join(near)}"
            if near
            else "ListDocuments tells which documents there are"
        )
        raise Failure(
            grpc.StatusCode.NOT_FOUND,
            f'there is no document "{name}"; {cure}',
            reason(_DESCRIPTOR.full_name, "DOCUMENT_NOT_FOUND", {"nearest": ", ".join(near)}),
            error_details_pb2.ResourceInfo(resource_type="document", resource_name=name, description=cure),
        )


def _passage(found: Passage) -> knowledge_pb2.Passage:
    return knowledge_pb2.Passage(
        document=found.document,
        headings=found.headings,
        first_line=found.first_line,
        last_line=found.last_line,
        text=found.text,
    )


def _within(lines: Iterable[str]) -> list[str]:
    """The lines as far as they fit a response."""
    kept: list[str] = []
    left = _MAX_CHARACTERS
    for line in lines:
        left -= len(line) + 1
        if left < 0 and kept:
            break
        kept.append(line[:_MAX_CHARACTERS])
    return kept
