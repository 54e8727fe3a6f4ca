"""Maps a bank's loan funnel (BPI Challenge 2012, doi 10.4121/uuid:3926db30-f712-4394-aebc-75976070e91f) to events.

    python -m tests.real.bpi2012 EVENTS.csv.gz > events.jsonl

Applications are leads. What the applicant and the bank did becomes events; outcomes (activated, declined, cancelled,
and whatever follows from them) are never input. Rows keep the order of the file, so ties keep it too. The counts of
what was mapped and what was left out go to standard error.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["events", "main"]

FORMS = {"A_SUBMITTED", "A_PARTLYSUBMITTED"}
STAGES = {"A_PREACCEPTED": "preaccepted", "A_ACCEPTED": "accepted", "A_FINALIZED": "finalized"}
PROPOSALS = {"O_SELECTED", "O_CREATED", "O_SENT"}


def event_of(row: dict[str, str]) -> dict[str, Any] | None:
    """The event that a row of the file becomes, or None if it is left out."""
    activity = row["activity"]
    event: dict[str, Any] = {
        "event_id": f"bpi-{row['file_order']}",
        "kind": "",
        "occurred_at": row["timestamp"],
        "source": "bank",
        "lead": {"lead_id": row["case_id"]},
    }
    if activity in FORMS:
        return event | {"kind": "form_fill", "form_id": activity.lower(), "form_type": "application"}
    if activity in STAGES:
        return event | {"kind": "profile", "fields": {"stage": STAGES[activity], "amount": int(row["amount_req"])}}
    if activity in PROPOSALS:
        reason = activity.lower()
        return event | {"kind": "sales_activity", "activity": "proposal_sent", "by": row["resource"], "reason": reason}
    if activity == "O_SENT_BACK":
        return event | {"kind": "email_reply", "message_id": f"offer-{row['file_order']}"}
    if activity.startswith("W_") and row["lifecycle"] in ("START", "COMPLETE"):
        reason = row["lifecycle"].lower()
        return event | {"kind": "sales_activity", "activity": "contacted", "by": row["resource"], "reason": reason}
    return None


def events(path: Path, left_out: Counter[str] | None = None) -> Iterator[dict[str, Any]]:
    """Events of the file in its order; `left_out` counts the rows that become none, by activity and lifecycle."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            event = event_of(row)
            if event is not None:
                if event["kind"] == "sales_activity" and not event["by"]:
                    del event["by"]
                yield event
            elif left_out is not None:
                left_out[f"{row['activity']} {row['lifecycle']}"] += 1


def main(arguments: list[str]) -> int:
    """Writes events as JSON lines to standard output."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.real.bpi2012 EVENTS.csv.gz\n")
        return 2
    kinds: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for event in events(Path(arguments[0]), left_out):
        kinds[event["kind"]] += 1
        sys.stdout.write(json.dumps(event, separators=(",", ":")) + "\n")
    sys.stderr.write(f"mapped {kinds.total()}: {dict(kinds)}\nleft out {left_out.total()}: {dict(left_out)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
