"""Rows of `lead-events`, the log, and their bytes.

The value of a record is one codec byte and the msgpack array ``[safe_ms, [row, row, ...]]``, one row or more.
`safe_ms` is ingest's word that every raw record with an older broker time is already in the log; each row carries
its own `received_at_ms`, the broker time of its raw record. A row is a flat msgpack array whose first item says
which type it is; new fields are added at the end, with a default, so that older rows stay readable.

>>> row = EmailOpen("lead-1", 1_000, 900, "ev-1", "mail", "message-7", None, False)
>>> decode_record(encode_record(1_000, [row])) == (1_000, [row])
True
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import ClassVar, cast

import msgspec

from schemas.native_rows import NativeRow

__all__ = [
    "ALARM_KEY",
    "CODEC",
    "EVENT_ROWS",
    "MAX_RECORD_BYTES",
    "MAX_RECORD_ROWS",
    "MODEL_KEY",
    "POLICY_KEY",
    "Alarm",
    "Backfill",
    "Bounce",
    "ByHand",
    "Download",
    "EmailClick",
    "EmailOpen",
    "EmailReply",
    "EmailSent",
    "EventRow",
    "FormFill",
    "LeadRow",
    "Link",
    "LogCodecError",
    "LogRow",
    "Merge",
    "ModelControl",
    "NextPolicy",
    "PageView",
    "Profile",
    "Resubscribe",
    "SalesActivity",
    "SpamComplaint",
    "Unsubscribe",
    "decode_record",
    "encode_record",
]

CODEC = 1
"""Version of the record's bytes; a reader refuses what it does not know."""

MAX_RECORD_ROWS = 100
MAX_RECORD_BYTES = 64 * 1024

ALARM_KEY = b"\0alarm"
MODEL_KEY = b"\0model"
POLICY_KEY = b"\0policy"
"""Keys of the records that hold a single control row, so that a reader finds them without decoding."""

Field = str | int | bool
"""A field's value in a form or a profile, as JSON gave it (no floats, no nesting)."""


# A row refers to nothing that could refer to it, so the garbage collector need not look at the many.
class EventRow(msgspec.Struct, array_like=True, gc=False):
    """What every event row begins with.

    Attributes:
        lead_id: The name of the lead: an id, `e:` + hash of an address, or `a:` + anonymous id.
        received_at_ms: Broker time of the raw record, milliseconds since the epoch.
        occurred_at_ms: Event time, from the producer.
        event_id: The producer's id of the event.
        source: Who produced it; empty where it was left out.
    """

    kind: ClassVar[str]
    lead_id: str
    received_at_ms: int
    occurred_at_ms: int
    event_id: str
    source: str


class PageView(EventRow, array_like=True, tag=1):
    """Kind `page_view`."""

    kind: ClassVar[str] = "page_view"
    url: str
    title: str | None = None
    referrer: str | None = None
    dwell_ms: int | None = None
    user_agent: str | None = None
    session_id: str | None = None


class Download(EventRow, array_like=True, tag=2):
    """Kind `download`."""

    kind: ClassVar[str] = "download"
    asset: str
    url: str | None = None


class EmailOpen(EventRow, array_like=True, tag=3):
    """Kind `email_open`."""

    kind: ClassVar[str] = "email_open"
    message_id: str
    campaign_id: str | None = None
    machine: bool = False
    user_agent: str | None = None


class _EmailActivity(EventRow, array_like=True):
    message_id: str
    campaign_id: str | None = None
    url: str | None = None
    machine: bool = False
    in_reply_to: str | None = None


class EmailSent(_EmailActivity, array_like=True, tag=4):
    """Kind `email_sent`."""

    kind: ClassVar[str] = "email_sent"


class EmailClick(_EmailActivity, array_like=True, tag=5):
    """Kind `email_click`."""

    kind: ClassVar[str] = "email_click"


class EmailReply(_EmailActivity, array_like=True, tag=6):
    """Kind `email_reply`."""

    kind: ClassVar[str] = "email_reply"


class Unsubscribe(_EmailActivity, array_like=True, tag=7):
    """Kind `unsubscribe`."""

    kind: ClassVar[str] = "unsubscribe"


class Resubscribe(_EmailActivity, array_like=True, tag=8):
    """Kind `resubscribe`."""

    kind: ClassVar[str] = "resubscribe"


class SpamComplaint(_EmailActivity, array_like=True, tag=9):
    """The kind `complaint`."""

    kind: ClassVar[str] = "complaint"


class FormFill(EventRow, array_like=True, tag=10):
    """Kind `form_fill`."""

    kind: ClassVar[str] = "form_fill"
    form_id: str
    form_type: str | None = None
    fields: dict[str, Field | None] = {}


class Bounce(EventRow, array_like=True, tag=11):
    """Kind `bounce`."""

    kind: ClassVar[str] = "bounce"
    message_id: str
    bounce_type: str
    reason: str | None = None


class Profile(EventRow, array_like=True, tag=12):
    """Null, or text that is empty without its blanks, deletes the field from `occurred_at_ms` on."""

    kind: ClassVar[str] = "profile"
    fields: dict[str, Field | None] = {}


