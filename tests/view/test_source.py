"""What the view reads Kafka with, where librdkafka's clients lose their brokers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import ListOffsetsResultInfo

from schemas.topics import LEAD_SCORES
from streams.errors import LeadstreamError
from streams.settings import Settings
from streams.topics_admin import create
from streams.view import source
from streams.view.source import Asked, Source
from tests.kafka.broker import KafkaBroker

_PARTITIONS = 2
_SOURCES = 12

# A broker that its controller misses for three seconds out of six: then it says that there is no broker at all.
_MISSED = {"broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "6000"}

_Made = TypeVar("_Made")


class _Reader:
    """Does what the view does: reads, and asks once a second where topics end."""

    def __init__(self, settings: Settings) -> None:
        self._source = Source(settings, 0)
        self._positions = self._source.go_to({})
        self._asked: Asked | None = None
        self._asked_at = 0.0
        self.read = 0
        self.whole_at = 0.0

    def turn(self) -> None:
        """One step; `whole_at` is the newest question up to whose answer everything was read."""
        for record in self._source.read():
            self.read += 1
            self._positions[record.topic, record.partition] = record.offset + 1
        now = time.monotonic()
        if self._asked is None and now - self._asked_at >= 1:
            self._asked, self._asked_at = self._source.ask_ends(), now
        if self._asked is not None and self._asked.done:
            ends = self._asked.offsets()
            if ends is None:
                self._asked = None
            elif not self._source.left(ends, self._positions):
                self._asked, self.whole_at = None, self._asked_at

    def deafen(self) -> None:
        """The consumer brings nothing any more, as one without brokers."""
        self._source._consumer.unassign()

    def close(self) -> None:
        self._source.close()


def test_who_heard_of_no_broker_at_all_finds_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each such moment makes some clients of librdkafka deaf for ever, but not each: so there are many."""
    monkeypatch.setattr(source, "_SILENT_S", 3.0)
    monkeypatch.setattr(source, "_POLL_S", 0.005)
    with KafkaBroker(settings=_MISSED) as broker:
        settings = Settings(bootstrap_servers=broker.bootstrap, partitions=_PARTITIONS)
        _tried(lambda: create(settings, history=False))
        producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 2})
        readers = [_tried(lambda: _Reader(settings)) for _ in range(_SOURCES)]
        end = time.monotonic() + 30
        while time.monotonic() < end:
            producer.produce(settings.topic(LEAD_SCORES), b"-", key=b"a", partition=0)
            producer.poll(0)
            for reader in readers:
                reader.turn()
        flushed_at = time.monotonic()
        producer.flush(30)
        while any(reader.whole_at < flushed_at for reader in readers):
            behind = [round(time.monotonic() - reader.whole_at) for reader in readers]
            assert time.monotonic() < flushed_at + 60, f"seconds since each had read all: {behind}"
            for reader in readers:
                reader.turn()
        assert all(reader.read for reader in readers)
        for reader in readers:
            reader.close()


def test_what_a_deaf_consumer_does_not_bring_is_read_by_a_new_one(
    kafka: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_SILENT_S", 1.0)
    settings = Settings(bootstrap_servers=kafka.bootstrap, topic_prefix="deaf-", partitions=_PARTITIONS)
    create(settings, history=False)
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    reader, written = _Reader(settings), 0
    try:
        for deaf in (False, True, False):
            if deaf:
                reader.deafen()
            producer.produce(settings.topic(LEAD_SCORES), b"-", key=b"a", partition=0)
            producer.flush(10)
            written_at, written = time.monotonic(), written + 1
            while reader.whole_at < written_at:
                assert time.monotonic() < written_at + 20
                reader.turn()
            assert reader.read == written
    finally:
        reader.close()


def test_leaders_that_are_not_ready_yet_are_asked_again(kafka: KafkaBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(bootstrap_servers=kafka.bootstrap, topic_prefix="unready-", partitions=_PARTITIONS)
    create(settings, history=False)
    given, refusals = source.Asked.answers, 4

    def answers(asked: source.Asked) -> dict[tuple[str, int], ListOffsetsResultInfo] | None:
        nonlocal refusals
        if not refusals:
            return given(asked)
        refusals, asked.refusal = refusals - 1, "Broker: Not leader for partition"
        return None

    monkeypatch.setattr(source.Asked, "answers", answers)
    reader = _Reader(settings)

    assert not refusals
    reader.close()


def _tried(make: Callable[[], _Made]) -> _Made:
    """Done again, a moment later, while there is no broker."""
    for _ in range(20):
        try:
            return make()
        except LeadstreamError:
            time.sleep(0.3)
    return make()
