"""What was found, run by run, and the words, table and file that come of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.bench.peers.peer import CACHE, Peer
from tests.bench.peers.trials import Backlog, Latency, Recovery

__all__ = ["Ledger"]

Found = Backlog | Latency | Recovery


class Ledger:
    """All results of one race."""

    def __init__(self, sizes: Any, versions: dict[str, str], absent: dict[str, str]) -> None:
        self.sizes, self.versions, self.absent = sizes, versions, absent
        self.machine = ""
        self.found: dict[str, dict[str, list[Found]]] = {}
        self.failures: list[str] = []

    def add(self, trial: str, peer: Peer, found: Found) -> None:
        """One run's result."""
        self.found.setdefault(trial, {}).setdefault(peer.name, []).append(found)

    def fail(self, trial: str, peer: Peer, reason: str, folder: Path) -> None:
        """A run without one; its logs are kept."""
        kept = CACHE / "logs" / folder.name
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(folder, kept, ignore=shutil.ignore_patterns("local", "durable"))
        self.failures.append(f"{peer.title}, {trial}: {reason}".replace(str(folder), str(kept)))

    def line(self, found: Found) -> str:
        """A result in a line."""
        return str(found)

    def finish(self, *, readme: bool) -> str:
        return json.dumps(self.found, default=str, indent=1) + "\n".join(self.failures)
