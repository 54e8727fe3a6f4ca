"""What was found, run by run: kept as JSON, so that a table can be made of it again, of one race or of several."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.bench.peers.peer import CACHE, Peer
from tests.bench.peers.trials import Backlog, Latency, Recovery

__all__ = ["RESULTS", "Found", "Ledger", "merged", "read", "write"]

RESULTS = Path(__file__).resolve().parent / "results.json"
"""What the README's table was made of."""

Found = Backlog | Latency | Recovery


class Ledger:
    """All results of one race.

    Attributes:
        sizes: How much of everything.
        versions: Of the engines that are here, by name.
        absent: Why the others are not.
        failures: Runs that came to nothing, and why.
    """

    def __init__(self, sizes: dict[str, Any], versions: dict[str, str], absent: dict[str, str]) -> None:
        self.sizes, self.versions, self.absent = sizes, versions, absent
        self.failures: list[str] = []
        self._found: dict[str, dict[str, list[dict[str, Any]]]] = {}

    def add(self, trial: str, peer: Peer, round_number: int, found: Found) -> str:
        """One run's result; it in a line."""
        kept = {"round": round_number, **found._asdict()}
        line = found.line()
        if isinstance(found, Backlog | Latency):
            kept["compared"] = found.compared._asdict()
            line += f"; tier changes: {found.compared}"
        self._found.setdefault(trial, {}).setdefault(peer.name, []).append(kept)
        return line

    def fail(self, trial: str, peer: Peer, reason: str, folder: Path) -> str:
        """A run without one; its logs are kept. What is told of it."""
        kept = CACHE / "logs" / folder.name
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(folder, kept, ignore=shutil.ignore_patterns("local", "durable"))
        self.failures.append(f"{trial}: {reason} Logs: {kept.relative_to(CACHE.parents[1])}")
        return self.failures[-1]

    def results(self, machine: str) -> dict[str, Any]:
        """Everything, ready for a file."""
        trials = {trial: {"machine": machine, "sizes": self.sizes, "runs": runs} for trial, runs in self._found.items()}
        return {"versions": self.versions, "absent": self.absent, "failures": self.failures, "trials": trials}


def merged(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """A race with the trials that only an earlier one had."""
    return {
        **after,
        "versions": before.get("versions", {}) | after["versions"],
        "absent": {name: why for name, why in before.get("absent", {}).items() if name not in after["versions"]}
        | after["absent"],
        "trials": before.get("trials", {}) | after["trials"],
    }


def read(path: Path = RESULTS) -> dict[str, Any]:
    """Results of an earlier race; nothing, if there was none."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def write(path: Path, results: dict[str, Any]) -> None:
    """Keeps results."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
