"""Whatever pieces an answer comes in, it is whole when it is given; and a connection that ends says so."""

from __future__ import annotations

import asyncio
import gc
import uuid
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import pytest
import uvloop
from aiokafka import conn
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine import connection
from streams.engine.answers import Answers, ByteReader
from streams.engine.collector import no_collector
from tests.kafka.broker import KafkaBroker


class _Transport:
    """Brings bytes in pieces, as a socket does, as long as it may."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.paused = False
        answers.connection_made(cast(asyncio.BaseTransport, self))

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        assert not self.paused
        self.paused = True

    def resume_reading(self) -> None:
        assert self.paused
        self.paused = False

    def bring(self, data: memoryview, most: int) -> int:
        """Hands on what there is room for; says how much."""
        if self.paused:
            return 0
        room = self.answers.get_buffer(-1)
        assert len(room)
        count = min(len(room), len(data), most)
        room[:count] = data[:count]
        self.answers.buffer_updated(count)
        return count


def _answers(keep_s: float = 0) -> tuple[Answers, asyncio.Future[None], asyncio.StreamReader]:
    loop = asyncio.get_running_loop()
    closed, reader = loop.create_future(), asyncio.StreamReader(loop=loop)
    return Answers(closed, reader, loop=loop, keep_s=keep_s), closed, reader


def _framed(answer: bytes) -> bytes:
    return len(answer).to_bytes(4, "big") + answer


Sizes = st.lists(st.one_of(st.integers(0, 40), st.integers(10_000, 200_000)), max_size=8)
Pieces = st.lists(st.one_of(st.integers(1, 9), st.integers(1_000, 100_000)), min_size=1, max_size=20)


@settings(max_examples=200, deadline=None)
@given(Sizes, Pieces, st.integers(1, 5), st.sampled_from([0, 60]))
def test_answers_come_whole_and_in_order_in_whatever_pieces(
    sizes: list[int], pieces: list[int], turns: int, keep_s: float
) -> None:
    wanted = [bytes([number + 1]) * size for number, size in enumerate(sizes)]

    async def story() -> None:
        answers, _, _ = _answers(keep_s)
        transport = _Transport(answers)
        found: list[bytes] = []

        async def take() -> None:
            for _ in wanted:
                found.append(bytes(await answers.next()))
                for _ in range(turns):
                    await asyncio.sleep(0)

        taking = asyncio.ensure_future(take())
        data, number = memoryview(b"".join(map(_framed, wanted))), 0
        while data:
            piece = pieces[number % len(pieces)] + number  # in the end a large one
            data = data[transport.bring(data, piece) :]
            number += 1
            await asyncio.sleep(0)
        await asyncio.wait_for(taking, 5)
        assert found == wanted

    asyncio.run(story())


def test_memory_is_used_again_and_given_back_once_answers_have_been_small_for_a_while() -> None:
    async def story() -> None:
        answers, _, _ = _answers(keep_s=0.5)
        transport = _Transport(answers)
        places: list[bytearray] = []

        async def take(size: int) -> None:
            taking = asyncio.ensure_future(answers.next())
            data = memoryview(_framed(b"x" * size))
            while data:
                await asyncio.sleep(0)
                data = data[transport.bring(data, 300_000) :]
            assert len(await taking) == size
            assert len(answers._memory) <= 1_000_004
            if not any(answers._memory is memory for memory in places):
                places.append(answers._memory)

        for size in (1_000_000, 900_000, 10, 20, 990_000, 10, 20, 30):
            await take(size)
        assert len(places) == 1
        await asyncio.sleep(0.6)
        for size in (10, 20):
            await take(size)
        assert len(places) == 2
        assert len(answers._memory) < 20_000
        transport.bring(memoryview(b"HTTP/1.1 400"), 100)
        assert len(answers._memory) < 20_000, "nobody answers with a gigabyte"

    asyncio.run(story())


@pytest.mark.parametrize("error", [None, ConnectionResetError("gone")])
def test_who_waits_hears_that_the_connection_ended_and_what_is_whole_is_given_first(error: Exception | None) -> None:
    async def story() -> None:
        answers, closed, reader = _answers()
        transport = _Transport(answers)
        transport.bring(memoryview(_framed(b"one") + _framed(b"two")[:5]), 100)
        assert bytes(await answers.next()) == b"one"
        waiting = asyncio.ensure_future(answers.next())
        await asyncio.sleep(0)
        assert not waiting.done()
        if error is None:
            answers.eof_received()
        answers.connection_lost(error)
        with pytest.raises(asyncio.IncompleteReadError if error is None else ConnectionResetError):
            await waiting
        assert closed.done()
        assert reader.at_eof()

    asyncio.run(story())


@pytest.mark.parametrize("error", [None, ConnectionResetError("gone")])
def test_what_was_lost_holds_no_memory(error: Exception | None) -> None:
    """Whoever reaches for a broker that is gone makes connections by the thousand: none waits for the collector."""

    async def story() -> weakref.ref[Answers]:
        answers, _, _ = _answers()
        answers.connection_lost(error)
        for _ in range(2):
            with suppress(OSError, EOFError):
                await answers.next()
        return weakref.ref(answers)

    gc.collect()
    with no_collector():
        assert asyncio.run(story())() is None


def test_memory_is_given_back_where_no_answer_will_come() -> None:
    async def story() -> None:
        answers, _, _ = _answers()
        transport = _Transport(answers)
        transport.bring(memoryview(_framed(b"one") + _framed(b"two")[:5]), 100)
        answers.connection_lost(None)
        assert bytes(await answers.next()) == b"one"
        with pytest.raises(asyncio.IncompleteReadError):
            await answers.next()
        assert len(answers._memory) == 0

        answers, _, _ = _answers()
        _Transport(answers).bring(memoryview(_framed(b"one")[:5]), 100)
        answers.connection_lost(None)
        assert len(answers._memory) == 0

    asyncio.run(story())


@given(st.binary(max_size=50), st.lists(st.integers(0, 20), max_size=10))
def test_bytes_are_read_as_from_a_file(data: bytes, counts: list[int]) -> None:
    reader = ByteReader(memoryview(data))
    assert b"".join(reader.read(count) for count in counts) == data[: sum(counts)]


@pytest.mark.kafka
@pytest.mark.parametrize("version", [4, 11])
@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_fetch_brings_what_it_brings_to_aiokafka(
    kafka: KafkaBroker, monkeypatch: pytest.MonkeyPatch, version: int, loop_factory: Callable[[], Any]
) -> None:
    topic = f"fetched-{uuid.uuid4()}"
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([NewTopic(topic, 1)])[topic].result(30)
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "acks": "all"})
    for number in range(2_000):
        producer.produce(topic, b"%d" % number * 200)
    assert producer.flush(30) == 0
    wanted = FetchRequest(500, 1, 4 << 20, 0, [(topic, [(0, 0, 4 << 20)])])

    async def fetched() -> Any:
        client = AIOKafkaClient(bootstrap_servers=kafka.bootstrap)
        await client.bootstrap()
        try:
            node = client.get_random_node()
            assert await client.ready(node)
            for one in client._conns.values():
                one._versions[FetchRequest.API_KEY] = (version, version)
            return [(await client.send(node, wanted)).topics for _ in range(3)]
        finally:
            await client.close()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        plain = runner.run(fetched())
        assert len(plain[0][0][1][0][-1]) > 1_000_000
        monkeypatch.setattr(conn, "AIOKafkaConnection", connection.Connection)
        monkeypatch.setattr(conn, "AIOKafkaProtocol", Answers)
        assert runner.run(fetched()) == plain
