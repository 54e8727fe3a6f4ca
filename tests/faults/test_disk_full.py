"""The broker's disk is full: Kafka ends itself, and workers wait. (They keep nothing on a disk of their own.)"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.conftest import MakeTrial
from tests.faults.load import Load
from tests.faults.sizes import SEED, size
from tests.faults.trial import Trial
from tests.kafka.broker import KafkaBroker
from tests.streams.live import wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

DISK_BYTES = size(128, 512) << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk: memory that is mounted as one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "leadstream-test", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a disk that can be full needs the right to mount (root): {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_of_the_broker_stops_everybody_and_costs_nothing(disk: Path, make_trial: MakeTrial) -> None:
    with KafkaBroker(folder=disk / "kafka") as broker:
        trial = make_trial(broker)
        trial.begin()
        for stage in trial.stages:
            trial.ready(stage)
        for _ in range(size(1, 5)):
            with Load(trial, SEED):
                time.sleep(3)
                fill(disk / "something-else")
                wait_for(lambda: not broker.running, 60)
                wait_for(lambda: not any(is_ready(trial, stage) for stage in trial.stages), 30)
                (disk / "something-else").unlink()
                broker.stop()
                broker.start()
                trial.tend()
                time.sleep(3)
            trial.drained(60)
        trial.judge()


def fill(path: Path) -> None:
    """Takes what is left of a disk."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))


def is_ready(trial: Trial, stage: str) -> bool:
    """Whether a worker lives and says that it is ready."""
    return trial.workers[stage].poll() is None and trial.seen(stage).get("leadstream_ready") == 1
