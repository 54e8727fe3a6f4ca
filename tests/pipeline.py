"""A whole pipeline on a real broker: topics of its own, real worker processes, and what came out of it.

Nothing here knows pytest: fault tests, benchmarks and real input use the same class.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, Producer, TopicPartition

from schemas.log import LogRow, decode_record
from schemas.topics import (
    LEAD_EVENTS,
    LEAD_INTERNAL,
    LEAD_ROUTING,
    LEAD_SCORES,
    LEADS_CHANGELOG,
    RAW_TOPICS,
    ROUTES_CHANGELOG,
    TIER_CHANGES,
    topic_of_kind,
)
from streams.engine.checkpoint import CHECKPOINT_KEY, decode_checkpoint

__all__ = ["ID_KEY", "Kept", "LogRecord", "Pipeline"]

ID_KEY = "a-key-for-tests-alone"
COMMAND = (sys.executable, "-m", "streams.cli")
STAGES = ("ingest", "score")
FOLDED = {"score": (LEAD_EVENTS, LEADS_CHANGELOG), "route": (LEAD_ROUTING, ROUTES_CHANGELOG)}
"""What a stage with a table reads, and where its checkpoints are."""


class LogRecord(NamedTuple):
    """One record of `lead-events`, decoded."""

    partition: int
    offset: int
    safe_ms: int
    rows: list[LogRow]
    value: bytes


class Kept(NamedTuple):
    """One record as it lies on the broker."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: list[tuple[str, bytes]]


