"""Score was away while very many silences came due, and the answers of half of the leads lie in the backlog."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from schemas.times import iso
from streams.clock import now_ms
from tests.faults.conftest import MakeTrial
from tests.faults.sizes import size
from tests.faults.trial import Trial
from tests.kafka.broker import KafkaBroker
from tests.streams.live import wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

LEADS = size(4_000, 100_000)
MOST_S = 60
SILENT_POINTS = -30


def test_silences_of_a_backlog_fire_once_in_time_and_none_is_false(
    kafka: KafkaBroker, make_trial: MakeTrial, record_property: Callable[[str, object], None]
) -> None:
    """Two workers carry the backlog. Whose second visit came in time is silent from that one on only."""
    trial = make_trial(kafka)
    trial.begin()
    trial.start("ingest-2")
    for name in trial.workers:
        trial.ready(name)
    trial.end("score", signal.SIGKILL)
    trial.send(visits("first", range(LEADS)))
    trial.send(visits("second", range(LEADS // 2)))
    trial.drained(120, stages=("ingest",))
    time.sleep(4)  # the last silence of 3 s is over
    began = time.monotonic()
    trial.start("score")
    trial.ready("score", 60)
    trial.drained(2 * MOST_S)
    wait_for(lambda: pending(trial) == 0, 2 * MOST_S)
    took_s = time.monotonic() - began
    record_property("figures", json.dumps({"timers": LEADS, "seconds": took_s}))
    assert took_s < MOST_S
    trial.judge(doubles=False, poison=False, changes=0)
    scores = trial.lead_scores()
    assert len(scores) == LEADS
    assert all(score["risk"] == SILENT_POINTS for score in scores.values())


def visits(name: str, leads: range) -> Iterator[dict[str, Any]]:
    """Each of the leads looks at the prices, now."""
    for number in leads:
        head = {"event_id": f"{name}-{number}", "kind": "page_view", "occurred_at": iso(now_ms())}
        yield head | {"lead": {"lead_id": f"lead-{number}"}, "url": "/pricing"}


def pending(trial: Trial) -> float:
    """How many leads still wait for a moment."""
    seen = trial.seen("score")
    return sum(value for name, value in seen.items() if name.startswith("leadstream_pending_deadlines"))
