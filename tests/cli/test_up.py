"""`leadstream up` over a real Kafka: an event gets a score and an owner, a killed worker comes back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from schemas.times import iso
from tests.cli.conftest import Leadstream
from tests.kafka.broker import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "up.log"


@pytest.fixture
def up(
    kafka: KafkaBroker, leadstream: Leadstream, monkeypatch: pytest.MonkeyPatch, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    settings = {"BOOTSTRAP_SERVERS": kafka.bootstrap, "TOPIC_PREFIX": "cliup-", "PARTITIONS": "2", "ID_KEY": KEY}
    for name, value in (settings | {"METRICS_PORT": "0"}).items():
        monkeypatch.setenv(f"LEADSTREAM_{name}", value)
    assert leadstream("topics", "create").code == 0
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "streams.cli", "up"], stdout=file, stderr=file)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def until(true: Callable[[], bool], log: Path, within_s: float = 40) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)


def test_up_scores_and_routes_starts_a_killed_worker_again_and_leaves_nothing_behind(
    up: subprocess.Popen[bytes], leadstream: Leadstream, log: Path, tmp_path: Path
) -> None:
    def ready(stage: str) -> int:
        return sum(
            line.startswith(stage) and "ready: working on partitions [0, 1]" in line
            for line in log.read_text().splitlines()
        )

    def scored() -> list[str]:
        return [json.loads(line)["tier"] for line in leadstream("read", "lead-scores", "--to-end").lines]

    until(lambda: ready("ingest") == 1 and ready("score") == 1, log)
    workers = psutil.Process(up.pid).children()
    (killed,) = [worker for worker in workers if "ingest" in worker.cmdline()]
    os.kill(killed.pid, signal.SIGKILL)
    event = {"event_id": "1", "kind": "form_fill", "occurred_at": iso(int(time.time() * 1000)), "source": "web"}
    file = tmp_path / "event.jsonl"
    file.write_text(json.dumps(event | {"lead": {"lead_id": "ann"}, "form_id": "f", "form_type": "demo"}) + "\n")
    assert leadstream("send", str(file)).code == 0
    until(lambda: ready("ingest") == 2, log)
    until(lambda: scored() != [], log)
    until(lambda: leadstream("read", "lead-assignments", "--to-end").lines != [], log)
    (assigned,) = [json.loads(line) for line in leadstream("read", "lead-assignments", "--to-end").lines]
    assert (assigned["lead_id"], assigned["tier"], assigned["owner"]) == ("ann", "hot", "senior_2")
    assert "up     | ingest was ended by SIGKILL; starting it again in 0.5 s" in log.read_text()

    workers = psutil.Process(up.pid).children()
    up.send_signal(signal.SIGINT)

    assert up.wait(20) == 0
    assert not any(worker.is_running() for worker in workers)
    assert "Traceback" not in log.read_text()
    rows = [json.loads(line) for line in leadstream("read", "leadstream-score-leads-changelog", "--to-end").lines]
    assert {row["type"] for row in rows} == {"owner", "model", "checkpoint", "lead"}
    assert {row["lead_id"] for row in rows if row["type"] == "lead"} == {"ann"}
    rows = [json.loads(line) for line in leadstream("read", "leadstream-route-leads-changelog", "--to-end").lines]
    assert {row["type"] for row in rows} == {"owner", "policy", "checkpoint", "lead", "person", "team"}
    (lead,) = [row for row in rows if row["type"] == "lead"]
    assert (lead["lead_id"], lead["owner"], lead["clock"]["number"]) == ("ann", "senior_2", 1)
    types = {json.loads(line)["type"] for line in leadstream("read", "lead-routing", "--to-end").lines}
    assert types == {"policy", "request", "log_time"}
