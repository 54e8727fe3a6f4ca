"""Events from lines of a file: what `score`, `explain` and `send` read, and how they tell what they cannot use.

Log time of a file is the running maximum of `received_at`, or of `occurred_at` where a line has none. A refused line
moves no clock. Every event is received at the log time, so that a file and the stream it is sent to agree.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from schemas.errors import Refused
from schemas.limits import MAX_AGE_MS, MAX_AHEAD_MS, MAX_TIME_MS
from schemas.lines import load_line
from schemas.links import Links
from schemas.log import EventRow
from schemas.naming import lead_name
from schemas.times import iso, parse_iso
from schemas.wire import decode_event
from streams.event_files import name_of, pauses, read_blocks
from streams.plain_lines import plain_event

__all__ = ["EventLines", "Refusal", "Refusals", "each_line"]


class EventLines:
    """Reads event lines one after the other and keeps their log time.

    >>> lines = EventLines(b"a key of this run")
    >>> line = b'{"event_id": "1", "kind": "form_fill", "form_id": "f", "occurred_at": "2026-03-02T10:15:00Z"'
    >>> lines.read(line + b', "source": "web", "lead": {"lead_id": "l"}}').lead_id, lines.log_time_ms
    ('l', 1772446500000)

    Args:
        id_key: Key of the e-mail hash.
        links: Told of events that name their lead in several ways.

    Attributes:
        log_time_ms: None before the first event.
    """

    def __init__(self, id_key: bytes, links: Links | None = None) -> None:
        self._id_key = id_key
        self._links = links
        self.log_time_ms: int | None = None

    def read(self, raw: bytes, members: dict[str, Any] | None = None) -> EventRow:
        """The event of a line, received at the file's log time.

        Args:
            raw: The line, not blank.
            members: Its JSON as `schemas.lines.load_line` gives it, where it is decoded already.

        Raises:
            Refused: It is no event; the log time stays.
        """
        row = self.read_plain(raw) if members is None else None
        if row is not None:
            return row
        received_ms = self._received_ms(load_line(raw) if members is None else members)
        return self._received(decode_event(raw, received_ms, self._id_key, self._links))

    def read_plain(self, raw: bytes) -> EventRow | None:
        """As `read`, where that takes no closer look at the line; else None, and the log time stays."""
        plain = plain_event(raw)
        if plain is None:
            return None
        event, received_at = plain
        try:
            occurred_ms = parse_iso(event.occurred_at)
            if received_at is not None:
                received_ms = parse_iso(received_at)
            elif self.log_time_ms is None or occurred_ms > self.log_time_ms:
                received_ms = occurred_ms
                if self.log_time_ms is not None and occurred_ms - self.log_time_ms > MAX_AGE_MS:
                    return None
            else:
                received_ms = self.log_time_ms
            if not (
                -MAX_AHEAD_MS <= received_ms - occurred_ms <= MAX_AGE_MS
                and 0 <= occurred_ms <= MAX_TIME_MS
                and 0 <= received_ms <= MAX_TIME_MS
            ):
                return None
            lead = event.lead
            lead_id, email, anonymous_id = lead.lead_id, lead.email, lead.anonymous_id
            name = lead_name(lead_id, email, anonymous_id, self._id_key)
        except ValueError:
            return None
        if self._links is not None and name[:2] != "a:":
            self._links.note(name, None if lead_id is None else email, anonymous_id, received_ms, occurred_ms)
        return self._received(event.row(name, received_ms, occurred_ms))

    def _received(self, row: EventRow) -> EventRow:
        """The row, and the log time moved to it; or the row moved to the log time."""
        if self.log_time_ms is None or row.received_at_ms > self.log_time_ms:
            self.log_time_ms = row.received_at_ms
        else:
            row.received_at_ms = self.log_time_ms
        return row

    def _received_ms(self, members: dict[str, Any]) -> int:
        """Log time that the line brings; where it cannot be known, any: the contract will refuse the event."""
        log_time_ms = self.log_time_ms
        received = members.get("received_at")
        if received is not None:
            return _received_at(received)
        try:
            occurred_ms = parse_iso(members["occurred_at"])
        except (KeyError, TypeError, ValueError):
            return log_time_ms or 0
        if not 0 <= occurred_ms <= MAX_TIME_MS:
            return log_time_ms or 0
        if log_time_ms is None or occurred_ms <= log_time_ms:
            return occurred_ms if log_time_ms is None else log_time_ms
        if occurred_ms - log_time_ms > MAX_AGE_MS:
            message = f"occurred_at {iso(occurred_ms)} is more than 400 days ahead of the log time {iso(log_time_ms)}"
            raise Refused("time_ahead", message)
        return occurred_ms


def _received_at(text: object) -> int:
    if not isinstance(text, str):
        raise Refused("bad_received_at", "received_at is no text; write it like 2026-03-02T10:15:00Z, or leave it out")
    try:
        received_ms = parse_iso(text)
    except ValueError as error:
        raise Refused("bad_received_at", f"received_at is no time: {error}") from error
    if not 0 <= received_ms <= MAX_TIME_MS:
        raise Refused("bad_received_at", "received_at is not between 1970 and 9999")
    return received_ms


class Refusal(msgspec.Struct, frozen=True):
    """A line that cannot be used: its place and why."""

    file: str
    line: int
    reason: str
    message: str


class Refusals:
    """Tells refused lines as JSON lines on standard error, and counts them.

    Attributes:
        count: How many were refused.
        file, line: Where reading is.
    """

    def __init__(self) -> None:
        self.count = 0
        self.file, self.line = "", 0

    def tell(self, refused: Refused, file: str | None = None, line: int | None = None) -> None:
        """The line where reading is cannot be used, or another one."""
        self.note(Refusal(file or self.file, line or self.line, refused.reason, refused.message))

    def note(self, refusal: Refusal) -> None:
        """Tells it, and counts it."""
        self.count += 1
        # Standard error as it is now: under a progress bar, what is written to it goes above the bar.
        sys.stderr.write(msgspec.json.encode(refusal).decode() + "\n")
        sys.stderr.flush()


def each_line(
    sources: tuple[str, ...], take: Callable[[bytes], None], refusals: Refusals, moved: Callable[[int], None]
) -> Iterator[bool]:
    """Hands every line that is not blank to `take`; what it refuses is told.

    Yields after each block of lines: whether the next one must be waited for.

    Args:
        sources: Paths, or `-`.
        take: Raises `Refused` for a line that it cannot use.
        refusals: Where refused lines are told.
        moved: Told how many bytes of all the files are read.
    """
    before = now = 0

    def moved_in_file(place: int) -> None:
        nonlocal now
        now = before + place
        moved(now)

    for source in sources:
        refusals.file, refusals.line = name_of(source), 0
        for block in read_blocks(source, moved_in_file):
            for raw in block:
                refusals.line += 1
                if not raw or raw.isspace():
                    continue
                try:
                    take(raw)
                except Refused as refused:
                    refusals.tell(refused)
            yield pauses(source)
        before = now
