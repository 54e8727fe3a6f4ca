"""A real worker on a host whose clock jumps: `python -m tests.streams.wrong_clock STAGE AFTER_S JUMP_S`.

The clock of the wall jumps so far, ahead or back, when the worker has lived for so long; the monotonic one does not.
"""

from __future__ import annotations

import sys
import time

__all__ = ["main"]


def main(stage: str, after_s: float, jump_s: float) -> int:
    """Runs the worker."""
    right, right_ns, begun = time.time, time.time_ns, time.monotonic()

    def jumped_s() -> float:
        return jump_s if time.monotonic() - begun > after_s else 0.0

    time.time = lambda: right() + jumped_s()
    time.time_ns = lambda: right_ns() + int(jumped_s() * 1_000_000_000)
    # Whatever takes the clock by name when it is imported, takes this one.
    from streams.settings import Settings  # noqa: PLC0415
    from streams.worker import run_worker  # noqa: PLC0415

    return run_worker(stage, Settings.read())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
