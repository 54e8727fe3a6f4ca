"""What the writer of the read model knows of what is in Redis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.view.batch import LogClock
from streams.view.facts import LeadFacts

__all__ = ["Hold", "HoldLost", "Positions", "position_field", "positions_of"]

_POSITION = "p:"

Positions = dict[tuple[str, int], int]


class HoldLost(Exception):  # noqa: N818  # a state of the world, not a slip
    """Redis is not as this worker left it."""


@dataclass(slots=True)
class Hold:
    """What the writer knows of what is in Redis.

    Attributes:
        fence: What its last EXEC wrote.
        positions: Next offset of each partition; missing: from the start.
        clock: Log time as told by what was read.
        facts: Of every lead that has some.
        whole: Everything that Kafka held at one moment is there.
    """

    fence: str
    positions: Positions
    clock: LogClock
    facts: dict[str, LeadFacts]
    whole: bool


def position_field(topic: str, partition: int) -> str:
    """The field of `meta` that holds a position."""
    return f"{_POSITION}{topic}:{partition}"


def positions_of(meta: Mapping[str, str]) -> Positions:
    """The positions of `meta`."""
    found: Positions = {}
    for name, value in meta.items():
        if name.startswith(_POSITION):
            topic, _, partition = name.removeprefix(_POSITION).rpartition(":")
            found[topic, int(partition)] = int(value)
    return found
