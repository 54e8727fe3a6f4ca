"""How fresh the read model is, and what keeps a reader from it."""

from __future__ import annotations

from typing import NamedTuple

import redis

__all__ = ["STALE_AFTER_MS", "Fresh", "NotWhole", "RedisAway", "State"]

STALE_AFTER_MS = 5_000
"""The view asks Kafka once a second; silence of this length is told."""


class Fresh(NamedTuple):
    """How fresh an answer is.

    Attributes:
        as_of: Log time; None: not known yet.
        stale: Since when it is stale; None: it is not.
    """

    as_of: str | None
    stale: str | None


class NotWhole(Exception):  # noqa: N818  # a state of the world, not a slip
    """Redis is being filled, or nobody fills it."""

    def __init__(self, fresh: Fresh, why: str) -> None:
        super().__init__(why)
        self.fresh = fresh


class RedisAway(Exception):  # noqa: N818
    """Redis does not answer, or refuses."""

    def __init__(self, fresh: Fresh, error: redis.RedisError) -> None:
        super().__init__(str(error) or type(error).__name__)
        self.fresh, self.error = fresh, error


class State(NamedTuple):
    """The state of Redis: how fresh, and which filling of it."""

    fresh: Fresh
    epoch: str
    as_of_ms: int
