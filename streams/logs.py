"""What a worker says on standard error: its own words, and of the libraries' what is worth reading."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

__all__ = ["SaidBefore", "log_to_stderr"]

AGAIN_AFTER_S = 10.0
MOST_KEPT = 1_000


def log_to_stderr(level: str) -> None:
    """All records of this level and above, in one line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_is_ours)
    handler.addFilter(SaidBefore())
    logging.basicConfig(
        handlers=[handler], level=level, format="%(asctime)s %(levelname)-8s %(name)s: %(message)s", force=True
    )


def _is_ours(record: logging.LogRecord) -> bool:
    """Faust and aiokafka tell below WARNING what the engine tells better; Faust's services begin with a mark."""
    if record.levelno >= logging.WARNING:
        return True
    return record.name.startswith("streams") and not str(record.msg).startswith("[^")


class SaidBefore(logging.Filter):
    """Libraries repeat themselves ten times a second while a broker is away: the same words come once in ten seconds.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write it; one that is written says how many like it were not."""
        if record.name.startswith("streams"):
            return True
        words, now = (record.name, record.getMessage()), self._clock()
        last, left_out = self._said.get(words, (-AGAIN_AFTER_S, 0))
        if now - last < AGAIN_AFTER_S:
            self._said[words] = last, left_out + 1
            return False
        if len(self._said) > MOST_KEPT:
            self._said.clear()
        self._said[words] = now, 0
        if left_out:
            record.msg, record.args = f"{words[1]} (and {left_out} times more since)", ()
        return True
