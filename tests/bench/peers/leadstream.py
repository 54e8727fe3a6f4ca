"""leadstream itself: its real workers as the images have them, of the compiled wheel, with the job as a model file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from schemas.topics import TIER_CHANGES
from streams.demo.workers import free_port
from tests import compiled
from tests.bench.peers.events import PARTITIONS
from tests.bench.peers.peer import ROOT, Missing, Peer, Run
from tests.bench.pipeline import scrape

__all__ = ["RAW", "Leadstream"]

RAW = "page-views"
"""Any kind of event may come on any raw topic; the race sends all of them to one."""

_MODEL = Path(__file__).resolve().parent / "jobs" / "model.yaml"


class Leadstream(Peer):
    """Two hops, ingest and score; rows in the changelog behind every batch."""

    _port = 0
    # What makes Python take the compiled wheel.
    _packages: dict[str, str] | None = None

    def install(self) -> str:
        """The wheel of the repository that the race runs from.

        Raises:
            Missing: It cannot be compiled; the message says why.
        """
        try:
            self._packages = compiled.environment(compiled.compiled())
        except compiled.CompileError as error:
            raise Missing(str(error)) from error
        return f"leadstream {version('leadstream')}"

    def output(self, run: Run) -> str:
        """Its topics are named by what is before `page-views`."""
        return self.own(run) + TIER_CHANGES

    def own(self, run: Run) -> str:
        """The prefix of its topics and groups; the source has it too."""
        return run.source.removesuffix(RAW)

    def environment(self, run: Run, process: str) -> dict[str, str]:
        """Settings that differ from the defaults."""
        settings = {
            "bootstrap_servers": run.bootstrap,
            "topic_prefix": self.own(run),
            "partitions": PARTITIONS,
            "model": _MODEL,
            "id_key": "a-key-for-the-race-alone",
            "metrics_port": self._port if process == "ingest" else 0,
        }
        return {f"LEADSTREAM_{name.upper()}": str(value) for name, value in settings.items()} | (self._packages or {})

    def stages(self) -> Mapping[str, Callable[[], int]]:
        """Ingest may be far ahead of score, so each has a window of its own."""
        return {"ingest": lambda: int(scrape(self._port).get("leadstream_events_total", 0))}

    def prepare(self, run: Run) -> None:
        """Makes its topics; the raw one is there."""
        self._port = free_port()
        with (run.folder / "topics.log").open("wb") as log:
            subprocess.run(
                [sys.executable, "-m", "streams.cli", "topics", "create"],
                cwd=ROOT,
                env=os.environ | self.environment(run, "topics"),
                stdout=log,
                stderr=subprocess.STDOUT,
                check=True,
            )

    def commands(self, run: Run) -> Mapping[str, list[str]]:
        """One worker of each stage."""
        return {stage: [sys.executable, "-m", "streams.cli", "worker", stage] for stage in ("ingest", "score")}
