"""A connection is lost in the very moment in which somebody writes to it: an error of the network, like any other.

And what is produced is written in pieces, which are the bytes that aiokafka would write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import uvloop
from aiokafka import conn
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest

from streams.engine import connection
from tests.faults.proxy import Proxy
from tests.kafka.broker import KafkaBroker

pytestmark = pytest.mark.kafka


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """For this test alone: others look at aiokafka as it is."""
    for replaced in ("AIOKafkaConnection", "AIOKafkaProtocol"):
        monkeypatch.setattr(conn, replaced, getattr(conn, replaced))
    connection.install()


def on_uvloop(bootstrap: str, story: Callable[[AIOKafkaClient], Awaitable[None]]) -> None:
    """Runs it with a client that has one connection."""

    async def run() -> None:
        client = AIOKafkaClient(bootstrap_servers=bootstrap)
        await client.bootstrap()
        try:
            assert await client.ready(client.get_random_node())
            await story(client)
        finally:
            await client.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


class _Written:
    """Takes what is written, as a stream would."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.pieces.append(data)

    def writelines(self, data: list[bytes]) -> None:
        self.pieces += data

    def close(self) -> None:
        """Nothing is open."""


async def _written(made_by: type[conn.AIOKafkaConnection], request: ProduceRequest, version: int) -> list[bytes]:
    """What a connection to a broker that knows this version of the request writes."""
    connection = made_by("127.0.0.1", 9092, client_id="worker-ä")
    connection._versions = {request.API_KEY: (version, version)}
    connection._writer = writer = _Written()
    connection.send(request).close()
    connection._writer = None
    return writer.pieces


@pytest.mark.parametrize("version", range(8))
def test_what_is_produced_is_written_from_where_it_lies(version: int) -> None:
    large = bytearray(b"record batch" * 10_000)
    topics = [("lead-events", [(0, large), (7, b"")]), ("tier-changes", [(3, bytes(large))]), ("none", [])]
    request = ProduceRequest(None, -1, 30_000, topics)
    plain = asyncio.run(_written(connection.Connection.__base__, request, version))
    pieces = asyncio.run(_written(connection.Connection, request, version))

    assert b"".join(pieces) == b"".join(plain)
    assert any(piece is large for piece in pieces)


async def turn(turns: int) -> None:
    """Lets the event loop turn so many times."""
    for _ in range(turns):
        await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(5))
def test_a_lost_connection_is_an_error_of_the_network_at_every_moment(kafka: KafkaBroker, turns: int) -> None:
    async def story(client: AIOKafkaClient) -> None:
        (lost,) = client._conns.values()
        answer = asyncio.ensure_future(lost.send(MetadataRequest([])))
        lost._writer.transport.abort()
        await turn(turns)
        with pytest.raises(KafkaConnectionError):
            await lost.send(MetadataRequest([]))
        with pytest.raises(KafkaConnectionError):
            await asyncio.wait_for(answer, 1)

    on_uvloop(kafka.bootstrap, story)


def test_the_clusters_metadata_is_kept_over_resets_at_every_moment() -> None:
    async def story(client: AIOKafkaClient) -> None:
        async with asyncio.timeout(60):
            for turns in (*range(10), *range(10)):
                while not await client.force_metadata_update():
                    pass
                proxy.cut()  # while the event loop stands still: it learns of it in its next turns
                await turn(turns)
                await client.force_metadata_update()

    with Proxy() as proxy, KafkaBroker(detours=[proxy.port]) as broker:
        proxy.lead_to(broker.detour(proxy.port))
        on_uvloop(proxy.bootstrap, story)
