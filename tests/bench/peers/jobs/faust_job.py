"""The job on stock Faust, as its user guide shows it: a table, an agent, one event at a time."""

from __future__ import annotations

import os
from typing import Any

import faust

from tests.bench.peers.jobs.fold import fold, fresh, signal_of

PARTITIONS = int(os.environ["PARTITIONS"])

app = faust.App(
    os.environ["NAME"],
    broker=f"kafka://{os.environ['BOOTSTRAP']}",
    store="memory://",
    datadir=os.environ["LOCAL"],
    web_enabled=False,
    topic_partitions=PARTITIONS,
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    # As many as come: the buffer between the fetcher and the agent is otherwise the bottleneck.
    stream_buffer_maxsize=16_384,
    stream_wait_empty=False,
)
raw = app.topic(os.environ["SOURCE"], key_type=bytes, value_type=bytes, value_serializer="json")
changes = app.topic(os.environ["OUTPUT"], partitions=PARTITIONS, value_serializer="json")
leads = app.Table("leads", default=fresh, partitions=PARTITIONS)


@app.agent(raw)
async def score(stream: Any) -> None:
    """One event."""
    async for event in stream:
        signal = signal_of(event)
        if signal is None:
            continue
        lead = event["lead"]["lead_id"]
        state = leads[lead]
        change = fold(state, event, signal)
        leads[lead] = state
        if change is not None:
            await changes.send(key=lead, value=change)
