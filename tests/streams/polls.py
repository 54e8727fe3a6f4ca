"""An ingest stage that is polled without a broker, and what it made of the polls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec

from schemas.log import (
    LogRow,
    decode_record,
)
from schemas.times import iso
from schemas.topics import RAW_TOPICS
from streams.breaker import Breaker, Pause
from streams.engine.stage import Block, Carried, FetchState, Publisher, Record, TopicPartition
from streams.health import Readiness
from streams.ingest import IngestStage, IngestTopics
from streams.ingest_watch import IngestWatch
from streams.metrics import Metrics
from streams.progress import ProgressBoard
from streams.watch import Watch

__all__ = [
    "INTERNAL",
    "INTERNAL_1",
    "OPENS",
    "PARTITIONS",
    "START_MS",
    "TOPICS",
    "VIEWS",
    "Ingest",
    "blocks_of",
    "letters_of",
    "log_of",
    "raw",
    "rows_of",
]

START_MS = 1_772_446_500_000
PARTITIONS = 4
TOPICS = IngestTopics(
    dict.fromkeys((*RAW_TOPICS, "lead-internal"), 2), "lead-internal", "lead-events", "dead-letters", PARTITIONS
)
VIEWS, OPENS = TopicPartition("page-views", 0), TopicPartition("email-opens", 1)
INTERNAL, INTERNAL_1 = TopicPartition("lead-internal", 0), TopicPartition("lead-internal", 1)


class Alone:
    """No other worker, no broker."""

    def __init__(self) -> None:
        self.board = ProgressBoard()
        self.told: list[Mapping[TopicPartition, int]] = []

    async def start(self, publisher: Publisher) -> None: ...

    async def stop(self) -> None: ...

    def check(self) -> None: ...

    def carried(self, bounds: Mapping[TopicPartition, int], newest_ms: int, *, alone: bool) -> None:
        self.told.append(bounds)

    def pause(self, pause: Pause) -> None:
        self.board.pauses[pause.topic] = pause


class Ingest:
    """A stage, and a short way to poll it."""

    def __init__(self, pack_rows: int = 100, window: int = 1000, together: int = 1000) -> None:
        self.progress = Alone()
        self.readiness = Readiness()
        watch = IngestWatch(Watch(Metrics("ingest"), self.readiness), "")
        breaker = Breaker(window, 0.5)
        self.stage = IngestStage(
            TOPICS, b"k" * 16, pack_rows, breaker, self.progress, watch, "ingest", together=together
        )
        self.stage.assigned(TOPICS.places())

    def poll(self, fetched: Mapping[TopicPartition, list[Record]], *, at_end: bool = True) -> Carried:
        idle = {tp: FetchState(at_end, 0.0, 0.0) for tp in TOPICS.places() if tp not in fetched}
        carried = self.stage.carry({tp: blocks_of(records) for tp, records in fetched.items()}, idle)
        self.stage.acknowledged(carried)
        return carried


def blocks_of(records: Iterable[Record]) -> list[Block]:
    """Records as a carry stage gets them, those of one time that follow each other together."""
    of_one_time = [(time_ms, list(found)) for time_ms, found in groupby(records, attrgetter("timestamp_ms"))]
    return [Block(time_ms, found[-1].offset + 1, len(found), iter(found)) for time_ms, found in of_one_time]


def raw(number: int, time_ms: int, lead: Any = "ann", **fields: Any) -> Record:
    event = {
        "event_id": f"e{number}",
        "kind": "download",
        "occurred_at": iso(START_MS),
        "lead": lead if isinstance(lead, dict) else {"lead_id": lead},
        "asset": "a.pdf",
    } | fields
    return Record(number, START_MS + time_ms, b"key", msgspec.json.encode(event), (("trace", b"1"),))


def log_of(carried: Carried, partition: int) -> list[tuple[bytes | None, int, list[LogRow]]]:
    """(key, safe from the start, rows) of every record for a partition of the log."""
    entries = carried.outputs.get(TopicPartition("lead-events", partition), [])
    decoded = [(key, *decode_record(value)) for key, value, _ in entries]
    return [(key, safe_ms - START_MS, rows) for key, safe_ms, rows in decoded]


def letters_of(carried: Carried) -> list[tuple[bytes | None, bytes | None, Any]]:
    return [entry for tp, entries in carried.outputs.items() if tp.topic == "dead-letters" for entry in entries]


def rows_of(carried: Carried) -> list[LogRow]:
    """All rows, by partition."""
    return [row for partition in range(PARTITIONS) for _, _, rows in log_of(carried, partition) for row in rows]
