"""`worker view`: keeps Redis at what Kafka says.

One worker writes; others stand by. Redis away, full or slow: it tries again, longer and longer, and is not ready.
Once a second it asks the brokers where the topics end; when everything up to there is in Redis, Redis is whole, and as
of the log time at the moment of asking.
"""

from __future__ import annotations

import logging
import signal
import time
from typing import NamedTuple

import msgspec
import redis

from streams.clock import now_ms
from streams.engine_config import instance_name
from streams.settings import Settings
from streams.view.batch import Batch
from streams.view.facts import KEPT_MS
from streams.view.keys import Keys
from streams.view.link import client, place_of, words
from streams.view.report import make_report
from streams.view.source import Asked, PositionsLost, Source
from streams.view.store import Hold, HoldLost, Store
from streams.watch import Watch

__all__ = ["ViewWorker"]

log = logging.getLogger(__name__)

BEAT_S = 1.0
REPORT_S = 10.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_STANDBY_PAUSE_S = 1.0
_SILENT_S = 5.0
"""A broker that has not answered for so long makes the view unready, as it does the other workers."""

_encode = msgspec.json.Encoder().encode


class _Moment(NamedTuple):
    """When the brokers were asked: on the wall, in log time, and the latest moment of which lead-routing told."""

    seen_at_ms: int
    log_time_ms: int
    latest_ms: int


