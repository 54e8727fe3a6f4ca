"""What score copies for route into `lead-routing`: one record a step, and log time behind it.

Log time is told when it has moved by a second, when somebody asked for it, and when a partition starts. It lies behind
everything that the partition has brought about by then, in the same record or in an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schemas.log import POLICY_KEY
from schemas.routing_log import LogTime, PolicyControl, RoutingRow, encode_routing

__all__ = ["ROUTING_PARTITION", "RoutingCopy"]

ROUTING_PARTITION = 0
"""Route is one: round robin, capacity and the waiting line are facts about whole teams."""

MAX_ROUTING_BYTES = 900_000
"""A record is no larger than this, unless a row alone is."""

EVERY_MS = 1_000

Entry = tuple[bytes | None, bytes]
"""Key and value of a record."""


class RoutingCopy:
    """What one partition of score has told.

    Args:
        partition: Its number.
        partitions: How many there are.
    """

    def __init__(self, partition: int, partitions: int) -> None:
        self._partition, self._partitions = partition, partitions
        self._told_ms = 0

    def start(self, log_time_ms: int | None) -> Entry | None:
        """The record with which a partition begins; None where nobody knows the time yet.

        Args:
            log_time_ms: None in the middle of a step that was cut: what is due by then is not all told.
        """
        if not log_time_ms:
            return None
        self._told_ms = log_time_ms
        return None, encode_routing([self._time(log_time_ms)])

    def step(self, rows: Sequence[RoutingRow], log_time_ms: int | None, *, asked: bool) -> list[Entry]:
        """The records of a step.

        Args:
            rows: In the order in which they came about.
            log_time_ms: Behind the step; None where the step was cut.
            asked: Somebody waits for it.
        """
        told = list(rows)
        if log_time_ms is not None and log_time_ms >= self._told_ms + (1 if asked else EVERY_MS):
            self._told_ms = log_time_ms
            told.append(self._time(log_time_ms))
        return list(_records(told))

    def _time(self, log_time_ms: int) -> LogTime:
        return LogTime(self._partition, self._partitions, log_time_ms)


def _records(rows: list[RoutingRow]) -> Iterable[Entry]:
    """One record, but a policy has its own: it is found by its key. Halved as long as it is too large."""
    first = next((number for number, row in enumerate(rows) if isinstance(row, PolicyControl)), None)
    if first is not None:
        yield from _records(rows[:first])
        yield POLICY_KEY, encode_routing([rows[first]])
        yield from _records(rows[first + 1 :])
    elif rows:
        value = encode_routing(rows)
        if len(value) <= MAX_ROUTING_BYTES or len(rows) == 1:
            yield None, value
        else:
            half = len(rows) // 2
            yield from _records(rows[:half])
            yield from _records(rows[half:])
