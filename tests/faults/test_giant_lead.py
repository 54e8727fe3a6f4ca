"""One lead does more than all others together: a robot. Its row stays small, and the others do not wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from statistics import quantiles
from types import TracebackType
from typing import Any, Self

import msgspec
import pytest
from confluent_kafka import Consumer, TopicPartition

from schemas.naming import partition_of
from schemas.times import iso, parse_iso
from schemas.topics import LEAD_SCORES, topic_of_kind
from streams.clock import now_ms
from tests.faults.conftest import MakeTrial
from tests.faults.load import Load
from tests.faults.sizes import FULL, SEED, size
from tests.faults.trial import Trial
from tests.kafka.broker import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

GIANT = "robot"
MAX_ROW_BYTES = 16 * 1024


class CrowdLoad(Load):
    """Somebody new looks at the prices, and the giant does `share` times as much meanwhile, in every way there is."""

    share = 0

    def _messages(self) -> Iterator[tuple[str, bytes, str | None]]:
        number = 0
        while True:
            name = f"{self.share}-{number}"
            yield self._message(name, "page_view", name, "/pricing")
            for _ in range(self.share):
                number += 1
                kind = self._chance.choice(["page_view", "page_view", "form_fill", "email_open", "email_click"])
                yield self._message(GIANT, kind, f"{number}", f"/pricing/{self._chance.randrange(1_000)}")
            number += 1

    def _message(self, lead: str, kind: str, name: str, url: str) -> tuple[str, bytes, str]:
        fields = {"message_id": f"m{name}", "url": url, "form_id": f"f{name[-2:]}", "form_type": "demo"}
        head = {"event_id": f"e{name}", "kind": kind, "occurred_at": iso(now_ms()), "lead": {"lead_id": lead}}
        return topic_of_kind(kind), msgspec.json.encode(head | fields), lead


class Waits:
    """How long the others wait for their scores, in milliseconds from the broker's time to a reader."""

    def __init__(self, trial: Trial) -> None:
        self.found: list[tuple[float, float, str]] = []
        self._consumer = Consumer({"bootstrap.servers": trial.bootstrap, "group.id": f"{trial.prefix}waits"})
        topic = trial.prefix + LEAD_SCORES
        self._consumer.assign([TopicPartition(topic, number, 0) for number in range(trial.partitions)])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _read(self) -> None:
        seen: set[str] = set()
        while not self._stop.is_set():
            message = self._consumer.poll(0.2)
            value = None if message is None or message.error() else message.value()
            if value is not None:
                score: dict[str, Any] = msgspec.json.decode(value)
                if score["lead_id"] != GIANT and score["lead_id"] not in seen:
                    seen.add(score["lead_id"])
                    self.found.append((time.monotonic(), now_ms() - parse_iso(score["as_of"]), score["lead_id"]))

    def p99(self, since: float) -> float:
        """Of those that came since then."""
        return quantiles([wait_ms for at, wait_ms, _ in self.found if at > since], n=100)[98]


def test_a_giant_among_others_has_a_small_row_and_holds_nobody_up(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    """Those of its own partition are among the others."""
    trial = make_trial(kafka, model="b2b-default")
    trial.begin()
    for stage in ("ingest", "score"):
        trial.ready(stage)
    base_s, giant_s = size(8, 60), size(12, 600)
    with Waits(trial) as waits:
        with CrowdLoad(trial, SEED, rate=17):
            time.sleep(base_s)
        base = waits.p99(since=0)
        began, load = time.monotonic(), CrowdLoad(trial, SEED + 1, rate=1_700)
        load.share = 99
        with load:
            time.sleep(giant_s)
        crowded = waits.p99(since=began)
    print(f"the others' p99 was {base:.0f} ms, and {crowded:.0f} ms beside {load.sent} events of one lead")
    ledger = trial.judge(doubles=False, poison=False, timers=False, changes=1)
    rows = [record.value for record in ledger.changelog if record.key == GIANT.encode()]
    assert max(len(row or b"") for row in rows) <= MAX_ROW_BYTES
    assert {partition_of(name, trial.partitions) for _, _, name in waits.found} == set(range(trial.partitions))
    assert not FULL or crowded <= 2 * base