class SalesActivity(EventRow, array_like=True, tag=13):
    """Kind `sales_activity`."""

    kind: ClassVar[str] = "sales_activity"
    activity: str
    by: str | None = None
    reason: str | None = None


class Link(msgspec.Struct, array_like=True, tag=32, gc=False):
    """An event named a lead by several names: `lead_id`, the weaker of two, belongs to `owner` from `hour_ms` on."""

    lead_id: str
    received_at_ms: int
    owner: str
    hour_ms: int


class Merge(msgspec.Struct, array_like=True, tag=33, gc=False):
    """What an alias had learnt, for its owner: `body` is the alias's row as its codec wrote it.

    `number` counts the merges of the alias, so that a doubled one is known.
    """

    lead_id: str
    received_at_ms: int
    merged_from: str
    body: bytes
    number: int = 0


class ByHand(msgspec.Struct, array_like=True, tag=34, gc=False):
    """Somebody gave the lead to an owner or to a team's pick, or released it (neither)."""

    lead_id: str
    received_at_ms: int
    event_id: str
    owner: str | None = None
    team: str | None = None
    by: str | None = None


class Backfill(msgspec.Struct, array_like=True, tag=35, gc=False):
    """Route is to hear of the tier that the lead is in, as if it entered it now."""

    lead_id: str
    received_at_ms: int


class Alarm(msgspec.Struct, array_like=True, tag=40):
    """Somebody asked for time; the record's `safe_ms` is the answer. Alone in its record, keyed `ALARM_KEY`."""

    received_at_ms: int


class ModelControl(msgspec.Struct, array_like=True, tag=41):
    """The next scoring model, its file as text. Alone in its record, keyed `MODEL_KEY`."""

    received_at_ms: int
    model: str
    version: int
    sha256: str
    body: str


class NextPolicy(msgspec.Struct, array_like=True, tag=42):
    """The next routing policy, its file as text. In partition 0 only, alone in its record, keyed `POLICY_KEY`."""

    received_at_ms: int
    policy: str
    version: int
    sha256: str
    body: str


LeadRow = EventRow | Link | Merge | ByHand | Backfill
"""A row that is about one lead."""

LogRow = (
    PageView
    | Download
    | EmailOpen
    | EmailSent
    | EmailClick
    | EmailReply
    | Unsubscribe
    | Resubscribe
    | SpamComplaint
    | FormFill
    | Bounce
    | Profile
    | SalesActivity
    | Link
    | Merge
    | ByHand
    | Backfill
    | Alarm
    | ModelControl
    | NextPolicy
)

EVENT_ROWS: dict[str, type[EventRow]] = {
    row_type.kind: row_type
    for row_type in (
        PageView,
        Download,
        EmailOpen,
        EmailSent,
        EmailClick,
        EmailReply,
        Unsubscribe,
        Resubscribe,
        SpamComplaint,
        FormFill,
        Bounce,
        Profile,
        SalesActivity,
    )
}
"""Event kind to row type."""


class LogCodecError(ValueError):
    """Bytes that are no record of the log, or of a newer version than this program knows."""


class _Record(msgspec.Struct, array_like=True):
    safe_ms: int
    rows: list[LogRow]


_PREFIX = bytes([CODEC])
_encode = msgspec.msgpack.Encoder(enc_hook=msgspec.Raw).encode
_decode = msgspec.msgpack.Decoder(_Record).decode
_all_native = {NativeRow}
_MOST_IN_ONE_BYTE = 15


def encode_record(safe_ms: int, rows: Sequence[LeadRow | LogRow | NativeRow]) -> bytes:
    """Bytes of one record.

    Args:
        safe_ms: Every raw record with an older broker time is already in the log.
        rows: One row or more, in log order.
    """
    if set(map(type, rows)) == _all_native:
        return b"".join((_head(safe_ms, len(rows)), *cast(Sequence[NativeRow], rows)))
    return _PREFIX + _encode((safe_ms, rows))


def _head(safe_ms: int, count: int) -> bytes:
    """What comes before the rows: the codec, an array of two, the time, an array of so many."""
    length = bytes([0x90 | count]) if count <= _MOST_IN_ONE_BYTE else struct.pack(">BH", 0xDC, count)
    return _PREFIX + b"\x92" + _encode(safe_ms) + length


def decode_record(value: bytes | None) -> tuple[int, list[LogRow]]:
    """The `safe_ms` and the rows of one record.

    Raises:
        LogCodecError: The bytes are not a record of the log, or of a newer version.
    """
    if not value or value[0] != CODEC:
        found = "an empty value" if not value else f"codec byte {value[0]}"
        message = f"lead-events record has {found}, this program reads codec {CODEC}; upgrade it or check the topic"
        raise LogCodecError(message)
    try:
        record = _decode(memoryview(value)[1:])
    except msgspec.MsgspecError as error:
        raise LogCodecError(f"lead-events record cannot be decoded: {error}") from error
    return record.safe_ms, record.rows
