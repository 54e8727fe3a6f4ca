"""The demo as its viewer runs it: a process, without a terminal here."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "streams.cli")

pytestmark = pytest.mark.slow


class Demo:
    """A running demo and what it printed."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LEADSTREAM_")}
        environment |= {"PYTHONUNBUFFERED": "1", "TMPDIR": str(folder)}
        self.folder = folder
        self.process = subprocess.Popen(
            [*COMMAND, "demo", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []

    def until(self, text: str) -> str:
        """Reads until a line with this text."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if text in line:
                return line
        raise AssertionError("\n".join([f"{text!r} was not printed:", *self.lines]))

    def command(self) -> tuple[dict[str, str], str]:
        """The environment and the arguments of the command with which a viewer sends an event."""
        line = next(line for line in self.lines if "leadstream send --now" in line)
        settings = dict(re.findall(r"(LEADSTREAM_[A-Z_]+)=(\S+)", line))
        return settings, line.rpartition("leadstream ")[2]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with tempfile.TemporaryDirectory() as folder:
        running = Demo(Path(folder), "--people", "60", "--days", "10")
        try:
            yield running
        finally:
            running.process.kill()
            running.process.wait()
            assert running.process.stdout is not None
            running.process.stdout.close()


def test_ones_own_lead_turns_hot_in_less_than_a_second_and_ctrl_c_leaves_nothing(demo: Demo, tmp_path: Path) -> None:
    demo.until("live tier changes:")
    text = "\n".join(demo.lines)
    assert "hot leads now:" in text
    assert "metrics of ingest: http://127.0.0.1:" in text
    settings, arguments = demo.command()
    delays = []
    for number in range(3):
        own = tmp_path / "own.jsonl"
        own.write_text((ROOT / "examples/hot-lead.jsonl").read_text().replace("example-hot", f"own-{number}"))
        words = arguments.replace("examples/hot-lead.jsonl", str(own)).split()
        sent = subprocess.run(
            [*COMMAND, *words], env=os.environ | settings, check=True, capture_output=True, text=True, timeout=30
        )
        acknowledged = time.monotonic()
        assert "acknowledged" in sent.stdout
        line = demo.until(f"own-{number} ")
        while "-> hot" not in line:
            line = demo.until(f"own-{number} ")
        delays.append(time.monotonic() - acknowledged)
    assert statistics.median(delays) < 1.0, delays

    children = psutil.Process(demo.process.pid).children(recursive=True)
    assert len(children) >= 2
    host, port = settings["LEADSTREAM_BOOTSTRAP_SERVERS"].split(":")
    demo.process.send_signal(signal.SIGINT)
    demo.until("nothing of it is left running")
    assert demo.process.wait(20) == 0
    assert not [child for child in children if child.is_running()]
    assert list(demo.folder.iterdir()) == []
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) != 0


def test_a_worker_that_dies_is_told(demo: Demo) -> None:
    demo.until("live tier changes:")
    psutil.Process(demo.process.pid).children()[0].kill()
    demo.until("worker ended with exit code")
    assert demo.process.wait(30) == 1


def test_a_visitor_without_a_name_turns_into_a_named_hot_lead(demo: Demo) -> None:
    """The visit before the form counts, through the rule that the product is about; the topic tells the story."""
    demo.until("live tier changes:")
    line = demo.until("crm-0001")
    assert "cold -> hot" in line
    assert "pricing and form +25" in line
    settings, _ = demo.command()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEADSTREAM_")}
    environment |= settings | {"LEADSTREAM_BROKER_PROFILE": "embedded"}
    told = {
        topic: [
            json.loads(line)
            for line in subprocess.run(
                [*COMMAND, "read", topic, "--to-end"], env=environment, capture_output=True, text=True, check=True
            ).stdout.splitlines()
        ]
        for topic in ("tier-changes", "lead-scores")
    }
    (change,) = [one for one in told["tier-changes"] if one.get("lead_id") == "crm-0001"]
    assert change["to_tier"] == "hot"
    assert change["cause"]["merged_from"].startswith("e:")
    visitor = [one for one in told["lead-scores"] if one.get("lead_id") == "a:visitor-1"][-1]
    assert visitor["merged_into"] == change["cause"]["merged_from"]
    assert "@" not in json.dumps(told)
