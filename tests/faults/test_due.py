"""Workers die within half a second of the moment at which an answer is due: the breach is told once, and soon."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Callable
from statistics import quantiles

import pytest

from schemas.times import parse_iso
from schemas.topics import SLA_EVENTS
from streams.clock import now_ms
from tests.faults.routed_trial import RoutedTrial
from tests.faults.routing_world import RoutingLoad
from tests.faults.sizes import SEEDS, size
from tests.faults.watcher import News, Watcher

pytestmark = [pytest.mark.kafka, pytest.mark.kill]

AROUND_MS = 500
MOST_LATE_MS, MOST_LATE_AFTER_A_CRASH_MS = 5_000, 30_000


@pytest.mark.parametrize("seed", SEEDS)
def test_workers_killed_when_an_answer_is_due_tell_the_breach_once(
    routed: RoutedTrial, seed: int, record_property: Callable[[str, object], None]
) -> None:
    down_ms: list[tuple[int, int]] = []
    chance = random.Random(seed)
    routed.begin()
    routed.ready("route")
    with Watcher(routed, SLA_EVENTS) as watcher:
        with RoutingLoad(routed, seed, rate=40, leads=60):
            for number in range(size(4, 100)):
                due_ms = next_due(watcher.news)
                stage = ("route", "score")[number % 2]
                time.sleep(max(0, due_ms + chance.randint(-AROUND_MS, AROUND_MS) - now_ms()) / 1000)
                killed_ms = now_ms()
                routed.end(stage, signal.SIGKILL)
                routed.start(stage)
                for name in routed.stages:
                    routed.ready(name)
                down_ms.append((killed_ms, now_ms()))
                time.sleep(chance.uniform(0, 3))
        routed.settled()
    live, after = lateness_ms(watcher.news, down_ms)
    record_property("live", json.dumps({"breaches": len(live), "p99_ms": p99(live)}))
    record_property("after_a_crash", json.dumps({"breaches": len(after), "p99_ms": p99(after)}))
    assert p99(live) < MOST_LATE_MS
    assert p99(after) < MOST_LATE_AFTER_A_CRASH_MS
    routed.judge(poison=False)


def next_due(news: list[News], within_s: float = 20) -> int:
    """When the next answer is due that leaves time to aim."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        due_ms = [parse_iso(said["due_at"]) for _, said in news[-200:] if said["what"] == "started"]
        coming = [due for due in due_ms if due > now_ms() + AROUND_MS]
        if coming:
            return min(coming)
        time.sleep(0.05)
    raise TimeoutError("no clock was started")


def lateness_ms(news: list[News], down_ms: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """How late each breach could be read: with all workers there, and where one was down meanwhile."""
    live: list[int] = []
    after: list[int] = []
    told: set[str] = set()
    for at_ms, said in news:
        if said["what"] == "breached" and said["id"] not in told:
            told.add(said["id"])
            due_ms = parse_iso(said["due_at"])
            crashed = any(killed < at_ms and due_ms < ready for killed, ready in down_ms)
            (after if crashed else live).append(at_ms - due_ms)
    return live, after


def p99(values: list[int]) -> float:
    """What one of a hundred exceeds."""
    return quantiles(values, n=100)[98]
