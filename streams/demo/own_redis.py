"""The demo's own Redis for the read model: on a free loopback port, keeps nothing on disk, ends with the demo."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Self

import redis

from streams.demo.workers import free_port
from streams.errors import LeadstreamError
from streams.supervisor import die_with

__all__ = ["OwnRedis", "redis_program"]

_START_S = 10.0


def redis_program() -> str | None:
    """Where this machine has a `redis-server`."""
    return shutil.which("redis-server")


class OwnRedis:
    """A server that lives as long as this object is open.

    Args:
        program: `redis-server`.

    Attributes:
        url: Its address.
    """

    def __init__(self, program: str) -> None:
        self._program, self._port = program, free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile()
        options = ["--bind", "127.0.0.1", "--port", str(self._port), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [self._program, *options, "--maxmemory-policy", "noeviction"],
            cwd=tempfile.gettempdir(),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches the demo alone.
            start_new_session=True,
            preexec_fn=partial(die_with, os.getpid(), signal.SIGKILL),  # noqa: PLW1509  # calls of the kernel alone
        )
        try:
            self._wait()
        except BaseException:
            self._end()
            raise
        return self

    def _wait(self) -> None:
        end = time.monotonic() + _START_S
        with redis.Redis(port=self._port) as client:
            while self._process.poll() is None and time.monotonic() < end:
                with suppress(redis.RedisError):
                    client.ping()
                    return
                time.sleep(0.02)
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        raise LeadstreamError(f"{self._program} did not start; the end of its log:", *lines[-5:])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        # Nothing is kept, so there is nothing to be lost.
        self._process.kill()
        self._process.wait()
        self._log.close()
