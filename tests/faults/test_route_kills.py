"""Route, and those before it, are killed at any moment and at every crash point; the oracle recounts."""

from __future__ import annotations

import json
import random
import signal
import time

import pytest

from schemas.topics import LEAD_ASSIGNMENTS
from streams.engine.config import CRASH_POINTS
from tests.faults.routed_trial import RoutedTrial
from tests.faults.routing_world import POLICY, RoutingLoad
from tests.faults.sizes import SEED, SEEDS, size
from tests.faults.trial import Trial
from tests.view.live import until

pytestmark = [pytest.mark.kafka, pytest.mark.kill]

POINTS = tuple(point for point in CRASH_POINTS if point not in ("carried", "acknowledged"))


def publish_next_policy(routed: RoutedTrial) -> None:
    """The second version: bob is gone, so all his leads lose their owner, and ann takes fewer."""
    path = routed.folder / "next.yaml"
    text = POLICY.format(version=2, capacity=2).replace("  bob: {capacity: 6}\n", "")
    path.write_text(text.replace("[ann, bob]", "[ann]").replace("[bob, ann]", "[ann]"))
    routed.command("policy", "publish", str(path), "--yes")


@pytest.mark.parametrize("seed", SEEDS)
def test_stages_killed_at_any_moment_tell_owners_and_clocks_once(routed: RoutedTrial, seed: int) -> None:
    chance = random.Random(seed)
    routed.begin()
    routed.ready("route")
    with RoutingLoad(routed, seed, rate=60, leads=25):
        for number in range(size(7, 100)):
            time.sleep(chance.uniform(0.3, 2.5))
            if number == 3:
                publish_next_policy(routed)
            stage = chance.choice(["route", "route", "score", "ingest"])
            routed.end(stage, signal.SIGKILL)
            routed.start(stage)
    routed.judge(poison=False)
    routed.has_seen_everything()
    told = [json.loads(record.value) for record in routed.read(LEAD_ASSIGNMENTS) if record.value is not None]
    assert {one["policy"]["version"] for one in told} == {1, 2}


def test_route_that_is_joined_while_it_takes_over_counts_nobodys_leads_twice(routed: RoutedTrial) -> None:
    """A reassignment that leaves it the partition interrupts it where everything is read."""
    routed.begin()
    routed.ready("route")
    with RoutingLoad(routed, SEED, rate=60, leads=25):
        time.sleep(10)
        routed.end("route", signal.SIGKILL)
        before = len(routed.log("route").read_text())
        routed.start("route", command=("-m", "tests.faults.worker", "route", "acked", "0", "slow"))
        until(lambda: "prepares its partitions" in routed.log("route").read_text()[before:], "a take-over")
        routed.start("route-2")
        until(lambda: "partitions [0], new []" in routed.log("route").read_text()[before:], "a reassignment in between")
        routed.ready("route")
        time.sleep(10)
    routed.judge(poison=False)


def test_route_killed_at_every_crash_point_tells_owners_and_clocks_once(routed: RoutedTrial) -> None:
    chance = random.Random(SEED)
    for stage in Trial.stages:
        routed.start(stage)
    with RoutingLoad(routed, SEED, rate=60, leads=25):
        for point in POINTS:
            times = 1 if point in ("opened", "claimed", "recovered") else chance.randint(1, 6)
            routed.start("route", command=("-m", "tests.faults.worker", "route", point, str(times)))
            assert routed.ended("route", 40) == -signal.SIGKILL, f"{point} was not passed {times} times"
    routed.judge(poison=False)
    routed.has_seen_everything()