class Pipeline:
    """Topics under a prefix, workers as processes, and readers of what they wrote.

    Args:
        bootstrap: The broker.
        prefix: Of every topic and group, so that pipelines share a broker.
        folder: Logs of the workers and outputs of commands.
        settings: More settings by their names in lower case, for every command and worker.
    """

    def __init__(self, bootstrap: str, prefix: str, folder: Path, settings: Mapping[str, object] | None = None) -> None:
        self.bootstrap, self.prefix, self.folder = bootstrap, prefix, folder
        given = {"bootstrap_servers": bootstrap, "topic_prefix": prefix, "id_key": ID_KEY, "metrics_port": 0}
        given |= settings or {}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("LEADSTREAM_")}
        self.environment |= {f"LEADSTREAM_{name.upper()}": str(value) for name, value in given.items()}
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self.exits: list[tuple[str, int]] = []
        self._settings: dict[str, Mapping[str, object]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def command(self, *arguments: str, output: str = "output.txt", input_text: str | None = None) -> Path:
        """Runs a command to its end; its standard output goes to a file of the folder.

        Raises:
            subprocess.CalledProcessError: It ended with another exit code than 0.
        """
        path = self.folder / output
        with path.open("wb") as file:
            subprocess.run(
                [*COMMAND, *arguments],
                env=self.environment,
                stdout=file,
                input=None if input_text is None else input_text.encode(),
                check=True,
            )
        return path

    def start(self, name: str, *, command: tuple[str, ...] = (), **settings: object) -> None:
        """Starts a worker. Its name is that of its stage, or stage and number: `score`, `score-2`.

        Args:
            name: Its name.
            command: Arguments for Python, where it is to be another worker than the product's own.
            settings: By their names in lower case.
        """
        self._start(name, command, settings)

    def _start(self, name: str, command: tuple[str, ...], settings: Mapping[str, object]) -> None:
        self._settings[name] = settings
        run = (sys.executable, *command) if command else (*COMMAND, "worker", name.partition("-")[0])
        environment = self.environment | {f"LEADSTREAM_{key.upper()}": str(value) for key, value in settings.items()}
        environment.setdefault("LEADSTREAM_INSTANCE", name)
        with self.log(name).open("ab") as log:
            self.workers[name] = subprocess.Popen(run, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def log(self, name: str) -> Path:
        """Where a worker writes its log."""
        return self.folder / f"{name}.log"

    def end(self, name: str, number: signal.Signals = signal.SIGKILL, within_s: float = 30) -> int:
        """Ends a worker by a signal; its exit code."""
        worker = self.workers.pop(name)
        worker.send_signal(number)
        code = worker.wait(within_s)
        self.exits.append((name, code))
        return code

    def ended(self, name: str, within_s: float) -> int:
        """Waits until a worker ends by itself; its exit code."""
        code = self.workers[name].wait(within_s)
        del self.workers[name]
        self.exits.append((name, code))
        return code

    def tend(self) -> None:
        """Starts workers anew that have ended by themselves, as `up` does."""
        for name, worker in list(self.workers.items()):
            if worker.poll() is not None:
                self.exits.append((name, worker.returncode))
                del self.workers[name]
                self._start(name, (), self._settings[name])

    def stop(self) -> None:
        """Stops every worker, gracefully first."""
        for worker in self.workers.values():
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
        for worker in self.workers.values():
            try:
                worker.wait(20)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self.workers.clear()

    def send(self, events: Iterable[Mapping[str, Any]], timestamp_ms: int | None = None) -> int:
        """Sends events to their topics, without a worker's or a command's help; how many."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5, "enable.idempotence": True})
        count = 0
        for event in events:
            times = {} if timestamp_ms is None else {"timestamp": timestamp_ms}
            topic = self.prefix + topic_of_kind(event["kind"])
            producer.produce(topic, msgspec.json.encode(event), **times)  # type: ignore[arg-type]
            count += 1
            if not count % 1000:
                producer.poll(0)
        if producer.flush(60):
            raise RuntimeError("the broker did not take every event in 60 s")
        return count

    def read(self, topic: str) -> list[Kept]:
        """Everything that a topic holds now, by partition and offset."""
        name = self.prefix + topic
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": f"{self.prefix}reader",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
            }
        )
        try:
            partitions = consumer.list_topics(name, 10).topics[name].partitions
            consumer.assign([TopicPartition(name, partition, OFFSET_BEGINNING) for partition in partitions])
            records: list[Kept] = []
            ended: set[int] = set()
            while len(ended) < len(partitions):
                # Waits for as many or so long: a short topic must not take a second to read.
                for message in consumer.consume(5000, 0.05):
                    if message.error() is not None:
                        ended.add(_partition(message))
                    else:
                        records.append(_kept(message))
        finally:
            consumer.close()
        records.sort(key=lambda record: record[:2])
        return records

    def log_records(self) -> list[LogRecord]:
        """The log, decoded."""
        found = []
        for record in self.read(LEAD_EVENTS):
            if record.value is not None:
                safe_ms, rows = decode_record(record.value)
                found.append(LogRecord(record.partition, record.offset, safe_ms, rows, record.value))
        return found

    def tier_changes(self) -> list[dict[str, Any]]:
        """Tier changes as they lie on the broker, duplicates and all."""
        return [msgspec.json.decode(record.value) for record in self.read(TIER_CHANGES) if record.value is not None]

    def lead_scores(self) -> dict[str, dict[str, Any]]:
        """The last score of every lead."""
        found: dict[str, dict[str, Any]] = {}
        for record in self.read(LEAD_SCORES):
            if record.value is not None:
                score = msgspec.json.decode(record.value)
                found[score["lead_id"]] = score
        return found

    def lag(self, stage: str) -> int:
        """Source records that a stage has not committed yet."""
        topics = (*RAW_TOPICS, LEAD_INTERNAL) if stage == "ingest" else FOLDED[stage][:1]
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": f"{self.prefix}leadstream-{stage}"})
        try:
            lag = 0
            for topic in (self.prefix + name for name in topics):
                partitions = consumer.list_topics(topic, 10).topics[topic].partitions
                for place in consumer.committed([TopicPartition(topic, number) for number in partitions], 10):
                    low, high = consumer.get_watermark_offsets(TopicPartition(topic, place.partition), 10)
                    lag += high - max(place.offset, low)
            return self._behind_checkpoints(*FOLDED[stage]) if lag and stage in FOLDED else lag
        finally:
            consumer.close()

    def _behind_checkpoints(self, source: str, changelog: str) -> int:
        """The position of a fold is its checkpoint: one that was killed behind it commits with the next record."""
        latest = {record.partition: record.value for record in self.read(changelog) if record.key == CHECKPOINT_KEY}
        ends: dict[int, int] = {}
        for record in self.read(source):
            ends[record.partition] = record.offset + 1
        return sum(
            end - (decode_checkpoint(latest[partition]).offset if partition in latest else 0)
            for partition, end in ends.items()
        )

    def drained(self, within_s: float = 120, *, stages: Iterable[str] = STAGES) -> None:
        """Waits until the stages have committed everything, twice in a row; tends the workers meanwhile.

        Raises:
            TimeoutError: It took too long.
        """
        end = time.monotonic() + within_s
        quiet = 0
        while quiet < 2:
            if time.monotonic() > end:
                left = {stage: self.lag(stage) for stage in stages}
                raise TimeoutError(f"{left} records left after {within_s:.0f} s; logs in {self.folder}")
            self.tend()
            time.sleep(0.5)
            try:
                quiet = quiet + 1 if not sum(self.lag(stage) for stage in stages) else 0
            except KafkaException:
                quiet = 0  # a broker that has just started does not know its groups yet


def _partition(message: Message) -> int:
    partition = message.partition()
    assert partition is not None
    return partition


def _kept(message: Message) -> Kept:
    offset = message.offset()
    assert offset is not None
    headers = cast("list[tuple[str, bytes]]", message.headers() or [])
    return Kept(_partition(message), offset, message.key(), message.value(), message.timestamp()[1], headers)
