"""A real worker that is killed at a crash point: `python -m tests.faults.worker STAGE POINT TIMES [small|slow]`.

With `small`, a step of score is full after a few rows: its checkpoints lie within records of the log, and a new model
takes many steps. With `slow`, route takes its time to prepare. 0 TIMES: it is not killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import ExitStack
from functools import partial
from typing import Any
from unittest.mock import patch

from scoring.partition import PartitionFold
from streams import score
from streams.engine.config import CrashPoint
from streams.route import RouteStage
from streams.settings import Settings
from streams.worker import run_worker

__all__ = ["main"]

SLOW_S = 5.0
_SMALL = partial(PartitionFold, max_step_bytes=1_500, max_step_deadlines=3)
_prepare = RouteStage.prepare


async def _prepare_slowly(*given: Any) -> None:
    await _prepare(*given)
    await asyncio.sleep(SLOW_S)


def main(stage: str, point: str, times: int) -> int:
    """Runs the worker until it passes the point for the so manieth time."""
    passed = 0

    def crash_point(name: CrashPoint) -> None:
        nonlocal passed
        if name == point:
            passed += 1
            if passed == times:
                os.kill(os.getpid(), signal.SIGKILL)

    return run_worker(stage, Settings.read(), crash_point=crash_point)


if __name__ == "__main__":
    with ExitStack() as patches:
        if "small" in sys.argv:
            patches.enter_context(patch.object(score, "PartitionFold", _SMALL))
        if "slow" in sys.argv:
            patches.enter_context(patch.object(RouteStage, "prepare", _prepare_slowly))
        sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
