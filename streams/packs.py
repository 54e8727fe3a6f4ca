"""Rows of the log, in log order, made into records of `lead-events`. Pure: no clock, no broker.

A record holds rows of one partition, as many as the settings say; it has a key only where all its rows are one lead's.
"""

from __future__ import annotations

from collections.abc import Sequence

from schemas.log import (
    ALARM_KEY,
    MAX_RECORD_BYTES,
    MODEL_KEY,
    POLICY_KEY,
    Alarm,
    LeadRow,
    ModelControl,
    NextPolicy,
    encode_record,
)
from schemas.naming import partition_of
from schemas.native_rows import NativeRow

__all__ = ["Control", "Entry", "Packer"]

Entry = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
Control = tuple[int | None, Alarm | ModelControl | NextPolicy]
"""A control row and its partition; None: every one."""

_KEYS: dict[type, bytes] = {Alarm: ALARM_KEY, ModelControl: MODEL_KEY, NextPolicy: POLICY_KEY}
_NO_HEADERS: tuple[tuple[str, bytes], ...] = ()


class Packer:
    """Makes the records of one poll.

    Args:
        partitions: Of `lead-events`.
        pack_rows: Most rows of one record.
        said_ms: What was safe before: every row is younger, unless it comes late.
        safe_ms: What is safe once all rows are in the log.
    """

    def __init__(self, partitions: int, pack_rows: int, said_ms: int, safe_ms: int) -> None:
        self._pack_rows = pack_rows
        self._said_ms, self._safe_ms = said_ms, safe_ms
        self._records: list[list[Entry]] = [[] for _ in range(partitions)]
        self._open: list[list[LeadRow | NativeRow]] = [[] for _ in range(partitions)]

    def add(self, rows: Sequence[LeadRow | NativeRow], controls: Sequence[Control] = ()) -> None:
        """Takes what comes next in the log.

        Args:
            rows: In log order.
            controls: In log order; each goes behind the rows that are not younger.
        """
        start = 0
        for target, control in controls:
            end = start
            while end < len(rows) and rows[end].received_at_ms <= control.received_at_ms:
                end += 1
            self._add_rows(rows[start:end])
            start = end
            self._add_control(target, control)
        self._add_rows(rows[start:] if start else rows)

    def finish(self) -> list[list[Entry]]:
        """The records by partition; nothing can be added any more."""
        for partition in range(len(self._open)):
            self._close(partition)
        return self._records

    def _add_rows(self, rows: Sequence[LeadRow | NativeRow]) -> None:
        buckets, count = self._open, len(self._open)
        for row in rows:
            # Worked out anew for each: to look a lead up among very many takes longer, as memory does.
            place = row.lead_crc % count if type(row) is NativeRow else partition_of(row.lead_id, count)
            buckets[place].append(row)
        size = self._pack_rows
        for bucket, entries in zip(buckets, self._records, strict=True):
            full = len(bucket) - len(bucket) % size
            for start in range(0, full, size):
                self._pack(bucket[start : start + size], entries)
            del bucket[:full]

    def _add_control(self, target: int | None, control: Alarm | ModelControl | NextPolicy) -> None:
        value = encode_record(self._safe_at(control.received_at_ms), [control])
        for partition in range(len(self._open)) if target is None else (target,):
            self._close(partition)
            self._records[partition].append((_KEYS[type(control)], value, _NO_HEADERS))

    def _close(self, partition: int) -> None:
        """What waits for more becomes a record."""
        if rows := self._open[partition]:
            self._open[partition] = []
            self._pack(rows, self._records[partition])

    def _pack(self, rows: list[LeadRow | NativeRow], entries: list[Entry]) -> None:
        """One record; two, where it would be too large."""
        value = encode_record(self._safe_at(rows[0].received_at_ms), rows)
        if len(value) > MAX_RECORD_BYTES and len(rows) > 1:
            half = len(rows) // 2
            self._pack(rows[:half], entries)
            self._pack(rows[half:], entries)
            return
        entries.append((_key(rows), value, _NO_HEADERS))

    def _safe_at(self, first_ms: int) -> int:
        """What is older than a record's first row lies before it: on its way, the safe time moves with the rows."""
        return max(self._said_ms, min(first_ms, self._safe_ms))


def _key(rows: Sequence[LeadRow | NativeRow]) -> bytes | None:
    name = rows[0].lead_id
    for row in rows:
        if row.lead_id != name:
            return None
    return name.encode()
