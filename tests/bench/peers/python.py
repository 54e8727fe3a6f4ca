"""Engines in Python: each job is a module under `jobs/`, run by the interpreter of its own environment."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.peers.install import python_environment
from tests.bench.peers.peer import ROOT, Peer, Run

__all__ = ["Faust"]

_JOBS = "tests.bench.peers.jobs"


@dataclass
class PythonPeer(Peer):
    """An engine from PyPI.

    Attributes:
        package: Whose version is told.
        lock: Name of the lock file and of the environment.
    """

    package: str = ""
    lock: str = ""

    def install(self) -> str:
        """Its environment, from its lock file."""
        python = python_environment(self.lock)
        told = f"import importlib.metadata as m; print(m.version({self.package!r}))"
        done = subprocess.run([python, "-c", told], capture_output=True, text=True, check=True)
        return f"{self.package} {done.stdout.strip()}"

    def python(self) -> str:
        """Its interpreter."""
        return str(python_environment(self.lock))

    def module(self) -> str:
        """Its job."""
        return f"{_JOBS}.{self.lock}_job"

    def commands(self, run: Run) -> Mapping[str, list[str]]:
        """One process."""
        return {self.name: [self.python(), "-m", self.module()]}


@dataclass
class Faust(PythonPeer):
    """Faust as its user guide shows it, on uvloop and with orjson."""

    package: str = "faust-streaming"
    lock: str = "faust"

    def commands(self, run: Run) -> Mapping[str, list[str]]:
        """Faust's own worker."""
        faust = Path(self.python()).with_name("faust")
        return {self.name: [str(faust), "--app", f"{_JOBS}.faust_job", "--loop", "uvloop", "worker", "-l", "warn"]}
