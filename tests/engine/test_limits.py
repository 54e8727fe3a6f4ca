"""What is larger than a limit is cut, or refused by name; what is due is asked for in time."""

from __future__ import annotations

import time

import msgspec
import pytest

from tests.engine.oracle import read_topic
from tests.engine.toy import ALARM, DEADLINE_MS
from tests.engine.world import PARTITIONS, World

pytestmark = pytest.mark.kafka

decode = msgspec.msgpack.decode


def test_a_backlog_larger_than_every_limit_is_cut(world: World) -> None:
    # Fetches smaller than a record batch of the log, steps smaller than a record, outputs larger than a batch.
    world.load(800)
    world.start(fetch_max_bytes=1_000, poll_records=2, step_rows=3, max_batch_bytes=2_000).ready()
    verdict = world.settled()
    assert verdict.duplicates == 0
    assert verdict.changes > 50


def test_rows_that_do_not_fit_into_one_batch_are_refused(world: World) -> None:
    world.load(800)
    worker = world.start(step_rows=1_000_000, max_batch_bytes=300)
    assert worker.ended() == 5
    assert "do not fit into one batch of 300 bytes: the stage's steps are too large" in worker.says()
    # Nothing of the step is in the table: the next worker does all of it.
    assert {key for key, _ in rows(world, "counter-changelog")} == {b"\0owner"}
    world.start().ready()
    assert world.settled().changes > 50


def test_deadlines_come_soon_after_they_are_due_and_never_before(world: World) -> None:
    worker = world.start().ready()
    for number in range(30):
        set_deadline(world, number)
        time.sleep(0.05)
    world.settled()
    late_ms = [
        (message.timestamp()[1] - int(cause.removeprefix("deadline ")))
        for messages in read_topic(world.bootstrap, world.topic("changes")).values()
        for message in messages
        if (cause := decode(message.value() or b"")["cause"]).startswith("deadline")
    ]
    assert len(late_ms) == 30
    assert min(late_ms) >= 0
    # A second for the log's time to be certain, the look at the clock, and the machine's own slowness.
    assert sorted(late_ms)[len(late_ms) // 2] < 2_500
    assert max(late_ms) < 5_000
    asked = alarms(world)
    assert max(map(len, asked.values())) <= 6
    # Nothing is due any more, and nobody asks.
    time.sleep(2 * DEADLINE_MS / 1000)
    assert alarms(world) == asked
    assert worker.stop() == 0


def test_a_deadline_that_passed_while_nobody_was_there_comes_once(world: World) -> None:
    worker = world.start().ready()
    set_deadline(world, 1)
    world.wait_for(lambda: b"n1" in {key for key, _ in rows(world, "counter-changelog")})
    worker.kill()
    time.sleep(2 * DEADLINE_MS / 1000)
    world.start().ready()
    verdict = world.settled()
    assert (verdict.changes, verdict.duplicates) == (1, 0)


def test_where_time_comes_from_past_records_alone_nobody_asks(world: World) -> None:
    set_deadline(world, 1)
    world.start(ask_for_time=False).ready()
    world.wait_for(lambda: b"n1" in {key for key, _ in rows(world, "counter-changelog")})
    time.sleep(3 * DEADLINE_MS / 1000)
    assert not any(alarms(world).values())


def set_deadline(world: World, number: int) -> None:
    """Rows of one name that make it wait for a moment."""
    rows = [[f"n{number}", 1, int(time.time() * 1000)]] * 7
    world.write("log", number % PARTITIONS, None, msgspec.msgpack.encode(rows))


def rows(world: World, topic: str) -> list[tuple[bytes, bytes | None]]:
    """Keys and values of a topic."""
    return [
        (m.key() or b"", m.value())
        for messages in read_topic(world.bootstrap, world.topic(topic)).values()
        for m in messages
    ]


def alarms(world: World) -> dict[int, list[int]]:
    """Offsets of the log's alarms, by partition."""
    return {
        partition: [m.offset() or 0 for m in messages if decode(m.value() or b"")[0][0] == ALARM]
        for partition, messages in read_topic(world.bootstrap, world.topic("log")).items()
    }
