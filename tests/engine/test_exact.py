"""What workers wrote is what a recount of the log gives: undisturbed, and killed at every moment that matters."""

from __future__ import annotations

import pytest

from tests.engine.world import World

pytestmark = pytest.mark.kafka


def test_undisturbed_without_a_duplicate(world: World) -> None:
    world.load(600)
    worker = world.start().ready()
    world.load(300, per_second=300)
    verdict = world.settled()
    assert verdict.duplicates == 0
    assert verdict.changes > 50
    assert worker.stop() == 0
