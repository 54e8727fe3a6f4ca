"""Dead letters as the commands see them: found, counted, and sent back to their topic once each.

That a letter was sent back is remembered beside it: a marker in the same partition of `dead-letters`, without key and
value, with the header `leadstream.replayed` = the letter's offset. A marker is younger than its letter, so retention
takes it away later. It is written when the broker has acknowledged the letter: a crash between the two sends that
letter a second time, which counts once, because evidence goes by `event_id`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from schemas.dead_letters import DeadLetterHeaders, HeaderError, original_headers
from schemas.topics import DEAD_LETTERS, LEAD_INTERNAL, RAW_TOPICS
from streams.clients import Sender, partition_counts
from streams.settings import Settings
from streams.topic_reader import Record, scan

__all__ = ["Letter", "Letters", "Wanted", "find_letters", "letters", "marked_offset", "replay"]

REPLAYED_HEADER = "leadstream.replayed"
_BATCH = 1_000

Place = tuple[int, int]
"""Partition and offset in `dead-letters`."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: the record, and what its headers say."""

    record: Record
    why: DeadLetterHeaders

    @property
    def place(self) -> Place:
        """Where it lies."""
        return self.record.partition, self.record.offset


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are meant; None means any.

    Attributes:
        topic: Name of the raw topic on the broker.
    """

    reason: str | None = None
    topic: str | None = None

    def takes(self, letter: Letter) -> bool:
        """Whether it is one of them."""
        return self.reason in (None, letter.why.reason) and self.topic in (None, letter.why.topic)


@dataclass(slots=True)
class Letters:
    """What `find_letters` found.

    Attributes:
        places: Of the wanted letters.
        replayed: Of the letters that were sent back already, wanted or not.
        strange: Records without the headers of a dead letter.
    """

    places: set[Place] = field(default_factory=set)
    replayed: set[Place] = field(default_factory=set)
    strange: int = 0


def marked_offset(record: Record) -> int | None:
    """The offset that a marker speaks of; None for anything else."""
    for name, value in record.headers:
        if name == REPLAYED_HEADER and record.value is None and value.isdigit():
            return int(value)
    return None


def letters(settings: Settings) -> Iterator[Letter | Record]:
    """Everything in `dead-letters` now; what is no letter (a marker, a strange record) as the record that it is."""
    for record in scan(settings, DEAD_LETTERS):
        try:
            yield Letter(record, DeadLetterHeaders.read(record.headers))
        except HeaderError:
            yield record


def find_letters(settings: Settings, wanted: Wanted, seen: Callable[[Letter], None] | None = None) -> Letters:
    """Goes through all letters; `seen` is called with each wanted one."""
    found = Letters()
    for item in letters(settings):
        if isinstance(item, Letter):
            if wanted.takes(item):
                found.places.add(item.place)
                if seen is not None:
                    seen(item)
        elif (offset := marked_offset(item)) is not None:
            found.replayed.add((item.partition, offset))
        else:
            found.strange += 1
    return found


def replay(settings: Settings, places: set[Place], moved: Callable[[int], None]) -> tuple[int, int]:
    """Sends letters back: to the topic and partition they came from, with their key, bytes and own headers.

    Args:
        settings: With `clock: record` a letter keeps the time that its raw record had.
        places: Which ones; none of them may have been sent back before.
        moved: Told how many are done.

    Returns:
        How many were sent back, and how many were left because they came from none of the topics that ingest reads, or
        are not the whole record.
    """
    sender = Sender(settings)
    names = [*RAW_TOPICS, LEAD_INTERNAL]
    counts = dict(zip(map(settings.topic, names), partition_counts(settings, sender.producer, names), strict=True))
    batch: list[Place] = []
    done = left = 0
    for item in letters(settings):
        if not isinstance(item, Letter) or item.place not in places:
            continue
        if item.why.topic not in counts or item.why.whole_bytes is not None:
            left += 1
            continue
        sender.send(
            item.why.topic,
            item.record.value,
            key=item.record.key,
            partition=min(item.why.partition, counts[item.why.topic] - 1),
            timestamp_ms=max(item.why.timestamp_ms, 1) if settings.clock == "record" else 0,
            headers=original_headers(item.record.headers),
        )
        batch.append(item.place)
        if len(batch) == _BATCH:
            done += _mark(settings, sender, batch)
            moved(done)
    done += _mark(settings, sender, batch)
    moved(done)
    return done, left


def _mark(settings: Settings, sender: Sender, batch: list[Place]) -> int:
    """Waits for the letters of a batch, then writes their markers and waits for these."""
    sender.finish()
    for partition, offset in batch:
        headers = [(REPLAYED_HEADER, b"%d" % offset)]
        sender.send(settings.topic(DEAD_LETTERS), None, partition=partition, headers=headers)
    sender.finish()
    count = len(batch)
    batch.clear()
    return count
