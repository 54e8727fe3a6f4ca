"""A real worker that is killed at a crash point: `python -m tests.faults.worker STAGE POINT TIMES`."""

from __future__ import annotations

import os
import signal
import sys

from streams.engine.config import CrashPoint
from streams.settings import Settings
from streams.worker import run_worker

__all__ = ["main"]


def main(stage: str, point: str, times: int) -> int:
    """Runs the worker until it passes the point for the so manieth time."""
    passed = 0

    def crash_point(name: CrashPoint) -> None:
        nonlocal passed
        passed += name == point
        if passed == times:
            os.kill(os.getpid(), signal.SIGKILL)

    return run_worker(stage, Settings.read(), crash_point=crash_point)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
