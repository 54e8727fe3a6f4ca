"""The broker's time, as a worker knows it."""

from __future__ import annotations

import time

import pytest

from streams.engine.broker_clock import BrokerClock


def test_the_brokers_time_goes_on_where_it_was_set() -> None:
    clock = BrokerClock()
    clock.set(1_000_000, time.monotonic() - 5)
    assert 1_005_000 <= clock.now_ms() < 1_006_000
    assert clock.offset_ms() == pytest.approx(1_005_000 - time.time() * 1000, abs=1_000)


@pytest.mark.parametrize("jump_s", [7_200, -7_200])
def test_a_jump_of_the_wall_clock_does_not_move_it(monkeypatch: pytest.MonkeyPatch, jump_s: int) -> None:
    right = time.time
    clock = BrokerClock()
    monkeypatch.setattr(time, "time", lambda: right() + jump_s)
    assert clock.now_ms() == pytest.approx(right() * 1000, abs=1_000)
    assert clock.offset_ms() == pytest.approx(-jump_s * 1000, abs=1_000)
