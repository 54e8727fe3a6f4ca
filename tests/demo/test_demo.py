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
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka.admin import AdminClient

from streams.demo.workers import API
from streams.settings import STAGES
from tests.kafka.broker import KafkaBroker

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "streams.cli")
LIVE = "live, tier changes and clocks:"
EXAMPLE = ROOT / "examples" / "hot-lead.jsonl"
CALLED = ROOT / "examples" / "hot-lead-called.jsonl"

pytestmark = pytest.mark.slow


class Demo:
    """A running demo and what it printed."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LEADSTREAM_")}
        environment |= {"PYTHONUNBUFFERED": "1", "TMPDIR": str(folder)}
        self.process = subprocess.Popen(
            [*COMMAND, "demo", "--people", "60", "--days", "10", *arguments],
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

    def ended(self) -> int:
        """Its exit code; everything that it printed is read."""
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip() for line in self.process.stdout)
        return self.process.wait(30)

    def command(self) -> tuple[dict[str, str], str]:
        """The environment and the arguments of the command with which a viewer sends an event."""
        line = next(line for line in self.lines if " send --now " in line)
        settings = next(line for line in self.lines if line.startswith("  export LEADSTREAM_"))
        arguments = line.partition("#")[0].rpartition("streams.cli ")[2]
        return dict(re.findall(r"(LEADSTREAM_[A-Z_]+)=(\S+)", settings)), arguments

    def call(self, *arguments: str) -> str:
        """What a command prints for a viewer."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LEADSTREAM_")}
        environment |= self.command()[0]
        called = subprocess.run(
            [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert called.returncode == 0, called.stderr
        return called.stdout

    def send(self, file: Path) -> float:
        """Sends a file of events as the demo says; when they were acknowledged."""
        settings, arguments = self.command()
        words = arguments.replace("examples/hot-lead.jsonl", str(file)).split()
        sent = subprocess.run(
            [*COMMAND, *words], env=os.environ | settings, check=True, capture_output=True, text=True, timeout=30
        )
        assert "acknowledged" in sent.stdout
        return time.monotonic()

    def until_hot(self, lead: str) -> None:
        """Reads until this lead is hot."""
        while "-> hot" not in self.until(f"{lead} "):
            pass

    def workers(self) -> list[psutil.Process]:
        """Its own processes."""
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a demo would leave what it leaves."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Demo]:
    demo = Demo(folder, *arguments)
    try:
        yield demo
    finally:
        demo.process.kill()
        demo.process.wait()
        assert demo.process.stdout is not None
        demo.process.stdout.close()


def test_ones_own_lead_turns_hot_in_less_than_a_second_and_ctrl_c_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    with running(folder) as demo:
        demo.until(LIVE)
        assert "hot leads now:" in demo.lines
        assert any("metrics http://127.0.0.1:PORT/metrics  ingest :" in line for line in demo.lines)
        demo.send(EXAMPLE)
        demo.until_hot("example-hot")
        delays = []
        for number in range(3):
            own = tmp_path / "own.jsonl"
            own.write_text(EXAMPLE.read_text().replace("example-hot", f"own-{number}"))
            acknowledged = demo.send(own)
            demo.until_hot(f"own-{number}")
            delays.append(time.monotonic() - acknowledged)
        assert statistics.median(delays) < 1.0, delays

        workers = demo.workers()
        assert len(workers) == len([*STAGES, API, "redis"])
        host, port = demo.command()[0]["LEADSTREAM_BOOTSTRAP_SERVERS"].split(":")
        demo.process.send_signal(signal.SIGINT)
        # A second one of an impatient viewer does not keep it from cleaning up.
        demo.until("ending ...")
        demo.process.send_signal(signal.SIGINT)
        assert demo.ended() == 0
        assert demo.lines[-1] == "The demo has ended; nothing of it is left."
        assert not [worker for worker in workers if worker.is_running()]
        assert list(folder.iterdir()) == []
        with socket.socket() as probe:
            assert probe.connect_ex((host, int(port))) != 0


def test_a_worker_that_dies_is_told_and_goes_on_where_it_was(folder: Path) -> None:
    with running(folder) as demo:
        demo.until(LIVE)
        number = int(next(line for line in demo.lines if "kill -9" in line).split()[2])
        assert number in [worker.pid for worker in demo.workers()]
        os.kill(number, signal.SIGKILL)
        demo.until("the score worker was ended by SIGKILL; it starts again")
        demo.send(EXAMPLE)
        demo.until_hot("example-hot")


def test_a_demo_that_is_killed_takes_its_workers_along(folder: Path) -> None:
    with running(folder) as demo:
        demo.until("broker ")
        end = time.monotonic() + 20
        while len(workers := demo.workers()) < len(STAGES):
            assert time.monotonic() < end
            time.sleep(0.05)
        demo.process.kill()
        assert psutil.wait_procs(workers, timeout=10)[1] == []
        assert list(folder.iterdir()) == []


@pytest.mark.kafka
def test_on_a_real_kafka_it_has_topics_of_its_own_and_takes_them_away(kafka: KafkaBroker, folder: Path) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    with running(folder, "--broker", kafka.bootstrap, "--for", "1s") as demo:
        demo.until(LIVE)
        prefix = demo.command()[0]["LEADSTREAM_TOPIC_PREFIX"]
        assert any(name.startswith(prefix) for name in admin.list_topics(timeout=10).topics)
        assert demo.ended() == 0
    assert demo.lines[-1] == "The demo has ended; nothing of it is left."
    assert not [name for name in admin.list_topics(timeout=10).topics if name.startswith(prefix)]
    groups = admin.list_consumer_groups().result(10).valid
    assert not [group.group_id for group in groups if group.group_id.startswith(prefix)]


def test_a_broker_that_is_not_there_is_a_message_and_exit_code_3(folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
        with running(folder, "--broker", address) as demo:
            assert demo.ended() == 3
    text = "\n".join(demo.lines)
    assert f"Kafka at {address} cannot be reached" in text
    assert "Traceback" not in text


def test_a_visitor_without_a_name_turns_into_a_named_hot_lead(folder: Path) -> None:
    """The visit before the form counts, through the rule that the product is about; the topic tells the story."""
    with running(folder) as demo:
        demo.until(LIVE)
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


def test_a_call_answers_the_clock_of_ones_own_lead_and_a_forgotten_one_is_a_breach(
    folder: Path,
) -> None:
    with running(folder) as demo:
        demo.until(LIVE)
        demo.send(EXAMPLE)
        demo.until("example-hot  clock started: senior_2 has it")
        port = next(found[1] for line in demo.lines if (found := re.search(r"API http://127.0.0.1:([0-9]+)", line)))
        address = f"http://127.0.0.1:{port}/v1/leads/example-hot"
        assert looked_up(address, "running")["score"]["tier"] == "hot"
        lead = json.loads(demo.call("lead", "example-hot", "--json"))["lead"]
        assert lead["assignment"]["owner"] == "senior_2"
        assert "example-hot" in demo.call("hot", "--limit", "100")
        demo.send(CALLED)
        demo.until("example-hot  answered: after")
        looked_up(address, "answered")

        # Somebody else is forgotten meanwhile, which all see.
        line = demo.until(" breached: nobody answered within 24 h")
        name = re.findall(r"lead-90[0-9]{2}", line)[0]
        demo.until(f"{name}    escalated: on to senior_1")
        demo.until(f"{name}    answered late: after 24 h, 1")


def looked_up(address: str, state: str) -> dict[str, Any]:
    """What the API says of a lead when its clock is in this state: the view is a moment behind Kafka."""
    end = time.monotonic() + 10
    while True:
        with suppress(urllib.error.HTTPError), urllib.request.urlopen(address, timeout=10) as answer:
            lead: dict[str, Any] = json.load(answer)["lead"]
            if lead["score"] and lead["assignment"] and lead["assignment"]["sla"]["state"] == state:
                return lead
        assert time.monotonic() < end
        time.sleep(0.05)


def test_without_redis_it_says_what_to_install_and_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with running(folder, "--for", "1s") as demo:
        demo.until("Debian: apt-get install redis-server")
        demo.until(LIVE)
        assert len(demo.workers()) == len(STAGES) - 1
        assert demo.ended() == 0
    assert not [line for line in demo.lines if "streams.cli hot" in line or "API http" in line]
