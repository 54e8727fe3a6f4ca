"""One lead does more than all others together: a robot. Its row stays small, and the others do not wait for it."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from statistics import quantiles

import msgspec
import pytest

from schemas.naming import partition_of
from schemas.times import iso, parse_iso
from schemas.topics import LEAD_SCORES, topic_of_kind
from streams.clock import now_ms
from tests.faults.conftest import MakeTrial
from tests.faults.load import Load
from tests.faults.sizes import FULL, SEED, size
from tests.faults.trial import Trial
from tests.faults.watcher import Watcher
from tests.kafka.broker import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

ROBOT = "robot-"
GIANT = b"robot-0"
MAX_ROW_BYTES = 16 * 1024


class CrowdLoad(Load):
    """Somebody new looks at the prices each time that `robots` have done 99 things, each as much as the others."""

    robots = 1

    def _messages(self) -> Iterator[tuple[str, bytes, str | None]]:
        for number in itertools.count():
            event, robot = f"{self.robots}-{number}", self._chance.randrange(self.robots)
            if number % 100:
                kind = self._chance.choice(["page_view", "page_view", "form_fill", "email_open", "email_click"])
                yield self._message(f"{ROBOT}{robot}", kind, event, f"/pricing/{self._chance.randrange(1_000)}")
            else:
                yield self._message(event, "page_view", event, "/pricing")

    def _message(self, lead: str, kind: str, name: str, url: str) -> tuple[str, bytes, str]:
        fields = {"message_id": f"m{name}", "url": url, "form_id": f"f{name[-2:]}", "form_type": "demo"}
        head = {"event_id": f"e{name}", "kind": kind, "occurred_at": iso(now_ms()), "lead": {"lead_id": lead}}
        return topic_of_kind(kind), msgspec.json.encode(head | fields), lead


def waits(trial: Trial, load: Load, seconds: float) -> dict[str, int]:
    """How long each of the others waited for a score, in milliseconds from the event to a reader, once all runs."""
    with Watcher(trial, LEAD_SCORES) as watcher, load:
        time.sleep(2)
        before = {score["lead_id"] for _, score in watcher.news}
        time.sleep(seconds)
    found: dict[str, int] = {}
    for at_ms, score in watcher.news:
        if score["lead_id"] not in before and not score["lead_id"].startswith(ROBOT):
            found.setdefault(score["lead_id"], at_ms - parse_iso(score["reasons"][0]["since"]))
    return found


def p99(waits: dict[str, int]) -> float:
    """The wait that one of a hundred exceeds."""
    return quantiles(waits.values(), n=100)[98]


def test_a_giant_among_others_has_a_small_row_and_holds_nobody_up(
    kafka: KafkaBroker, make_trial: MakeTrial, record_property: Callable[[str, object], None]
) -> None:
    """Those of its own partition are among the others."""
    trial = make_trial(kafka, model="b2b-default")
    trial.begin()
    for stage in trial.stages:
        trial.ready(stage)
    many, one = CrowdLoad(trial, SEED, rate=1_700), CrowdLoad(trial, SEED, rate=1_700)
    many.robots = 1_000
    base, beside = (waits(trial, load, seconds) for load, seconds in ((many, size(5, 60)), (one, size(10, 600))))
    figures = {"events": one.sent, "p99_ms": p99(base), "p99_beside_ms": p99(beside)}
    record_property("figures", json.dumps(figures))
    ledger = trial.judge(doubles=False, poison=False, timers=False, changes=1)
    rows = [record.value for record in ledger.changelog if record.key == GIANT]
    assert max(len(row or b"") for row in rows) <= MAX_ROW_BYTES
    assert {partition_of(lead, trial.partitions) for lead in beside} == set(range(trial.partitions))
    assert not FULL or p99(beside) <= 2 * p99(base)
