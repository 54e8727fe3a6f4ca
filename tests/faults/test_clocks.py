"""Hosts whose clocks are wrong: time is the broker's, so nothing comes early, late or twice; the oracle recounts."""

from __future__ import annotations

import time

import pytest

from streams.clock import now_ms
from tests.faults.routed_trial import RoutedTrial
from tests.faults.routing_world import RoutingLoad
from tests.faults.sizes import SEED, size

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

MINUTE_S, DAY_S = 60, 86_400
UNLIKE = (3 * DAY_S, -3 * DAY_S, 10 * MINUTE_S)
ALIKE = tuple((jump_s,) * 3 for jump_s in (10 * MINUTE_S, -10 * MINUTE_S, 3 * DAY_S, -3 * DAY_S))


@pytest.mark.parametrize("jumps_s", size((UNLIKE,), (UNLIKE, *ALIKE)))
def test_wrong_clocks_make_no_false_silence_and_no_false_breach(
    routed: RoutedTrial, jumps_s: tuple[int, int, int]
) -> None:
    """They jump while the workers run; then score is started anew on a host that is wrong from the beginning."""
    for stage, jump_s in zip(routed.stages, jumps_s, strict=True):
        routed.start(stage, command=("-m", "tests.streams.wrong_clock", stage, "6", str(jump_s)))
    routed.ready("route")
    with RoutingLoad(routed, SEED, rate=60, leads=25):
        time.sleep(size(8, 30))
        routed.end("score")
        routed.start("score", command=("-m", "tests.streams.wrong_clock", "score", "0", str(jumps_s[1])))
        time.sleep(size(6, 30))
    routed.drained(60, stages=routed.stages)
    assert 0 <= now_ms() - max(record.safe_ms for record in routed.log_records()) < 10_000
    routed.judge(poison=False)
    routed.has_seen_everything()
