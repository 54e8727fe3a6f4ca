"""What workers wrote is what a recount of the log gives: undisturbed, and killed at every moment that matters."""

from __future__ import annotations

import re
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.engine import config
from streams.engine.checkpoint import CHECKPOINT_KEY, decode_checkpoint
from streams.engine.config import CRASH_POINTS
from tests.engine.oracle import read_topic
from tests.engine.world import PARTITIONS, World
from tests.faults.sizes import RUNS

pytestmark = pytest.mark.kafka

OPENING = ("opened", "claimed", "recovered")
CARRYING = ("carried", "acknowledged")
STEPS = ("folded", "published", "written", "acked")


def test_every_crash_point_is_among_the_tested_and_on_the_page() -> None:
    assert {*OPENING, *STEPS, *CARRYING} == set(CRASH_POINTS)
    page = (
        (Path(config.__file__).parent / "README.md").read_text().partition("### Crash points")[2].partition("\n## ")[0]
    )
    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == set(CRASH_POINTS)


def test_undisturbed_without_a_duplicate(world: World) -> None:
    world.load(600)
    worker = world.start().ready()
    world.load(300, per_second=300)
    verdict = world.settled()
    assert verdict.duplicates == 0
    assert verdict.changes > 50
    assert worker.stop() == 0


@pytest.mark.kill
@pytest.mark.parametrize("run", range(RUNS))
def test_killed_at_each_point_of_a_step(world: World, run: int) -> None:
    world.load(400)
    for point in OPENING:
        assert world.start(crash=[point, PARTITIONS if point != "recovered" else 1]).ended() == -signal.SIGKILL
    for point in STEPS:
        worker = world.start(crash=[point, 15])
        while worker.alive:
            world.load(10, per_second=200)
        assert worker.ended() == -signal.SIGKILL, worker.says()
    # A clean worker, killed at no special moment while alarms are on their way.
    worker = world.start().ready()
    world.load(100, per_second=200)
    worker.kill()
    world.start().ready()
    verdict = world.settled()
    assert verdict.changes > 50
    assert verdict.alarms > 0


def test_what_was_done_is_committed_when_it_is_taken_over(world: World) -> None:
    """Although nothing more comes: neither worker of this test gets to a commit of its own."""
    world.load(60)
    done = world.start(commit_interval_ms=600_000).ready()
    world.settled()
    done.kill()
    assert set(world.committed().values()) == {None}
    changelog = read_topic(world.bootstrap, world.topic("counter-changelog"))
    done_to = {
        number: [decode_checkpoint(record.value()).offset for record in records if record.key() == CHECKPOINT_KEY][-1]
        for number, records in changelog.items()
    }
    world.start(commit_interval_ms=600_000).ready()
    assert world.committed() == done_to


@pytest.mark.kill
@pytest.mark.parametrize("run", range(RUNS))
def test_a_carrier_killed_at_each_point_loses_nothing(world: World, run: int) -> None:
    sent = world.load_raw(300)
    for point in (*CARRYING, "published"):
        mover = world.start("mover", "m", crash=[point, 3])
        sent += world.load_raw(200)
        while mover.alive:
            sent += world.load_raw(10)
        assert mover.ended() == -signal.SIGKILL
    mover = world.start("mover", "m").ready()
    world.start().ready()

    def moved() -> Counter[int]:
        records = [m for messages in read_topic(world.bootstrap, world.topic("log")).values() for m in messages]
        rows: list[list[Any]] = [row for m in records for row in msgspec.msgpack.decode(m.value() or b"")]
        return Counter(row[1] for row in rows if row[1])

    world.wait_for(lambda: len(moved()) == len(sent))
    assert mover.stop() == 0
    verdict = world.settled()
    assert verdict.rows == sum(moved().values()) > 0