class ViewWorker:
    """The view.

    Args:
        settings: Where Kafka and Redis are.
        watch: Metrics and readiness.

    Raises:
        BrokerUnreachable: Kafka does not answer.
        StateRefused: A topic does not exist.
        UsageError: A setting is wrong.
    """

    def __init__(self, settings: Settings, watch: Watch) -> None:
        self._settings, self._readiness = settings, watch.readiness
        self._metrics = watch.metrics
        self._seen = watch.metrics.view
        self._redis = client(settings)
        self._source = Source(settings, KEPT_MS)
        keys = Keys(settings.redis_prefix)
        self._store = Store(
            self._redis, keys, instance_name(settings), self._source.topic_ids(), now_ms, time.monotonic
        )
        self._hold: Hold | None = None
        self._asked: tuple[Asked, _Moment] | None = None
        # Since when a question of ours has no answer, and why.
        self._unanswered_since: float | None = None
        self._refusal = ""
        self._asked_at = self._reported_at = self._told_at = 0.0
        self._reported_ms = -1
        self._goal: dict[tuple[str, int], int] | None = None
        self._ends: dict[tuple[str, int], int] = {}
        self._begun_at = 0
        self._pause_s = 0.0
        self._stop = False

    def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        try:
            while not self._stop:
                self._readiness.beat()
                self._turn()
        finally:
            self._source.close()
            self._redis.close()

    def _on_signal(self, number: int, frame: object) -> None:
        self._stop = True

    def _turn(self) -> None:
        """One batch, or one try to become the writer; what Redis refuses is tried again."""
        try:
            if self._hold is None:
                self._take()
            else:
                self._step(self._hold)
            self._pause_s = 0.0
            self._readiness.unblock("redis")
        except (HoldLost, PositionsLost) as error:
            log.warning("%s; going on from what is there", error)
            self._let_go()
        except redis.RedisError as error:
            self._seen.redis_errors.inc()
            why = words(self._settings, error)
            if not self._pause_s:
                log.error("%s; trying again", why)
            self._readiness.block("redis", why)
            self._let_go()
            self._redis.connection_pool.disconnect()
            self._pause_s = min(max(self._pause_s * 2, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            self._wait(self._pause_s)

    def _wait(self, seconds: float) -> None:
        """Sleeps in pieces, so that the worker beats meanwhile and hears that it is to stop."""
        end = time.monotonic() + seconds
        while not self._stop and time.monotonic() < end:
            self._readiness.beat()
            time.sleep(min(0.1, seconds))

    def _let_go(self) -> None:
        self._hold = self._asked = self._unanswered_since = None

    def _take(self) -> None:
        hold = self._store.take()
        if hold is None:
            self._readiness.engine(False, "another view worker writes; this one stands by")
            self._wait(_STANDBY_PAUSE_S)
            return
        hold.positions = self._source.go_to(hold.positions)
        self._hold, self._goal, self._begun_at = hold, None, sum(hold.positions.values())
        self._asked_at = self._reported_at = self._told_at = 0.0
        self._reported_ms = -1
        if hold.whole:
            self._readiness.engine(True, f"writing to Redis at {place_of(self._settings)}")
        else:
            self._seen.rebuilds.inc()
            log.info("Redis at %s is empty or of another time: filling it", place_of(self._settings))
            self._readiness.engine(False, "Redis is being filled from Kafka")

    def _step(self, hold: Hold) -> None:
        self._ask(hold)
        batch = Batch.of(self._source.read())
        for topic, problem in batch.refused:
            self._seen.refused.labels(topic).inc()
            log.error("%s; passed over", problem)
        if batch.positions:
            before = dict(hold.positions)
            self._seen.leads.inc(self._store.apply(hold, batch))
            for place, position in batch.positions.items():
                self._seen.records.labels(place[0]).inc(position - before.get(place, 0))
        for place, end in self._source.at_end.items():
            hold.positions[place] = max(end, hold.positions.get(place, 0))
        self._answer(hold)

    def _ask(self, hold: Hold) -> None:
        """Asks where the topics end, once a second; log time is that of before the question."""
        now = time.monotonic()
        if self._asked is None and now - self._asked_at >= BEAT_S:
            self._asked_at = now
            self._unanswered_since = self._unanswered_since or now
            self._asked = (self._source.ask_ends(), _Moment(now_ms(), hold.clock.now_ms, hold.clock.latest_ms))

    def _answer(self, hold: Hold) -> None:
        if self._asked is None or not self._asked[0].done:
            self._notice_silence()
            return
        asked, moment = self._asked
        if self._goal is None:
            self._goal = asked.offsets()
            if self._goal is None:
                self._asked, self._refusal = None, asked.refusal
                self._notice_silence()
                return
            self._unanswered_since, self._refusal = None, ""
            self._readiness.unblock("kafka")
            self._show_lag(hold, self._goal)
        if not self._source.left(self._goal, hold.positions):
            self._caught_up(hold, moment)
            self._asked = self._goal = None
        elif time.monotonic() - self._told_at >= BEAT_S:
            self._told_at = time.monotonic()
            total = sum(self._goal.values()) - self._begun_at
            done = sum(hold.positions.values()) - self._begun_at
            self._store.progress(hold, done, total)
            if not hold.whole:
                why = f"Redis is being filled from Kafka: {100 * done // max(total, 1)} %"
                self._readiness.engine(False, why)

    def _notice_silence(self) -> None:
        since = self._unanswered_since
        if since is not None and (silent_s := time.monotonic() - since) > _SILENT_S:
            why = f": {self._refusal}" if self._refusal else ""
            servers = self._settings.bootstrap_servers
            self._readiness.block(
                "kafka", f"Kafka at {servers} has not said for {silent_s:.0f} s where topics end{why}"
            )

    def _caught_up(self, hold: Hold, moment: _Moment) -> None:
        report = None
        now = time.monotonic()
        # What the report counts comes with log time, which moves its window too: it is new when that moved.
        until_ms = moment.latest_ms
        if until_ms not in (0, self._reported_ms) and now - self._reported_at >= REPORT_S:
            made = make_report(hold.facts, until_ms)
            report = _encode(made)
            self._seen.sales.show(made)
            self._reported_at, self._reported_ms = now, until_ms
        was_whole = hold.whole
        self._store.caught_up(hold, moment.seen_at_ms, moment.log_time_ms, report, until_ms - KEPT_MS)
        self._seen.caught_up.set(moment.seen_at_ms / 1000)
        if not was_whole:
            # The log time of before the first question is none, or an old one: the next comes at once.
            self._asked_at = 0.0
            log.info("Redis at %s is whole", place_of(self._settings))
            self._readiness.engine(True, f"writing to Redis at {place_of(self._settings)}")

    def _show_lag(self, hold: Hold, ends: dict[tuple[str, int], int]) -> None:
        for place, end in ends.items():
            behind = max(0, end - hold.positions.get(place, 0))
            self._metrics.lag_records.labels(self._settings.topic(place[0]), str(place[1])).set(behind)
