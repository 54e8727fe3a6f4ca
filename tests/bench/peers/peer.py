"""What the race asks of an engine: that it can be installed, started before a topic, and started again."""

from __future__ import annotations

import os
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.peers.events import PARTITIONS
from tests.bench.peers.kafka import make_topics

__all__ = ["CACHE", "ROOT", "Missing", "Peer", "Run"]

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache" / "race"


class Missing(Exception):  # noqa: N818 - says what is missing, and what to do
    """An engine that cannot be installed here."""


@dataclass(frozen=True, slots=True)
class Run:
    """One engine before one topic.

    Attributes:
        bootstrap: The broker.
        name: In the names of all topics and groups of this run, and of no other.
        source: The topic with raw events.
        folder: Logs; below it, `local` is the machine's disk, `durable` what outlives the machine.
    """

    bootstrap: str
    name: str
    source: str
    folder: Path

    @property
    def local(self) -> Path:
        """State on the machine's own disk: gone with it."""
        return self.folder / "local"

    @property
    def durable(self) -> Path:
        """What stands for a store that outlives the machine."""
        return self.folder / "durable"


@dataclass
class Peer(ABC):
    """One engine in one configuration.

    Attributes:
        name: For commands.
        title: For people.
        durable: How state outlives the machine; empty where it does not.
        slow: The part of events, leads and warm-up that it takes: one so many-th.
        commits_s: Within so many seconds after an event it is durable.
    """

    name: str
    title: str
    durable: str
    slow: int = 1
    commits_s: float = 6.0
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict, init=False)

    @abstractmethod
    def install(self) -> str:
        """Makes sure that it is here; its version.

        Raises:
            Missing: It cannot be had.
        """

    @abstractmethod
    def commands(self, run: Run) -> Mapping[str, list[str]]:
        """Command lines of its processes by name, each to be run in the repository's root."""

    def stages(self) -> Mapping[str, Callable[[], int]]:
        """Of processes that run ahead of the tier changes: how many events each has done so far, by its name."""
        return {}

    def environment(self, run: Run, process: str) -> dict[str, str]:
        """What a process is told."""
        return {
            "BOOTSTRAP": run.bootstrap,
            "SOURCE": run.source,
            "OUTPUT": self.output(run),
            "NAME": run.name,
            "LOCAL": str(run.local),
            "DURABLE": str(run.durable),
            "PARTITIONS": str(PARTITIONS),
        }

    def output(self, run: Run) -> str:
        """The topic of its tier changes."""
        return f"{run.name}-changes"

    def prepare(self, run: Run) -> None:
        """What is done once before the first start."""
        make_topics(run.bootstrap, self.output(run))

    def own(self, run: Run) -> str:
        """What is in the names of all topics and groups of a run, and in no others."""
        return run.name

    def start(self, run: Run) -> None:
        """Starts it."""
        for folder in (run.local, run.durable):
            folder.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LEADSTREAM_")}
        for name, command in self.commands(run).items():
            with (run.folder / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=environment | self.environment(run, name),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
