"""The breaker: a raw topic of which most records are dead letters is paused, until a named command releases it.

Something upstream is broken then, and reading on would fill the dead letters with what can be read after the repair.
The decision is kept in `ingest-progress`, for all workers and over restarts.
"""

from __future__ import annotations

from collections import deque

import msgspec
from confluent_kafka import TopicPartition as Place

from schemas.topics import INGEST_PROGRESS
from streams.clients import Sender, new_consumer, partition_counts
from streams.errors import InputError
from streams.settings import Settings

__all__ = [
    "BREAKER_PREFIX",
    "Breaker",
    "Pause",
    "breaker_key",
    "decode_pause",
    "encode_pause",
    "paused_topics",
    "release",
]

BREAKER_PREFIX = b"breaker/"


class Pause(msgspec.Struct, frozen=True):
    """Why a topic is paused."""

    topic: str
    dead_letters: int
    window: int
    last_reason: str


class Breaker:
    """Counts dead letters among the last records of each topic.

    Args:
        window: How many records are looked at.
        share: More dead letters than this share of the window pause the topic.
    """

    def __init__(self, window: int, share: float) -> None:
        self._window = window
        self._most = window * share
        self._seen: dict[str, int] = {}
        self._dead: dict[str, deque[int]] = {}

    def good(self, topic: str, count: int) -> None:
        """So many records of the topic were usable."""
        self._seen[topic] = self._seen.get(topic, 0) + count

    def dead(self, topic: str, reason: str) -> Pause | None:
        """A record of the topic is a dead letter; returns why the topic is to be paused, if it is."""
        number = self._seen[topic] = self._seen.get(topic, 0) + 1
        dead = self._dead.setdefault(topic, deque())
        dead.append(number)
        while dead[0] <= number - self._window:
            dead.popleft()
        return Pause(topic, len(dead), self._window, reason) if len(dead) > self._most else None

    def forget(self, topic: str) -> None:
        """The topic was released: it begins anew."""
        self._dead.pop(topic, None)


def breaker_key(topic: str) -> bytes:
    """Key of a topic's record in `ingest-progress`; the topic's name is that on the broker."""
    return BREAKER_PREFIX + topic.encode()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Pause).decode


def encode_pause(pause: Pause) -> bytes:
    """Value of the record of a paused topic; a released one has none."""
    return _encode(pause)


def decode_pause(value: bytes) -> Pause:
    """Why a topic is paused.

    Raises:
        msgspec.MsgspecError: The value is none of ours.
    """
    return _decode(value)


def release(settings: Settings, topic: str) -> Pause:
    """Lets ingest read a paused topic again; returns why it was paused.

    Args:
        settings: Where the broker is.
        topic: Without the prefix.

    Raises:
        InputError: It is not paused.
    """
    pauses = paused_topics(settings)
    name = settings.topic(topic)
    if name not in pauses:
        held = f"; paused are: {', '.join(sorted(pauses))}" if pauses else "; no topic is"
        raise InputError(f"topic {name} is not paused{held}")
    sender = Sender(settings)
    sender.send(settings.topic(INGEST_PROGRESS), None, key=breaker_key(name), partition=0)
    sender.finish()
    return pauses[name]


def paused_topics(settings: Settings) -> dict[str, Pause]:
    """What the breaker holds now, by name on the broker."""
    consumer = new_consumer(settings)
    try:
        partition_counts(settings, consumer, [INGEST_PROGRESS])
        name = settings.topic(INGEST_PROGRESS)
        low, high = consumer.get_watermark_offsets(Place(name, 0), timeout=10)
        pauses: dict[str, Pause] = {}
        if high > low:
            consumer.assign([Place(name, 0, low)])
        while high > low:
            for message in consumer.consume(1000, 0.3):
                if message.error() is not None:
                    return pauses  # the end of the partition
                low = (message.offset() or 0) + 1
                key, value = message.key(), message.value()
                if isinstance(key, bytes) and key.startswith(BREAKER_PREFIX):
                    topic = key.removeprefix(BREAKER_PREFIX).decode()
                    pauses.pop(topic, None)
                    if value is not None:
                        pauses[topic] = decode_pause(value)
        return pauses
    finally:
        consumer.close()
