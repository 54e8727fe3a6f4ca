"""The view's side of Redis: one writer, one MULTI/EXEC a batch, and nothing half.

`meta` is watched from the moment at which a batch looks at what was there to its EXEC. Each EXEC changes its `fence`;
whoever finds another one than it wrote (another worker took over, Redis was emptied, an older copy came back) has lost
its hold, reads the positions anew and goes on from there. An EXEC whose answer never came was done or was not: the
positions tell.

A Redis without our data is `rebuilding` until everything that Kafka held at one moment is in it; before that no reader
takes it for the whole.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, cast

import redis
from redis.client import Pipeline

from streams.view.batch import Batch, LogClock
from streams.view.changes import Changes
from streams.view.entry import LeadEntry, decode_entry
from streams.view.facts import decode_facts
from streams.view.hold import Hold, HoldLost, position_field, positions_of
from streams.view.keys import LAYOUT, Keys

__all__ = ["Hold", "HoldLost", "Store"]

_STANDBY_S = 10.0
_SCAN = 1_000


class Store:
    """One view worker at Redis.

    Args:
        client: Connected to Redis; answers are bytes.
        keys: Names of the keys.
        writer: This worker's name.
        topics: What tells the topics from others of the same names; where it differs, Redis is filled anew.
        now_ms: The clock on the wall, for readers who want to know since when nothing was heard of Kafka.
        monotonic: Seconds, to know for how long another worker was silent.
    """

    def __init__(
        self,
        client: redis.Redis,
        keys: Keys,
        writer: str,
        topics: str,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._redis, self._keys, self._writer, self._topics = client, keys, writer, topics
        self._now_ms, self._monotonic = now_ms, monotonic
        self._other: tuple[str, float] = ("", 0.0)
        self._count = 0

    def take(self) -> Hold | None:
        """Becomes the writer; None while another worker writes.

        Raises:
            redis.RedisError: Redis does not answer, or refuses.
        """
        with self._redis.pipeline() as pipe:
            self._watch_meta(pipe)
            meta = _texts(cast("Any", pipe.hgetall(self._keys.meta)))
            if self._another_writes(meta):
                return None
            anew = (meta.get("layout"), meta.get("topics")) != (LAYOUT, self._topics)
            clear = anew or meta.get("state") == "clearing"
            fence = self._next_fence()
            pipe.multi()
            if clear:
                pipe.delete(self._keys.meta)
                begun = {"layout": LAYOUT, "topics": self._topics, "state": "clearing", "epoch": uuid.uuid4().hex}
                self._set_meta(pipe, begun | {"since": str(self._now_ms()), "progress": "0"})
            self._set_meta(pipe, {"writer": self._writer, "fence": fence})
            self._execute(pipe)
        if not clear:
            return self._hold(fence, meta)
        return Hold(self._clear(fence), {}, LogClock(), {}, whole=False)

    def apply(self, hold: Hold, batch: Batch) -> int:
        """Takes a batch, whole or not at all; how many leads it changed.

        Raises:
            HoldLost: Somebody else changed what is in Redis.
            redis.RedisError: Redis does not answer, or refuses.
        """
        names = batch.leads
        changes = Changes(self._keys, hold.facts)
        with self._redis.pipeline() as pipe:
            self._watch(pipe, hold)
            found = cast("list[bytes | None]", pipe.hmget(self._keys.index, names)) if names else []
            entries = {
                name: LeadEntry() if raw is None else decode_entry(raw) for name, raw in zip(names, found, strict=True)
            }
            changes.fold(batch, entries)
            pipe.multi()
            changes.write(pipe)
            self._write_meta(
                pipe, hold, {position_field(*place): str(at) for place, at in batch.positions.items()}, batch
            )
        return changes.leads

    def caught_up(self, hold: Hold, seen_at_ms: int, log_time_ms: int, report: bytes | None, before_ms: int) -> None:
        """Everything that Kafka held at that moment is there.

        Args:
            hold: What is held.
            seen_at_ms: The moment, by the clock on the wall.
            log_time_ms: Log time at that moment.
            report: The report at that log time; None: it stays as it is.
            before_ms: Facts that are older are forgotten.

        Raises:
            HoldLost: Somebody else changed what is in Redis.
            redis.RedisError: Redis does not answer, or refuses.
        """
        told = {"state": "whole", "seen_at": str(seen_at_ms), "as_of": str(log_time_ms)}
        with self._redis.pipeline() as pipe:
            self._watch(pipe, hold)
            pipe.multi()
            if report is not None:
                changes = Changes(self._keys, hold.facts)
                changes.forget(before_ms)
                changes.write(pipe)
                pipe.set(self._keys.report, report)
            self._write_meta(pipe, hold, told)
        hold.whole = True

    def progress(self, hold: Hold, done: int, total: int) -> None:
        """How much of what Kafka held at first is there, for people; also a sign of life for workers that stand by."""
        with self._redis.pipeline() as pipe:
            self._watch(pipe, hold)
            pipe.multi()
            share = 100 * done // total if total else 100
            self._write_meta(pipe, hold, {} if hold.whole else {"progress": str(share)})

    def _write_meta(self, pipe: Pipeline, hold: Hold, fields: Mapping[str, str], batch: Batch | None = None) -> None:
        fence = self._next_fence()
        more = {"fence": fence}
        if batch is not None and batch.latest_ms:
            hold.clock.latest_ms = max(hold.clock.latest_ms, batch.latest_ms)
            for row in batch.times:
                hold.clock.take(row)
            more["times"] = hold.clock.state()
        self._set_meta(pipe, {**fields, **more})
        self._execute(pipe)
        hold.fence = fence
        if batch is not None:
            hold.positions.update(batch.positions)

    def _watch(self, pipe: Pipeline, hold: Hold) -> None:
        self._watch_meta(pipe)
        found = cast("bytes | None", pipe.hget(self._keys.meta, "fence"))
        if found is None or found.decode() != hold.fence:
            raise HoldLost("Redis is not as this worker left it")

    def _watch_meta(self, pipe: Pipeline) -> None:
        pipe.watch(self._keys.meta)  # type: ignore[no-untyped-call]

    def _set_meta(self, pipe: Pipeline, fields: Mapping[str, str]) -> None:
        pipe.hset(self._keys.meta, items=[item for pair in fields.items() for item in pair])

    def _execute(self, pipe: Pipeline) -> None:
        try:
            pipe.execute()
        except redis.WatchError as error:
            raise HoldLost("Redis changed while a batch was written") from error

    def _another_writes(self, meta: Mapping[str, str]) -> bool:
        """Whether another worker gave a sign of life within the last seconds, by this worker's own clock."""
        if meta.get("writer", self._writer) == self._writer:
            return False
        fence, since = self._other
        if meta.get("fence", "") != fence:
            self._other = (meta.get("fence", ""), self._monotonic())
            return True
        return self._monotonic() - since < _STANDBY_S

    def _next_fence(self) -> str:
        self._count += 1
        return f"{self._writer}:{uuid.uuid4().hex[:8]}:{self._count}"

    def _hold(self, fence: str, meta: Mapping[str, str]) -> Hold:
        facts = {
            name.decode(): decode_facts(raw)
            for name, raw in cast("Any", self._redis.hscan_iter(self._keys.facts, count=_SCAN))
        }
        return Hold(fence, positions_of(meta), LogClock(meta.get("times", "")), facts, meta.get("state") == "whole")

    def _clear(self, fence: str) -> str:
        """Takes away everything of an older layout or of other topics; from then on Redis is being rebuilt."""
        hold = Hold(fence, {}, LogClock(), {}, whole=False)
        found: list[bytes] = []
        for name in cast("Any", self._redis.scan_iter(match=f"{self._keys.prefix}*", count=_SCAN)):
            if name.decode() != self._keys.meta:
                found.append(name)
            if len(found) == _SCAN:
                self._unlink(hold, found)
                found = []
        self._unlink(hold, found)
        with self._redis.pipeline() as pipe:
            self._watch(pipe, hold)
            pipe.multi()
            self._write_meta(pipe, hold, {"state": "rebuilding"})
        return hold.fence

    def _unlink(self, hold: Hold, names: list[bytes]) -> None:
        if not names:
            return
        with self._redis.pipeline() as pipe:
            self._watch(pipe, hold)
            pipe.multi()
            pipe.unlink(*names)
            self._write_meta(pipe, hold, {})


def _texts(found: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in found.items()}
