"""The workers of the demo: the same processes as in production, ended with the demo."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.errors import LeadstreamError
from streams.settings import STAGES

__all__ = ["Workers", "free_port"]

_GRACE_S = 10


def free_port() -> int:
    """A port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Workers:
    """One process per stage, logs into a folder, metrics on free ports."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment, self._folder = environment, folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ports = {stage: free_port() for stage in STAGES}

    def __enter__(self) -> Self:
        for stage in STAGES:
            environment = os.environ | self._environment | {"LEADSTREAM_METRICS_PORT": str(self.ports[stage])}
            with (self._folder / f"{stage}.log").open("wb") as log:
                self._processes[stage] = subprocess.Popen(
                    [sys.executable, "-m", "streams.cli", "worker", stage],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        return self

    def check(self) -> None:
        """Raises an error with the end of its log if a worker has ended."""
        for stage, process in self._processes.items():
            if process.poll() is not None:
                tail = "\n".join((self._folder / f"{stage}.log").read_text(errors="replace").splitlines()[-15:])
                raise LeadstreamError(f"the {stage} worker ended with exit code {process.returncode}:\n{tail}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
