"""Writers are opened anew, as any take-over: nothing is lost or doubled, and whoever came between is seen."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.engine.checkpoint import OWNER_KEY, Owner, decode_owner, encode_owner
from tests.engine.oracle import read_topic
from tests.engine.world import PARTITIONS, World
from tests.faults.sizes import size
from tests.kafka.broker import KafkaBroker

pytestmark = pytest.mark.kafka


def owners(world: World) -> list[list[Owner]]:
    """Who claimed each partition of the changelog, in order."""
    changelog = read_topic(world.bootstrap, world.topic("counter-changelog"))
    return [[decode_owner(m.value()) for m in messages if m.key() == OWNER_KEY] for messages in changelog.values()]


def test_exact_while_writers_are_opened_anew_under_load_and_idle(world: World) -> None:
    worker = world.start(reopen_after_s=0.3).ready()
    world.load(400, per_second=150)
    assert world.settled().duplicates == 0
    under_load = sum(map(len, owners(world)))
    assert under_load > 2 * PARTITIONS
    time.sleep(2)
    found = owners(world)
    assert sum(map(len, found)) > under_load
    for of_partition in found:
        assert len({(owner.process, owner.producer_id) for owner in of_partition}) == 1
        epochs = [owner.epoch for owner in of_partition]
        assert epochs == sorted(set(epochs))
    assert worker.stop() == 0


def test_who_was_taken_over_unnoticed_ends_before_it_writes(world: World) -> None:
    worker = world.start(reopen_after_s=3.0).ready()
    world.load(50)
    world.settled()
    stranger = Owner("stranger", generation=9, producer_id=9, epoch=9)
    world.write("counter-changelog", 1, OWNER_KEY, encode_owner(stranger))
    assert worker.ended() == 5
    assert "partition 1 was taken over by another process" in worker.says()
    assert owners(world)[1][-1] == stranger, "who is in the right is not fenced by the one who is not"


FORGETFUL = {
    "producer.id.expiration.ms": "4000",
    "producer.id.expiration.check.interval.ms": "200",
    "transactional.id.expiration.ms": "6000",
    "transaction.remove.expired.transaction.cleanup.interval.ms": "200",
}
"""A day, and a week, of the broker's memory for producers in seconds; writers are opened anew in half of it."""


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[World]:
    with KafkaBroker(settings=FORGETFUL) as broker:
        world = World(broker.bootstrap, "forgetful", tmp_path, reopen_after_s=2.0).make_topics()
        with world:
            yield world


def idle_for_longer_than_the_broker_remembers() -> None:
    time.sleep(9)


@pytest.mark.slow
@pytest.mark.parametrize("point", size(["folded", None], ["recovered", "folded", "published", None]))
def test_a_zombie_that_the_broker_forgot_is_refused_all_the_same(forgetful: World, point: str | None) -> None:
    """None: it slept idle, and its writers are due to be opened anew when it wakes."""
    world = forgetful
    world.load(60)
    if point is not None:
        zombie = world.start(instance="zombie", freeze=[point, 1 if point == "recovered" else 10])
    else:
        zombie = world.start(instance="zombie").ready()
        world.settled()
        zombie.send(signal.SIGSTOP)
    while not zombie.frozen:
        world.load(10, per_second=200)
    heir = world.start(instance="heir").ready()
    world.load(200)
    world.settled(60)
    idle_for_longer_than_the_broker_remembers()
    zombie.send(signal.SIGCONT)
    assert zombie.ended() == 5
    assert "was taken over by another process" in zombie.says() or "has a newer writer" in zombie.says()
    world.load(50, per_second=100)
    world.settled()
    assert heir.alive, "who is in the right stays"


@pytest.mark.slow
def test_who_comes_when_everything_is_forgotten_goes_on_where_the_log_says(forgetful: World) -> None:
    world = forgetful
    for _ in range(2):
        worker = world.start().ready()
        world.load(100, per_second=200)
        assert world.settled().duplicates == 0
        assert worker.stop() == 0
        idle_for_longer_than_the_broker_remembers()
    assert len({owner.producer_id for owner in owners(world)[0]}) > 1, "the broker forgot"
