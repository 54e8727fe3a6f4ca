"""Engines in Python: each job is a module under `jobs/`, run by the interpreter of its own environment."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.peers.install import java_jars, python_environment
from tests.bench.peers.peer import ROOT, Peer, Run

__all__ = ["Bytewax", "Faust", "PyFlink", "PythonPeer", "Quix"]

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


@dataclass
class Quix(PythonPeer):
    """Quix Streams."""

    package: str = "quixstreams"
    lock: str = "quix"


@dataclass
class Bytewax(PythonPeer):
    """Bytewax, one worker, with its recovery store."""

    package: str = "bytewax"
    lock: str = "bytewax"

    def prepare(self, run: Run) -> None:
        """Makes the recovery store too."""
        super().prepare(run)
        run.durable.mkdir(parents=True, exist_ok=True)
        subprocess.run([self.python(), "-m", "bytewax.recovery", str(run.durable), "1"], check=True)

    def commands(self, run: Run) -> Mapping[str, list[str]]:
        """Bytewax's own runner: a snapshot every 5 s, kept no longer than needed."""
        recovery = ["--recovery-directory", str(run.durable), "--snapshot-interval", "5", "--backup-interval", "0"]
        return {self.name: [self.python(), "-m", "bytewax.run", self.module(), *recovery]}


@dataclass
class PyFlink(PythonPeer):
    """PyFlink in one local cluster, parallelism 1.

    Attributes:
        mode: `process`: Python beside the JVM; `thread`: inside it.
    """

    package: str = "apache-flink"
    lock: str = "pyflink"
    mode: str = "thread"

    def install(self) -> str:
        """The packages, and the jar that they lack."""
        java_jars("pyflink")
        return super().install()

    def environment(self, run: Run, process: str) -> dict[str, str]:
        """What Flink's Python workers need beside."""
        jars = ";".join(path.as_uri() for path in sorted(java_jars("pyflink").glob("*.jar")))
        # Inside the JVM, Python does not know by itself where its environment is.
        packages = next(Path(self.python()).parents[1].glob("lib/python3*/site-packages"))
        own = {"MODE": self.mode, "PYTHON": self.python(), "JARS": jars, "PYTHONPATH": f"{ROOT}:{packages}"}
        return super().environment(run, process) | own
