"""The probe as a program, with reflection: `python serve_probe.py PROTOSET [CERT KEY]`.

Tells on stdout what happens, one word a line: first its port; `waiting` when a call hangs in Wait;
`cancelled` when a call saw its cancellation.
"""

import asyncio
import sys
from pathlib import Path

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from broker.descriptors.pool import link
from broker.descriptors.sources import Protoset
from tests.servers.probe import SERVICE, Probe


async def main(protoset: str, *pem: bytes) -> None:
    descriptors = link(await Protoset(Path(protoset)).load())
    probe = Probe(descriptors)
    reflected = reflection.aio.ReflectionServicer((SERVICE, reflection.SERVICE_NAME), descriptors.pool)
    method = grpc.stream_stream_rpc_method_handler(
        reflected.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    # v1 has the messages of v1alpha.
    names = ("grpc.reflection.v1.ServerReflection", reflection.SERVICE_NAME)
    handlers = [
        grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": method}) for name in names
    ]
    credentials = None
    if pem:
        cert, key = pem
        credentials = grpc.ssl_server_credentials([(key, cert)])
    _tell(str(await probe.start(credentials, extra=handlers)))
    await asyncio.gather(_tell_each(probe.waiting, "waiting"), _tell_each(probe.cancelled, "cancelled"))


async def _tell_each(happened: asyncio.Semaphore, word: str) -> None:
    while True:
        await happened.acquire()
        _tell(word)


def _tell(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _, given, *files = sys.argv
    asyncio.run(main(given, *(Path(file).read_bytes() for file in files)))
