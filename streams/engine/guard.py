"""Fail-stop: whatever is not understood ends the process before anything false is committed.

A restarted worker repeats from its checkpoint with the same results; a worker that goes on after an unknown error may
not. So nothing here cleans up: the process logs why, and is gone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from typing import NoReturn

from streams.engine.errors import EngineError, FailStop

__all__ = ["Guard"]

log = logging.getLogger(__name__)

CHECK_EVERY_S = 0.5


def boot_seconds() -> float:
    """Seconds since boot; goes on while the machine or the process sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Guard:
    """Ends the process: on request, when it slept, and when it does not become ready."""

    def __init__(self, sleep_limit_s: float, ready_timeout_s: float) -> None:
        self._sleep_limit_s = sleep_limit_s
        self._ready_timeout_s = ready_timeout_s
        self._awake_at = boot_seconds()
        self._deadline: tuple[float, str] | None = None
        self._leaving = False

    def start(self) -> None:
        """Watches from a thread of its own, so that a stuck event loop is seen too."""
        threading.Thread(target=self._watch, name="guard", daemon=True).start()

    def end(self, error: BaseException) -> NoReturn:
        """Ends the process with the exit code of `error`; of 5 where it is none of ours."""
        code = error.exit_code if isinstance(error, EngineError) else FailStop.exit_code
        if isinstance(error, EngineError):
            log.critical("stopped: %s", error)
        else:
            log.critical("stopped to stay exact: unexpected %s: %s", type(error).__name__, error, exc_info=error)
        logging.shutdown()
        sys.stderr.flush()
        os._exit(code)

    def check_awake(self) -> None:
        """Before a write: others may have taken over from a process that slept."""
        slept = boot_seconds() - self._awake_at
        if slept > self._sleep_limit_s:
            self.end(FailStop(f"this process slept for {slept:.0f} s (limit {self._sleep_limit_s:.0f} s)"))

    def expect_ready(self, why: str, within_s: float | None = None) -> None:
        """From now on the worker must become ready (`ready`) within the timeout."""
        limit = self._ready_timeout_s if within_s is None else within_s
        self._deadline = (time.monotonic() + limit, f"{why} took longer than {limit:.0f} s")

    def ready(self) -> None:
        """The worker is ready, or waits for something that may take as long as it likes."""
        self._deadline = None

    def stop_within(self, seconds: float) -> None:
        """A graceful stop has begun; it must not take longer."""
        self._leaving = True
        self.expect_ready("the graceful stop", seconds)

    def watch_task(self, task: asyncio.Task[object], what: str) -> None:
        """Ends the process when a background task of a library dies."""
        task.add_done_callback(lambda done: self._on_task_done(done, what))

    def _on_task_done(self, task: asyncio.Task[object], what: str) -> None:
        if self._leaving or task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self.end(FailStop(f"{what} died: {error!r}"))

    def _watch(self) -> None:
        while True:
            time.sleep(CHECK_EVERY_S)
            self.check_awake()
            self._awake_at = boot_seconds()
            deadline = self._deadline
            if deadline is not None and time.monotonic() > deadline[0]:
                self.end(FailStop(deadline[1]))
