"""Toy topics on a real broker, load for them, and workers as processes of their own."""

from __future__ import annotations

import itertools
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import psutil
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.engine.oracle import Verdict, judge, read_topic

__all__ = ["PARTITIONS", "Worker", "World", "wait_for"]

PARTITIONS = 4
NAMES = 40

encode = msgspec.msgpack.encode

_COMPACTED = {"cleanup.policy": "compact", "max.message.bytes": str(8 << 20)}


class Worker:
    """One process; what it says is in `log`."""

    def __init__(self, stage: str, settings: Mapping[str, Any], log: Path) -> None:
        self.log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.engine.worker", stage, json.dumps(settings)],
                stdin=subprocess.PIPE,  # the worker ends with us: it watches this pipe
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def frozen(self) -> bool:
        """Whether it is stopped (SIGSTOP)."""
        return self.alive and psutil.Process(self.pid).status() == psutil.STATUS_STOPPED

    def says(self) -> str:
        return self.log.read_text(errors="replace")

    def readiness(self) -> str:
        """The last line about readiness."""
        lines = [line for line in self.says().splitlines() if line.startswith(("READY", "UNREADY"))]
        return lines[-1] if lines else ""

    def ready(self, within_s: float = 30, about: str = "READY") -> Self:
        """Waits until it says so."""
        wait_for(lambda: self.readiness().startswith(about) or not self.alive, within_s, self.says)
        assert self.alive, self.says()
        return self

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self, within_s: float = 30) -> int:
        """Waits for its end, and gives the exit code."""
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running:\n{self.says()}") from None

    def stop(self) -> int:
        """A graceful stop."""
        self.send(signal.SIGTERM)
        return self.ended()

    def kill(self) -> None:
        if self.alive:
            self.send(signal.SIGKILL)
            self.send(signal.SIGCONT)
        self._process.wait(10)
        if self._process.stdin is not None:
            self._process.stdin.close()


class World:
    """The topics of one test, under a prefix of its own; its workers end with it."""

    def __init__(
        self, bootstrap: str, prefix: str, folder: Path, *, partitions: int = PARTITIONS, **settings: Any
    ) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.partitions = partitions
        self.workers: list[Worker] = []
        self.sent = 0
        self._settings = settings
        self._folder = folder
        self._numbers = itertools.count(1)
        self._chance = random.Random(1)
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 2, "log_level": 0})

    def make_topics(self, changelog: Mapping[str, str] | None = None) -> Self:
        """All that the toys read and write."""
        compacted = {**_COMPACTED, **(changelog or {})}
        plain = ["log", "changes", "raw-a", "raw-b"]
        topics = [NewTopic(self.topic(name), self.partitions, 1) for name in plain]
        topics += [
            NewTopic(self.topic(n), self.partitions, 1, config=compacted) for n in ("scores", "counter-changelog")
        ]
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for made in admin.create_topics(topics).values():
            made.result(20)
        return self

    def touch_topics(self) -> Self:
        """Makes the topics of an embedded broker: it makes what is asked for, with four partitions."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for name in ("log", "changes", "scores", "counter-changelog", "raw-a", "raw-b"):
            admin.list_topics(self.topic(name), timeout=10)
        return self

    def remake(self, name: str) -> None:
        """Deletes a topic and makes it anew, empty."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        topic = self.topic(name)
        admin.delete_topics([topic], operation_timeout=20)[topic].result(20)
        wait_for(lambda: topic not in admin.list_topics(timeout=10).topics, 20)
        admin.create_topics([NewTopic(topic, self.partitions, 1)])[topic].result(20)

    def topic(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def start(self, stage: str = "counter", instance: str | None = "a", **settings: Any) -> Worker:
        """Starts a worker."""
        given = {
            "prefix": self.prefix,
            "bootstrap": self.bootstrap,
            "partitions": self.partitions,
            "instance_id": instance,
            "session_timeout_ms": 4_000,
            "heartbeat_ms": 1_000,
            **self._settings,
            **settings,
        }
        log = self._folder / f"{stage}-{instance or 'dynamic'}-{next(self._numbers)}.log"
        worker = Worker(stage, given, log)
        self.workers.append(worker)
        return worker

    def load(self, records: int, per_second: float | None = None) -> None:
        """Sends records of one to five rows to random partitions of the log; a name stays with its partition."""
        for number in range(records):
            partition = self._chance.randrange(self.partitions)
            now_ms = int(time.time() * 1000)
            rows = [self._row(partition, now_ms) for _ in range(self._chance.randint(1, 5))]
            self._producer.produce(self.topic("log"), encode(rows), partition=partition)
            self._producer.poll(0)
            if per_second and number % 10 == 9:
                time.sleep(10 / per_second)
        assert not self._producer.flush(30)

    def load_raw(self, rows: int) -> list[list[Any]]:
        """Sends single rows to both raw topics."""
        sent = []
        for _ in range(rows):
            self.sent += 1
            row = [f"n{self._chance.randrange(NAMES)}", self.sent, int(time.time() * 1000)]
            topic = self.topic(self._chance.choice(["raw-a", "raw-b"]))
            self._producer.produce(topic, encode(row), partition=self._chance.randrange(self.partitions))
            sent.append(row)
        assert not self._producer.flush(30)
        return sent

    def _row(self, partition: int, now_ms: int) -> list[Any]:
        return [f"n{partition}-{self._chance.randrange(NAMES)}", self._chance.randrange(100), now_ms]

    def write(self, topic: str, partition: int, key: bytes | None, value: bytes | None) -> None:
        """One record, as a stranger would write it."""
        errors: list[object] = []
        self._producer.produce(
            self.topic(topic), value, key, partition=partition, on_delivery=lambda error, _: errors.append(error)
        )
        assert not self._producer.flush(30)
        assert errors == [None]

    def settled(self, within_s: float = 40) -> Verdict:
        """Waits until everything is read and every deadline has come, and the worker's results are exact."""
        verdict = Verdict()

        def look() -> bool:
            nonlocal verdict
            verdict = judge(self.bootstrap, self.prefix)
            return verdict.exact and not verdict.pending

        self.wait_for(look, within_s, lambda: str(verdict))
        return verdict

    def wait_for(self, condition: Callable[[], object], within_s: float = 30, what: Callable[[], str] = str) -> None:
        """Waits; a failure has what the workers say."""
        wait_for(condition, within_s, lambda: "\n".join([what(), *(worker.says()[-3000:] for worker in self.workers)]))

    def count(self, name: str) -> int:
        """How many records a topic has."""
        return sum(map(len, read_topic(self.bootstrap, self.topic(name)).values()))

    def committed(self) -> dict[int, int | None]:
        """What the counter's group has committed of the log, by partition."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": f"{self.prefix}-counter"})
        places = [TopicPartition(self.topic("log"), number) for number in range(self.partitions)]
        try:
            found = consumer.committed(places, 10)
        finally:
            consumer.close()
        return {place.partition: place.offset if place.offset >= 0 else None for place in found}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.kill()


def wait_for(condition: Callable[[], object], within_s: float, what: Callable[[], str] = str) -> None:
    """Waits for a condition.

    Raises:
        AssertionError: It did not become true in time; `what()` tells what is known.
    """
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {within_s:.0f} s: {what()}")
        time.sleep(0.1)
