"""The same job on stock Faust, short: raw JSON in, a table row per lead, tier changes out. A worker, run as a process.

    python -m tests.bench.stock_faust worker -l warn      (BOOTSTRAP, PREFIX in the environment)

It decodes with the json of the standard library, counts five of the signals of `b2b-default` per lead with their
times, applies three windowed rules and sends a tier change when the tier moves; at least once, memory store with
changelog, as Faust's documentation shows it. It does less than leadstream does, never more.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

import faust

BOOTSTRAP = os.environ.get("BOOTSTRAP", "127.0.0.1:9092")
PREFIX = os.environ.get("PREFIX", "stock-")
PARTITIONS = int(os.environ.get("PARTITIONS", "8"))
RAW = ["page-views", "email-opens", "email-activity", "form-fills", "email-bounces", "lead-profiles", "sales-activity"]

app = faust.App(
    f"{PREFIX}stock",
    broker=f"kafka://{BOOTSTRAP}",
    store="memory://",
    web_enabled=False,
    topic_partitions=PARTITIONS,
    topic_disable_leader=True,
    table_standby_replicas=0,
    consumer_auto_offset_reset="earliest",
    broker_commit_interval=1.0,
)
raw = app.topic(*[PREFIX + name for name in RAW], value_type=bytes, value_serializer="json", key_type=bytes)
changes = app.topic(PREFIX + "stock-tier-changes", partitions=PARTITIONS, value_serializer="json")
leads = app.Table("leads", default=dict, partitions=PARTITIONS, use_partitioner=False)


def signal_of(event: dict[str, Any]) -> str | None:
    """The one signal that an event feeds."""
    kind = event["kind"]
    if kind == "page_view":
        return "pricing" if "/pricing" in event["url"] else "page"
    if kind == "form_fill":
        return "demo" if event.get("form_type") == "demo" else "form"
    return {"bounce": "bounce", "email_open": "open"}.get(kind)


def tier_of(row: dict[str, list[float]], now: float) -> tuple[str, int]:
    """Tier and points of a row."""
    points = 30 * bool(row.get("demo")) - 20 * bool(row.get("bounce"))
    pricing = [at for at in row.get("pricing", ()) if now - at < 7 * 86_400]
    points += 15 * (len(pricing) >= 2)
    forms = row.get("form", []) + row.get("demo", [])
    points += 25 * any(abs(a - b) < 86_400 for a in pricing for b in forms)
    points += 15 * (len(row.get("open", ())) >= 3)
    return ("hot" if points >= 60 else "warm" if points >= 40 else "cold"), points


@app.agent(raw)
async def score(stream: Any) -> None:
    """One event at a time, as the user guide shows it."""
    async for event in stream:
        lead = event["lead"]["lead_id"]
        name = signal_of(event)
        if name is None:
            continue
        at = datetime.fromisoformat(event["occurred_at"]).timestamp()
        row = leads[lead]
        before, _ = tier_of(row, at)
        row = {**row, name: [*row.get(name, []), at][-16:]}
        leads[lead] = row
        after, points = tier_of(row, at)
        if after != before:
            await changes.send(key=lead, value={"lead_id": lead, "from": before, "to": after, "total": points})


if __name__ == "__main__":
    app.main()
