"""What one slice of a poll brings to the log: its rows in their order, and what messages of `lead-internal` become."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from operator import attrgetter

from schemas.errors import Refused
from schemas.internal import (
    AlarmRequest,
    AssignRequest,
    BackfillRequest,
    ForwardRequest,
    MergeRequest,
    ModelRequest,
    PolicyRequest,
    ReleaseRequest,
    by_hand_row,
    decode_internal,
    forwarded_rows,
    merge_row,
)
from schemas.log import Alarm, Backfill, ByHand, EventRow, LeadRow, Link, Merge, ModelControl, NextPolicy
from schemas.native_rows import NativeRow
from streams.engine.stage import RawRecord
from streams.internal_checks import check_merge, check_model, check_policy
from streams.packs import Control

__all__ = ["Slice"]

_CONTROLS: dict[type, str] = {Alarm: "alarm", ModelControl: "model", NextPolicy: "policy"}
_received = attrgetter("received_at_ms")


@dataclass(slots=True)
class Slice:
    """Rows of one slice, by what they are."""

    events: list[EventRow | NativeRow] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    forwarded: list[EventRow | ByHand] = field(default_factory=list)
    by_hand: list[ByHand | Backfill] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)

    def rows(self) -> list[LeadRow | NativeRow]:
        """All that are about leads, in log order. Of what is equally old, who is who comes before what they did."""
        rows: list[LeadRow | NativeRow] = [*self.links, *self.merges, *self.events, *self.forwarded, *self.by_hand]
        rows.sort(key=_received)
        return rows

    def ordered_controls(self) -> list[Control]:
        """All that are about no lead, in log order."""
        return sorted(self.controls, key=lambda control: control[1].received_at_ms)

    def named(self) -> Counter[str]:
        """How many rows that are no events, by what the metrics call them."""
        named = Counter(_CONTROLS[type(control)] for _, control in self.controls)
        named.update(link=len(self.links), merge=len(self.merges))
        named.update(forward=len(self.forwarded), by_hand=len(self.by_hand))
        return named

    def take_message(self, record: RawRecord, at_ms: int, source: int, partitions: int) -> None:
        """Takes what a record of `lead-internal` says.

        Args:
            record: Its value is the message.
            at_ms: Its time.
            source: The partition that it came from.
            partitions: Of the log.

        Raises:
            Refused: The record is no message, or not one that may come from there.
        """
        message = decode_internal(record.value)
        if isinstance(message, MergeRequest):
            self.merges.append(check_merge(merge_row(message, at_ms)))
        elif isinstance(message, ForwardRequest):
            self.forwarded += forwarded_rows(message)
        elif isinstance(message, AssignRequest | ReleaseRequest):
            self.by_hand.append(by_hand_row(message, at_ms))
        elif isinstance(message, BackfillRequest):
            self.by_hand.append(Backfill(message.lead_id, at_ms))
        else:
            self.controls.append(_control(message, at_ms, source, partitions))


def _control(
    message: AlarmRequest | ModelRequest | PolicyRequest, received_ms: int, source: int, partitions: int
) -> Control:
    """A control row, and where it goes.

    Raises:
        Refused: It is not one that may come from there.
    """
    if isinstance(message, AlarmRequest):
        if message.partition >= partitions:
            raise Refused("number_out_of_range", f"partition {message.partition}: there are {partitions}")
        return message.partition, Alarm(received_ms)
    if source:
        raise Refused(
            "unknown_value", f"a {message.type} is taken from partition 0 alone, so that there is one order of them"
        )
    if isinstance(message, PolicyRequest):
        check_policy(message)
        return 0, NextPolicy(received_ms, message.name, message.version, message.sha256, message.body)
    check_model(message)
    return None, ModelControl(received_ms, message.name, message.version, message.sha256, message.body)
