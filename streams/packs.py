"""Rows of the log, in log order, made into records of `lead-events`. Pure.

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
    LogRow,
    ModelControl,
    NextPolicy,
    encode_record,
)
from schemas.naming import partition_of

__all__ = ["Control", "Entry", "Packer"]

Entry = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
Control = tuple[int | None, Alarm | ModelControl | NextPolicy]
"""A control row and its partition; None: every one."""

_KEYS: dict[type, bytes] = {Alarm: ALARM_KEY, ModelControl: MODEL_KEY, NextPolicy: POLICY_KEY}
_NO_HEADERS: tuple[tuple[str, bytes], ...] = ()


class Packer:
    """Makes records of rows.

    Args:
        partitions: Of `lead-events`.
        pack_rows: Most rows of one record.
    """

    def __init__(self, partitions: int, pack_rows: int) -> None:
        self._partitions = partitions
        self._pack_rows = pack_rows

    def pack(
        self, events: Sequence[LeadRow], controls: Sequence[Control], said_ms: int, safe_ms: int
    ) -> list[list[Entry]]:
        """Records by partition.

        Args:
            events: In log order.
            controls: In log order; each goes behind the events that are not younger.
            said_ms: What was safe before: every row is younger, unless it comes late.
            safe_ms: What is safe once all rows are in the log.
        """
        records: list[list[Entry]] = [[] for _ in range(self._partitions)]
        start = 0
        for target, control in controls:
            end = start
            while end < len(events) and events[end].received_at_ms <= control.received_at_ms:
                end += 1
            self._pack_events(events[start:end], records, said_ms, safe_ms)
            start = end
            value = encode_record(max(said_ms, min(control.received_at_ms, safe_ms)), [control])
            key = _KEYS[type(control)]
            for partition in range(self._partitions) if target is None else (target,):
                records[partition].append((key, value, _NO_HEADERS))
        self._pack_events(events[start:] if start else events, records, said_ms, safe_ms)
        return records

    def _pack_events(self, events: Sequence[LeadRow], records: list[list[Entry]], said_ms: int, safe_ms: int) -> None:
        buckets: list[list[LogRow]] = [[] for _ in records]
        for row in events:
            # Worked out anew for each: to look a lead up among very many takes longer, as memory does.
            buckets[partition_of(row.lead_id, len(records))].append(row)  # type: ignore[arg-type]  # all are log rows
        size = self._pack_rows
        for rows, entries in zip(buckets, records, strict=True):
            for start in range(0, len(rows), size):
                _add(entries, rows[start : start + size], said_ms, safe_ms)


def _add(entries: list[Entry], rows: list[LogRow], said_ms: int, safe_ms: int) -> None:
    """One record; two, where it would be too large."""
    first = rows[0].received_at_ms
    # What is older than the first row lies before this record: on its way, the safe time moves with the rows.
    value = encode_record(max(said_ms, min(first, safe_ms)), rows)
    if len(value) > MAX_RECORD_BYTES and len(rows) > 1:
        half = len(rows) // 2
        _add(entries, rows[:half], said_ms, safe_ms)
        _add(entries, rows[half:], said_ms, safe_ms)
        return
    entries.append((_key(rows), value, _NO_HEADERS))


def _key(rows: Sequence[LogRow]) -> bytes | None:
    name: str = rows[0].lead_id  # type: ignore[union-attr]  # controls are not packed
    for row in rows:
        if row.lead_id != name:  # type: ignore[union-attr]
            return None
    return name.encode()
