"""Writers are opened anew, as any take-over: nothing is lost or doubled, and whoever came between is seen."""

from __future__ import annotations

import time

import pytest

from streams.engine.checkpoint import OWNER_KEY, Owner, decode_owner, encode_owner
from tests.engine.oracle import read_topic
from tests.engine.world import PARTITIONS, World

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
