"""The simulation finds what is wrong: each of these bugs turns a story red, and soon."""

from __future__ import annotations

import pytest

from tests.simulation.test_seeds import SEEDS
from tests.simulation.worker import BUGS, Bugs
from tests.simulation.world import judge

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_turns_a_story_red(bug: str) -> None:
    assert any(judge(seed, Bugs(bug)) for seed in range(SEEDS)), f"{bug} is not found"
