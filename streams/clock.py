"""The wall clock, read here and nowhere else. It decides when to ask for time, never what a score is."""

from __future__ import annotations

import time
from datetime import UTC, datetime

__all__ = ["now", "now_ms"]


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)
