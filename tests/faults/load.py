"""A steady stream of events into a pipeline, in a thread of its own."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import msgspec
from confluent_kafka import Producer

from schemas.times import iso
from schemas.topics import topic_of_kind
from streams.clock import now_ms
from tests.faults.small_world import some_events
from tests.pipeline import Pipeline

__all__ = ["Load"]

_POISON = (b"{", b"", b'{"event_id": "p", "kind": "telepathy"}')


class Load:
    """Sends events of now until it is left, one in fifty of them poison; everything is acknowledged then.

    Args:
        run: Where to.
        seed: Which events.
        rate: Events a second.
        leads: How many.
        burst: So many come at once: they are one record of the log.

    Attributes:
        sent: How many so far.
        left: How many the broker had not acknowledged at the end.
    """

    def __init__(self, run: Pipeline, seed: int, rate: int = 200, leads: int = 40, burst: int = 1) -> None:
        self._to, self._rate, self._leads, self._burst = run, rate, leads, burst
        self._chance = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run_to_end)
        self.sent = 0
        self.left = 0
        self._failed: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if error is None and self._failed is not None:
            raise self._failed
        if error is None and self.left:
            raise RuntimeError(f"{self.left} events were not acknowledged")

    def _run_to_end(self) -> None:
        try:
            self._send()
        except Exception as error:  # noqa: BLE001  # a test whose events stopped coming shows nothing
            self._failed = error

    def _send(self) -> None:
        patient = {"enable.idempotence": True, "acks": "all", "message.timeout.ms": 0}
        producer = Producer({"bootstrap.servers": self._to.bootstrap, "linger.ms": 5} | patient)
        began = time.monotonic()
        messages = self._messages()
        while True:
            due = began + self.sent // self._burst * self._burst / self._rate
            if self._stop.wait(max(0.0, due - time.monotonic())):
                break
            topic, value, key = next(messages)
            producer.produce(self._to.prefix + topic, value, key=key)
            self.sent += 1
            producer.poll(0)
        self.left = producer.flush(60)

    def _messages(self) -> Iterator[tuple[str, bytes, str | None]]:
        """Topic, value and key, without an end; each is asked for when it is due."""
        for event in some_events(self._chance, self._leads):
            value = msgspec.json.encode(event | {"occurred_at": iso(now_ms())})
            if self._chance.random() < 0.02:
                value = self._chance.choice(_POISON)
            yield topic_of_kind(event["kind"]), value, event["lead"]["lead_id"]
