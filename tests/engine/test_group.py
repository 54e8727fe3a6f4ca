"""Several workers of a stage: they come, go, stand by, and are refused when their time is over."""

from __future__ import annotations

import re
import signal
import time

import pytest

from tests.engine.world import PARTITIONS, Worker, World

pytestmark = pytest.mark.kafka


def partitions_of(worker: Worker) -> list[int]:
    """Those that a worker last said to be ready for."""
    found = re.search(r"^READY working on partitions \[(.*)\]", worker.readiness())
    return [int(number) for number in found.group(1).split(", ")] if found else []


def share(*workers: Worker) -> list[int]:
    return sorted(number for worker in workers for number in partitions_of(worker))


def test_workers_join_and_leave(world: World) -> None:
    world.load(200)
    one = world.start(instance="one").ready()
    two = world.start(instance="two")
    world.load(200, per_second=100)
    world.wait_for(lambda: share(one, two) == list(range(PARTITIONS)) and partitions_of(two))
    world.load(100, per_second=200)
    assert one.stop() == 0
    world.load(100, per_second=200)
    world.wait_for(lambda: partitions_of(two) == list(range(PARTITIONS)))
    again = world.start(instance="three").ready()
    world.load(100, per_second=200)
    two.kill()
    # Nobody says that it is gone; its session has to end.
    world.wait_for(lambda: partitions_of(again) == list(range(PARTITIONS)))
    world.load(50)
    assert world.settled().changes > 50
    assert again.stop() == 0


def test_a_graceful_stop_repeats_nothing(world: World) -> None:
    for _ in range(3):
        worker = world.start().ready()
        world.load(100, per_second=200)
        assert worker.stop() == 0
    world.start().ready()
    world.load(100, per_second=200)
    assert world.settled().duplicates == 0


@pytest.mark.parametrize("point", ["folded", "published"])
def test_a_zombie_in_the_midst_of_a_step_is_refused_by_the_broker(world: World, point: str) -> None:
    world.load(60)
    zombie = world.start(instance="zombie", freeze=[point, 10])
    while not zombie.frozen:
        world.load(10, per_second=200)
        assert zombie.alive, zombie.says()
    heir = world.start(instance="heir")
    world.load(200)
    world.wait_for(lambda: partitions_of(heir) == list(range(PARTITIONS)))
    world.settled()
    zombie.send(signal.SIGCONT)
    woken = time.monotonic()
    # Its outputs are those of the log, under the same ids; its rows are not taken.
    assert zombie.ended() == 5
    assert time.monotonic() - woken < 1
    assert "has a newer writer: another worker has taken over" in zombie.says()
    assert heir.alive
    world.load(50)
    world.settled()


def test_an_idle_zombie_gives_up_what_it_had(world: World) -> None:
    zombie = world.start(instance="zombie", sleep_limit_s=6.0).ready()
    world.load(60)
    world.settled()
    zombie.send(signal.SIGSTOP)
    heir = world.start(instance="heir")
    world.load(100)
    world.wait_for(lambda: partitions_of(heir) == list(range(PARTITIONS)))
    time.sleep(3)
    zombie.send(signal.SIGCONT)
    woken = time.monotonic()
    assert zombie.ended() == 5
    assert time.monotonic() - woken < 1
    world.load(100, per_second=200)
    assert "slept for" in zombie.says()
    world.settled()


def test_a_surplus_worker_stands_by_and_says_so(world: World) -> None:
    workers = [world.start(instance=f"w{number}") for number in range(PARTITIONS + 1)]
    world.wait_for(lambda: share(*workers) == list(range(PARTITIONS)), 60)
    world.wait_for(lambda: sum("READY standing by" in worker.readiness() for worker in workers) == 1)
    # Longer than the look at the group takes: standing by is no reason to stop.
    time.sleep(8)
    assert all(worker.alive for worker in workers)
    world.load(50)
    world.settled()
    busy = next(worker for worker in workers if partitions_of(worker))
    surplus = next(worker for worker in workers if not partitions_of(worker))
    assert busy.stop() == 0
    world.wait_for(lambda: partitions_of(surplus))
    world.load(50)
    world.settled()
