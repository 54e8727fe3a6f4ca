"""Stories by their seeds: what lies on the broker in the end is as promised. `make simulation SEED=…` tells one."""

from __future__ import annotations

import pytest

from tests.simulation.world import judge

pytestmark = pytest.mark.slow

SEEDS, PART = 500, 25


@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_whatever_happens_the_promises_hold(first: int) -> None:
    wrong = {seed: found[:3] for seed in range(first, first + PART) if (found := judge(seed))}

    assert not wrong
