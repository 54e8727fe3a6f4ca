"""How much of a fault: enough to see it in `make test`, and what is promised with `make faults FULL=1`."""

from __future__ import annotations

import os
from typing import TypeVar

__all__ = ["FULL", "RUNS", "SEED", "SEEDS", "size"]

FULL = os.environ.get("LEADSTREAM_FAULTS_FULL") == "1"
RUNS = int(os.environ.get("LEADSTREAM_KILL_RUNS", "1"))
SEED = int(os.environ.get("LEADSTREAM_KILL_SEED", "1"))
SEEDS = range(SEED, SEED + RUNS)
"""Of tests that draw what they do."""

Size = TypeVar("Size")


def size(small: Size, full: Size) -> Size:
    """The size of a fault in this run."""
    return full if FULL else small
