"""Several workers of a stage: they come, go, stand by, and are refused when their time is over."""

from __future__ import annotations

import re
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engine.world import PARTITIONS, Worker, World
from tests.kafka.broker import KafkaBroker

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


@pytest.mark.parametrize("instance", ["two", None])
def test_a_worker_joins_while_the_first_one_prepares(world: World, instance: str | None) -> None:
    """The first one keeps some of the partitions that it was about to open, and opens them once."""
    world.load(100)
    former = world.start(instance="former").ready()
    world.settled()
    former.kill()
    one = world.start(instance="one", prepare_s=4.0)
    world.wait_for(lambda: "prepares its partitions" in one.says())
    two = world.start(instance=instance)
    world.load(100, per_second=100)
    world.wait_for(lambda: share(one, two) == list(range(PARTITIONS)) and partitions_of(one) and partitions_of(two))
    again = [line for line in one.says().splitlines() if re.search(r"partitions \[\d.*\], new \[\]", line)]
    assert again, "it was not interrupted while it prepared"
    world.load(50)
    assert world.settled().changes > 10
    assert one.alive


def test_a_graceful_stop_repeats_nothing(world: World) -> None:
    for _ in range(2):
        worker = world.start().ready()
        world.load(100, per_second=200)
        assert worker.stop() == 0
    world.start().ready()
    world.load(100, per_second=200)
    assert world.settled().duplicates == 0


REFUSED = "has a newer writer: another worker has taken over"


@pytest.mark.parametrize("point", ["folded", "published"])
def test_a_zombie_in_the_midst_of_a_step_is_refused_by_the_broker(world: World, point: str) -> None:
    # Its outputs are those of the log, under the same ids; its rows are not taken.
    zombie, awake_s = woken_beside_an_heir(world, point, 10)
    assert awake_s < 2
    assert REFUSED in zombie.says()


def test_a_zombie_that_slept_while_it_recovered_misses_no_rows(world: World) -> None:
    """It looks who wrote since its claim before it says that something is lost."""
    zombie, _ = woken_beside_an_heir(world, "recovered", 1)
    assert "was taken over by another process" in zombie.says() or REFUSED in zombie.says()


def woken_beside_an_heir(world: World, point: str, times: int) -> tuple[Worker, float]:
    """A zombie that slept at a crash point while another took over, after its end, and how long that took."""
    world.load(60)
    zombie = world.start(instance="zombie", freeze=[point, times])
    while not zombie.frozen:
        world.load(10, per_second=200)
        assert zombie.alive, zombie.says()
    heir = world.start(instance="heir")
    world.load(200)
    world.wait_for(lambda: partitions_of(heir) == list(range(PARTITIONS)))
    world.settled()
    zombie.send(signal.SIGCONT)
    woken = time.monotonic()
    assert zombie.ended() == 5
    awake_s = time.monotonic() - woken
    assert heir.alive
    world.load(50)
    world.settled()
    return zombie, awake_s


@pytest.mark.parametrize(("sleep_limit_s", "why"), [(5.0, "slept for"), (60.0, "has a newer writer")])
def test_an_idle_zombie_gives_up_what_it_had(world: World, sleep_limit_s: float, why: str) -> None:
    zombie = world.start(instance="zombie", sleep_limit_s=sleep_limit_s).ready()
    world.load(60)
    world.settled()
    zombie.send(signal.SIGSTOP)
    fell_asleep = time.monotonic()
    heir = world.start(instance="heir")
    world.load(100)
    world.wait_for(lambda: partitions_of(heir) == list(range(PARTITIONS)))
    world.wait_for(lambda: sleep_limit_s > 5 or time.monotonic() - fell_asleep > sleep_limit_s + 1)
    zombie.send(signal.SIGCONT)
    world.load(10)
    # It can know only by writing: from the moment at which there is something to write.
    woken = time.monotonic()
    assert zombie.ended() == 5
    assert time.monotonic() - woken < 2, "a moment, and another one for a machine that has much to do"
    assert why in zombie.says()
    world.load(50)
    world.settled()


def test_a_surplus_worker_stands_by_and_says_so(kafka: KafkaBroker, worlds: ExitStack, tmp_path: Path) -> None:
    world = worlds.enter_context(World(kafka.bootstrap, "surplus", tmp_path, partitions=2).make_topics())
    workers = [world.start(instance=f"w{number}") for number in range(3)]
    world.wait_for(lambda: share(*workers) == [0, 1], 60)
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
