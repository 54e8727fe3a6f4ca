"""What must come out of an input, and how far an engine has come when a tier change of it can be read."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from tests.bench.peers.events import PARTITIONS, Raw
from tests.bench.peers.reference import Change, Reference

__all__ = ["Compared", "Progress", "Story", "read_change"]


class Story:
    """The input in the order in which it was sent, and the reference's tier changes of it."""

    def __init__(self) -> None:
        self._reference = Reference()
        self._partitions = bytearray()
        self._places = array("L")
        self.sizes = [0] * PARTITIONS
        self.changes: list[list[tuple[int, Change]]] = [[] for _ in range(PARTITIONS)]

    def take(self, raws: Iterable[Raw]) -> Iterable[Raw]:
        """Passes events on and judges them by the way."""
        for raw in raws:
            partition = raw.partition
            self.sizes[partition] += 1
            self._partitions.append(partition)
            self._places.append(self.sizes[partition])
            change = self._reference.take(raw.value)
            if change is not None:
                self.changes[partition].append((self.sizes[partition], change))
            yield raw

    @property
    def events(self) -> int:
        """How many there are so far."""
        return len(self._places)

    @property
    def leads(self) -> int:
        """How many leads have been heard of."""
        return len(self._reference.leads)

    def place(self, event_id: str) -> tuple[int, int]:
        """Partition of an event and its place there, 1 for the first."""
        number = int(event_id[:8], 16)
        return self._partitions[number], self._places[number]


class Compared(NamedTuple):
    """An engine's tier changes beside the reference's, up to where the engine was seen to be."""

    expected: int
    missing: int
    different: int
    extra: int
    doubled: int

    def __str__(self) -> str:
        found = [f"{number:,} {name}" for name, number in self._asdict().items() if number and name != "expected"]
        return f"{', '.join(found)} of {self.expected:,}" if found else f"all {self.expected:,} as expected"


class Progress:
    """What an engine has told so far, and how many events that means it has done.

    An event is done when the tier change of a later one of its partition, or its own, can be read.
    """

    def __init__(self, story: Story) -> None:
        self._story = story
        self._places = [0] * PARTITIONS
        self._told: dict[str, Change] = {}
        self._doubled = 0

    @property
    def told(self) -> int:
        """Tier changes read, each once."""
        return len(self._told)

    @property
    def done(self) -> int:
        """Events done; all of them, once the last tier change of every partition is there."""
        return sum(
            size if not changes or place >= changes[-1][0] else place
            for place, size, changes in zip(self._places, self._story.sizes, self._story.changes, strict=True)
        )

    def take(self, change: Change) -> None:
        """One tier change that could be read."""
        if change.event in self._told:
            self._doubled += 1
            return
        self._told[change.event] = change
        partition, place = self._story.place(change.event)
        self._places[partition] = max(self._places[partition], place)

    @property
    def places(self) -> tuple[int, ...]:
        """How far each partition is."""
        return tuple(self._places)

    def compared(self, upto: Sequence[int] | None = None) -> Compared:
        """What is missing up to a place in each partition; what is other than expected, unexpected, or there twice."""
        due = upto or self._places
        expected = {change.event: change for changes in self._story.changes for _, change in changes}
        owed = [
            change.event
            for place, changes in zip(due, self._story.changes, strict=True)
            for at, change in changes
            if at <= place
        ]
        return Compared(
            expected=len(owed),
            missing=sum(event not in self._told for event in owed),
            different=sum(event in expected and told != expected[event] for event, told in self._told.items()),
            extra=sum(event not in expected for event in self._told),
            doubled=self._doubled,
        )


class _Reason(msgspec.Struct):
    rule: str
    points: int


class _Cause(msgspec.Struct):
    event_id: str = ""


class _Told(msgspec.Struct):
    lead_id: str
    seq: int
    from_tier: str
    to_tier: str
    total: int
    reasons: list[_Reason]
    event_id: str = ""
    cause: _Cause | None = None


_decode = msgspec.json.Decoder(_Told).decode


def read_change(value: bytes) -> Change:
    """A tier change as leadstream or as a peer writes it."""
    told = _decode(value)
    event = told.event_id or (told.cause.event_id if told.cause else "")
    reasons = tuple((reason.rule, reason.points) for reason in told.reasons)
    return Change(told.lead_id, told.seq, told.from_tier, told.to_tier, told.total, reasons, event)
