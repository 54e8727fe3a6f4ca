"""Rows of the log that native code makes of raw events: there are none where leadstream is not compiled.

`native_rows.c` takes the place of this module there, and reads what most raw events look like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

__all__ = ["NativeRow", "read_event"]


@final
class NativeRow:
    """An event's row of the log that is encoded already; its buffer is the encoding.

    Attributes:
        kind: Of the event.
        lead_id: The name of the lead, which is the producer's own.
        lead_crc: The CRC-32 of it; see `schemas.naming.partition_of`.
        email: As the event has it; it is not in the encoding.
        anonymous_id: As the event has it; it is not in the encoding.
        is_named_once: The event has neither of the two.
        received_at_ms: See `schemas.log.EventRow`.
        occurred_at_ms: See `schemas.log.EventRow`.
    """

    kind: str
    lead_id: str
    lead_crc: int
    email: str | None
    anonymous_id: str | None
    is_named_once: bool
    received_at_ms: int
    occurred_at_ms: int

    if TYPE_CHECKING:

        def __buffer__(self, flags: int, /) -> memoryview: ...


def read_event(raw: bytes | None, received_at_ms: int, /) -> NativeRow | None:
    """The row of an event that looks as most do; None where `schemas.wire` is to read it.

    Args:
        raw: Value of the raw record.
        received_at_ms: Broker time of the raw record.
    """
    return None
