"""All that comes is poison for a while; `dlq replay`, after the fix, brings it back: nothing lost, nothing doubled."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.limits import MAX_AHEAD_MS
from schemas.log import EventRow
from schemas.times import iso
from schemas.topics import DEAD_LETTERS
from streams.clock import now_ms
from tests.faults.conftest import MakeTrial
from tests.faults.sizes import size
from tests.kafka.broker import KafkaBroker
from tests.pipeline import COMMAND
from tests.streams.live import wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.kill]

COUNT = size(3_000, 100_000)
EARLY_MS = size(8, 60) * 1_000


def from_the_future(count: int) -> Iterator[dict[str, Any]]:
    """Of a platform whose clock is ahead: nobody may take these now, and time mends them."""
    occurred_ms = now_ms() + MAX_AHEAD_MS + EARLY_MS
    for number in range(count):
        head = {"event_id": f"e{number}", "kind": "page_view", "occurred_at": iso(occurred_ms), "url": "/pricing"}
        yield head | {"lead": {"lead_id": f"lead-{number % 500}"}}


def test_a_replay_of_dead_letters_loses_and_doubles_nothing(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    """Ingest dies while it refuses and while it takes them back, and so does the replay itself."""
    trial = make_trial(kafka)
    trial.begin()
    trial.ready("ingest")
    mended_ms = now_ms() + EARLY_MS
    trial.send(from_the_future(COUNT))
    trial.end("ingest", signal.SIGKILL)
    trial.start("ingest")
    trial.drained()
    refused = {record.value for record in trial.read(DEAD_LETTERS)}
    assert len(refused) == COUNT
    time.sleep(max(0, mended_ms - now_ms()) / 1_000)

    replay = subprocess.Popen([*COMMAND, "dlq", "replay"], env=trial.environment, stderr=subprocess.DEVNULL)
    wait_for(lambda: replay.poll() is not None or len(trial.read("page-views")) > COUNT)
    replay.kill()
    replay.wait()
    trial.end("ingest", signal.SIGKILL)
    trial.start("ingest")
    trial.command("dlq", "replay")
    trial.command("dlq", "replay")
    ledger = trial.judge(timers=False, changes=0)
    events = [row for record in ledger.log for row in record.rows if isinstance(row, EventRow)]
    assert {row.event_id for row in events} == {f"e{number}" for number in range(COUNT)}
    sent_back = len(ledger.raw["page-views"]) - COUNT
    assert COUNT <= sent_back <= COUNT + 1_000, "only what the killed replay had sent may come again"
