"""Stock Faust beside us: the worker of `tests.bench.stock_faust` over the same raw topics, timed from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.bench.load import TOPICS
from tests.pipeline import Pipeline

__all__ = ["stock_cpu_us"]

_TICKS = os.sysconf("SC_CLK_TCK")


def stock_cpu_us(run: Pipeline, events: int, *, within_s: float = 240) -> float:
    """Microseconds of processor time an event, between a twentieth of the backlog and a quarter of it."""
    admin = AdminClient({"bootstrap.servers": run.bootstrap})
    own = [f"{run.prefix}stock-tier-changes", f"{run.prefix}stock-leads-changelog"]
    for made in admin.create_topics([NewTopic(name, 8, 1) for name in own]).values():
        made.result(20)
    environment = os.environ | {"BOOTSTRAP": run.bootstrap, "PREFIX": run.prefix}
    command = [sys.executable, "-m", "tests.bench.stock_faust", "worker", "-l", "warn"]
    with run.log("stock").open("wb") as log:
        worker = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    group = Consumer({"bootstrap.servers": run.bootstrap, "group.id": f"{run.prefix}stock"})
    places = [
        TopicPartition(name, partition)
        for name in {run.prefix + topic for topic in TOPICS.values()}
        for partition in group.list_topics(name, 10).topics[name].partitions
    ]
    first: tuple[int, float] | None = None
    end = time.monotonic() + within_s
    try:
        while time.monotonic() < end:
            time.sleep(0.5)
            done = sum(max(0, place.offset) for place in group.committed(places, 10))
            cpu = _cpu_s(worker.pid)
            if first is None and done > events / 20:
                first = done, cpu
            if first is not None and done >= events / 4:
                return (cpu - first[1]) / (done - first[0]) * 1e6
        raise TimeoutError(f"stock Faust did not come far enough in {within_s:.0f} s, see {run.log('stock')}")
    finally:
        group.close()
        worker.kill()
        worker.wait()


def _cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
