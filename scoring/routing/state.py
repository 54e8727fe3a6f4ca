"""What route remembers of a lead, in memory and as bytes.

The bytes are a codec byte, the next moment at which the lead's clock does something (8 bytes, so that deadlines are
found without reading the rest), and a msgpack array. Fields are only ever added at the end, with a default.
"""

from __future__ import annotations

from struct import Struct

import msgspec

from scoring.points import NEVER
from scoring.row_codec import RowCodecError

__all__ = [
    "ANSWERED",
    "BREACH",
    "BREACHED",
    "CANCELLED",
    "KEPT_IDS",
    "LEAD_CODEC",
    "REASSIGN",
    "REMIND",
    "RUNNING",
    "STATES",
    "TELL",
    "WITHDRAWN",
    "Clock",
    "LeadRow",
    "decode_lead",
    "encode_lead",
]

LEAD_CODEC = 1
"""Version of a row's bytes; a reader refuses what it does not know."""

KEPT_IDS = 16
"""Of a lead's last activities, requests and hand commands the ids are kept: what comes again does nothing."""

STATES = ("running", "breached", "answered", "withdrawn", "cancelled")
RUNNING, BREACHED, ANSWERED, WITHDRAWN, CANCELLED = range(5)

REMIND, BREACH, TELL, REASSIGN = range(4)
"""What a clock does, in the order of one millisecond; the two escalations stand in the policy's order."""

Moment = tuple[int, int, int, str | None]
"""When, what, its number in the policy's list, whom it is about."""


class Clock(msgspec.Struct, array_like=True):
    """A lead's latest clock. It runs to its end by the policy under which it started.

    Attributes:
        answers: Bits of the activities that answer it, in the order of the contract.
        request: A request started it.
        breached: It was not answered by its due time; a withdrawal takes that back.
        steps: What it will do, in order of time.
    """

    number: int
    tier: str
    started_ms: int
    due_ms: int
    answers: int
    steps: list[Moment]
    state: int = RUNNING
    request: bool = False
    breached: bool = False

    @property
    def open(self) -> bool:
        """Neither answered nor cancelled."""
        return self.state <= BREACHED


class LeadRow(msgspec.Struct, array_like=True):
    """A lead as route knows it.

    Attributes:
        tier: That the last tier change brought; None before the first.
        seq_in: Of that tier change.
        cause: What routed the lead: id of a tier change, or event id of a request.
        entered_ms: Since when it is routed; None where it is not.
        route: Number of its route, from 1.
        open: Assigned or waiting, neither answered nor cancelled.
        waiting: In the waiting line.
        seq_out: Of its last assignment.
        answered_ms: Of its latest answer.
        ids: Digests of its last activities, requests and hand commands.
    """

    tier: str | None = None
    seq_in: int = 0
    profile: dict[str, str | int | bool] = {}
    cause: str | None = None
    entered_ms: int | None = None
    owner: str | None = None
    team: str | None = None
    route: int | None = None
    pick: str = "unrouted"
    passed: dict[str, str] = {}
    by: str | None = None
    open: bool = False
    waiting: bool = False
    clock: Clock | None = None
    seq_out: int = 0
    answered_ms: int | None = None
    ids: list[int] = []

    @property
    def due(self) -> int:
        """The next moment at which its clock does something."""
        clock = self.clock
        return clock.steps[0][0] if clock is not None and clock.steps and clock.open else NEVER

    @property
    def running(self) -> Clock | None:
        """Its clock, if that is neither answered nor cancelled."""
        return self.clock if self.clock is not None and self.clock.open else None

    @property
    def counted_tier(self) -> str | None:
        """The tier that it counts as being in: while the clock of a request runs, that of the request."""
        clock = self.clock
        return clock.tier if clock is not None and clock.request and clock.open else self.tier


_HEAD = Struct(">Bq")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(LeadRow).decode


def encode_lead(row: LeadRow) -> bytes:
    """The bytes of a row."""
    return _HEAD.pack(LEAD_CODEC, row.due) + _encode(row)


def decode_lead(value: bytes) -> LeadRow:
    """A row of its bytes.

    Raises:
        RowCodecError: No row, or of a newer version.
    """
    if len(value) < _HEAD.size or value[0] != LEAD_CODEC:
        found = f"codec byte {value[0]}" if value else "no bytes"
        raise RowCodecError(f"routing row has {found}, this program reads codec {LEAD_CODEC}; upgrade it")
    try:
        return _decode(memoryview(value)[_HEAD.size :])
    except msgspec.MsgspecError as error:
        raise RowCodecError(f"routing row cannot be decoded: {error}") from error
