"""What the fold costs, without Kafka: microseconds of CPU per event, by step.

    python -m tests.bench.kernel [--events 200000] [--leads 50000] [--model b2b-default] [--batch 12000]

The log is made of `tests.bench.load`, packed as ingest packs it; the first third warms up.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from typing import cast

from schemas.log import EventRow, LogRow, decode_record, encode_record
from schemas.wire import decode_event
from scoring.partition import PartitionFold
from scoring.row_codec import decode_row, encode_row
from scoring.shipped import shipped_text
from tests.bench.load import raw_events

__all__ = ["log_of", "main"]

PACK = 100


def log_of(events: int, leads: int) -> list[EventRow]:
    """Rows of a log, decoded."""
    now_ms = int(time.time() * 1000)
    made = enumerate(raw_events(events, leads))
    return [decode_event(value, now_ms + number // 100, b"k" * 16) for number, (_, _, value) in made]


def records_of(rows: Sequence[EventRow]) -> list[tuple[int, bytes]]:
    """The same rows as records."""
    packs = [cast("list[LogRow]", rows[at : at + PACK]) for at in range(0, len(rows), PACK)]
    return [(offset, encode_record(rows[offset * PACK].received_at_ms, pack)) for offset, pack in enumerate(packs)]


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--leads", type=int, default=50_000)
    parser.add_argument("--model", default="b2b-default")
    parser.add_argument("--batch", type=int, default=12_000, help="events in one call of the fold")
    options = parser.parse_args()
    rows = log_of(options.events, options.leads)
    records = records_of(rows)
    warm = len(records) // 3
    began = time.process_time()
    for _, value in records:
        decode_record(value)
    decoding = (time.process_time() - began) / len(rows)
    fold = PartitionFold()
    fold.start_with(shipped_text(options.model))
    fold.opened()
    steps, dirty, scores, changes = [], 0, 0, 0
    size = options.batch // PACK
    for at in range(0, len(records), size):
        batch = records[at : at + size]
        position = (batch[0][0], 0)
        began = time.process_time()
        while position[0] <= batch[-1][0]:
            step = fold.fold(batch, position)
            position = step.position
            if at >= warm:
                dirty, scores, changes = dirty + len(step.rows), scores + len(step.scores), changes + len(step.changes)
        if at >= warm:
            steps.append((time.process_time() - began) / (len(batch) * PACK) * 1e6)
    measured = len(steps) * size * PACK
    print(f"{options.model}: {options.events} events, {fold.leads} leads, {options.batch} events a batch")
    print(f"fold, all in     {min(steps):6.2f} us/event min, {statistics.median(steps):6.2f} median")
    print(f"  decode         {decoding * 1e6:6.2f} us/event")
    print(
        f"  per event: {dirty / measured:.2f} rows, {scores / measured:.2f} scores, "
        f"{changes / measured:.3f} tier changes"
    )
    assert fold.kernel is not None
    kernel = fold.kernel
    fresh, sample = {}, rows[: options.events // 2]
    costs = []
    for _ in range(4):
        fresh = {row.lead_id: kernel.new(row.lead_id) for row in sample}
        began = time.process_time()
        for row in sample:
            kernel.event(fresh[row.lead_id], kernel.see(row))
        costs.append((time.process_time() - began) / len(sample) * 1e6)
    print(f"apply + assess   {min(costs):6.2f} us/event min, {statistics.median(costs):6.2f} median")
    leads = list(fresh.values())
    began = time.process_time()
    values = [encode_row(kernel.model, lead) for lead in leads]
    print(f"encode a row     {(time.process_time() - began) / len(leads) * 1e6:6.2f} us")
    began = time.process_time()
    for lead, value in zip(leads, values, strict=True):
        decode_row(kernel.model, lead.lead_id, value)
    print(f"decode a row     {(time.process_time() - began) / len(leads) * 1e6:6.2f} us")
    began = time.process_time()
    for lead, value in zip(leads, values, strict=True):
        kernel.read(lead.lead_id, value)
    print(f"read a cold row  {(time.process_time() - began) / len(leads) * 1e6:6.2f} us")
    sizes = sorted(len(value) for value in values)
    print(f"bytes of a row   {sizes[len(sizes) // 2]} median, {sizes[-1]} largest")


if __name__ == "__main__":
    main()
