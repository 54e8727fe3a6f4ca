"""`leadstream send`: files of events to their raw topics."""

from __future__ import annotations

__all__ = ["send"]
