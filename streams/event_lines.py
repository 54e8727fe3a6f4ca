"""Events from lines of a file: what `score`, `explain` and `send` read, and how they tell what they cannot use.

Log time of a file is the running maximum of `received_at`, or of `occurred_at` where a line has none. A refused line
moves no clock. Every event is received at the log time, so that a file and the stream it is sent to agree.
"""

from __future__ import annotations

import json
import sys
from typing import Any, BinaryIO

import msgspec

from schemas.errors import Refused
from schemas.limits import MAX_AGE_MS
from schemas.log import EventRow
from schemas.times import iso, parse_iso
from schemas.wire import decode_event

__all__ = ["EventLines", "Refusals", "check_keys"]

_decode = msgspec.json.Decoder().decode


class EventLines:
    """Reads event lines one after the other and keeps their log time.

    >>> lines = EventLines(b"a key of this run")
    >>> line = b'{"event_id": "1", "kind": "profile", "occurred_at": "2026-03-02T10:15:00Z", "lead": {"lead_id": "l"}}'
    >>> lines.read(line).lead_id, lines.log_time_ms
    ('l', 1772446500000)

    Args:
        id_key: Key of the e-mail hash.

    Attributes:
        log_time_ms: None before the first event.
    """

    def __init__(self, id_key: bytes) -> None:
        self._id_key = id_key
        self.log_time_ms: int | None = None

    def read(self, raw: bytes, members: Any = None) -> EventRow:
        """The event of a line, received at the file's log time.

        Args:
            raw: The line, not blank.
            members: Its JSON, where it is decoded already.

        Raises:
            Refused: It is no event; the log time stays.
        """
        if members is None:
            members = self.members(raw)
        received_ms = self._received_ms(members)
        row = decode_event(raw, received_ms, self._id_key)
        if self.log_time_ms is None or received_ms > self.log_time_ms:
            self.log_time_ms = received_ms
        else:
            row.received_at_ms = self.log_time_ms
        return row

    def members(self, raw: bytes) -> Any:
        """A line's JSON; no object in it has a key twice.

        Raises:
            Refused: A key stands twice in one object, or this is not JSON.
        """
        try:
            members = _decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # The contract words what is wrong with it.
            decode_event(raw, self.log_time_ms or 0, self._id_key)
            raise Refused("bad_json", "the line is not JSON") from None
        check_keys(raw, members)
        return members

    def _received_ms(self, members: Any) -> int:
        """Log time that the line brings; where it cannot be known, any: the contract will refuse the event."""
        log_time_ms = self.log_time_ms
        if not isinstance(members, dict):
            return log_time_ms or 0
        received = members.get("received_at")
        if received is not None:
            return _received_at(received)
        try:
            occurred_ms = parse_iso(members["occurred_at"])
        except (KeyError, TypeError, ValueError):
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
        return parse_iso(text)
    except ValueError as error:
        raise Refused("bad_received_at", f"received_at is no time: {error}") from error


def check_keys(raw: bytes, members: Any) -> None:
    """Refuses a line in which an object has a key twice.

    Decoding keeps one of the two, so the line then has more keys than what was decoded. Keys are counted as `":`,
    which is exact but where a text has that in it, or a blank stands before a colon: such a line is read again with
    care. That costs a tenth of reading every line with care.
    """
    if raw.count(b'":') == _count_keys(members) and not (b'" ' in raw or b'"\t' in raw or b'"\r' in raw):
        return
    try:
        json.loads(raw, object_pairs_hook=_unique)
    except RecursionError:
        raise Refused("too_deep", "objects or arrays lie too deep in one another") from None
    except ValueError:
        # Not JSON to the other reader: the contract has the word.
        return


def _count_keys(value: Any) -> int:
    if isinstance(value, dict):
        count = len(value)
        for member in value.values():
            if isinstance(member, dict | list):
                count += _count_keys(member)
        return count
    if isinstance(value, list):
        return sum(map(_count_keys, value))
    return 0


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        # A name in `fields` may be anything: it is shown short.
        raise Refused("duplicate_key", f"the key {twice[:40]!r} stands twice in one object; write it once")
    return members


class Refusals:
    """Tells refused lines as JSON lines on standard error, and counts them."""

    def __init__(self, err: BinaryIO | None = None) -> None:
        self._err = sys.stderr.buffer if err is None else err
        self.count = 0

    def tell(self, file: str, line: int, refused: Refused) -> None:
        """One refused line."""
        self.count += 1
        told = {"file": file, "line": line, "reason": refused.reason, "message": refused.message}
        self._err.write(msgspec.json.encode(told) + b"\n")
        self._err.flush()
