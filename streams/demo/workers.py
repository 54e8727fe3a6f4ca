"""The processes of the demo: workers and API as in production, ended with the demo."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import IO, Self

from streams.errors import LeadstreamError
from streams.settings import PREFIX, variable
from streams.supervisor import HOPELESS, die_with, how_it_ended

__all__ = ["API", "Workers", "free_port"]

API = "api"
"""The process that is no stage."""

_GRACE_S = 10
_LIVES = 4


def free_port() -> int:
    """A port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class _Worker:
    """One process; its log is a file without a name, so that nothing can be left of it."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]
    lives: int


class Workers:
    """One process per stage, metrics on free ports; one that dies is told and started again.

    Args:
        environment: Settings of leadstream; those of this process do not count.
        names: What to run: stages, and `API`.
        say: Takes a line for the viewer.

    Attributes:
        ports: Of the metrics, by stage; that of the API.
    """

    def __init__(self, environment: Mapping[str, str], names: Sequence[str], say: Callable[[str], None]) -> None:
        outside = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self._environment = outside | dict(environment)
        self._say = say
        self._workers: dict[str, _Worker] = {}
        self.ports = {name: free_port() for name in names}

    def __enter__(self) -> Self:
        try:
            for name in self.ports:
                self._workers[name] = self._start(name, 1)
        except BaseException:
            self._end()
            raise
        return self

    def _start(self, name: str, lives: int) -> _Worker:
        arguments, port = (["serve"], "api_port") if name == API else (["worker", name], "metrics_port")
        log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the worker
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", *arguments],
            env=self._environment | {variable(port): str(self.ports[name])},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches the demo alone, which stops the workers in its own way.
            start_new_session=True,
            # Killed, because the embedded broker is gone by then too. Calls of the kernel alone, safe beside threads.
            preexec_fn=partial(die_with, os.getpid(), signal.SIGKILL),  # noqa: PLW1509
        )
        return _Worker(process, log, lives)

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        return {name: worker.process.pid for name, worker in self._workers.items()}

    def check(self) -> None:
        """Starts a worker again that has ended.

        Raises:
            LeadstreamError: Another start would change nothing.
        """
        for name, worker in self._workers.items():
            code = worker.process.poll()
            if code is None:
                continue
            if code in HOPELESS or worker.lives == _LIVES:
                raise LeadstreamError(
                    f"the {_called(name)} {how_it_ended(code)}; the end of its log:", *_tail(worker.log)
                )
            worker.log.close()
            self._workers[name] = self._start(name, worker.lives + 1)
            self._say(f"the {_called(name)} {how_it_ended(code)}; it starts again and goes on where it was")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        for worker in self._workers.values():
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + _GRACE_S
        for worker in self._workers.values():
            try:
                worker.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            worker.log.close()


def _called(name: str) -> str:
    return "API" if name == API else f"{name} worker"


def _tail(log: IO[bytes], lines: int = 15) -> list[str]:
    log.seek(0)
    return log.read().decode(errors="replace").splitlines()[-lines:]
