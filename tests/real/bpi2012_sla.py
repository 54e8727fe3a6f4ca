"""Who was touched in time: a bank's loan funnel (see `tests.real.bpi2012`) under a clock of 24 hours.

    python -m tests.real.bpi2012_sla events EVENTS.csv.gz > events.jsonl
    python -m tests.real.bpi2012_sla compare EVENTS.csv.gz

An application is open from its submission until it is declined or cancelled; its clock is answered by the first piece
of human work that is begun (`W_*` `START`). `compare` counts the file by itself, then runs `leadstream score` into
`leadstream route`, and prints where the two differ, lead by lead; exit code 0: nowhere.
"""

from __future__ import annotations

import csv
import gzip
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

__all__ = ["MODEL", "POLICY", "Recount", "events", "main", "recount", "told", "wrong"]

HERE = Path(__file__).parent
MODEL, POLICY = HERE / "models" / "bpi2012-sla.yaml", HERE / "policies" / "bpi2012-sla.yaml"
ENDS = ("A_DECLINED", "A_CANCELLED")
WITHIN = timedelta(hours=24)


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of the file, in its order, which is that of time."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def event_of(row: dict[str, str]) -> dict[str, Any] | None:
    """The event that a row of the file becomes, or None if it is left out."""
    activity = row["activity"]
    head: dict[str, Any] = {
        "event_id": f"bpi-{row['file_order']}",
        "occurred_at": row["timestamp"],
        "source": "bank",
        "lead": {"lead_id": row["case_id"]},
    }
    by = {"by": row["resource"]} if row["resource"] else {}
    if activity == "A_SUBMITTED":
        return head | {"kind": "form_fill", "form_id": "a_submitted", "form_type": "application"}
    if activity in ENDS:
        return head | {"kind": "sales_activity", "activity": "discarded", "reason": activity.lower()} | by
    if activity.startswith("W_") and row["lifecycle"] == "START":
        return head | {"kind": "sales_activity", "activity": "contacted"} | by
    return None


def events(path: Path) -> Iterator[dict[str, Any]]:
    """Events of the file in its order."""
    return (event for row in rows(path) if (event := event_of(row)) is not None)


@dataclass
class Recount:
    """What the file says by itself.

    Attributes:
        latencies: Of each lead that was touched after its submission: how long that took.
        breached: When the clock of each lead ran out untouched and open.
    """

    latencies: dict[str, timedelta] = field(default_factory=dict)
    breached: dict[str, datetime] = field(default_factory=dict)


def recount(path: Path) -> Recount:
    """The file, counted without anything of leadstream."""
    submitted, touched, ended = dict[str, datetime](), dict[str, datetime](), dict[str, datetime]()
    for row in rows(path):
        lead, at = row["case_id"], datetime.fromisoformat(row["timestamp"])
        if row["activity"] == "A_SUBMITTED":
            submitted[lead] = at
        elif lead in submitted and row["activity"] in ENDS:
            ended.setdefault(lead, at)
        elif lead in submitted and row["activity"].startswith("W_") and row["lifecycle"] == "START":
            touched.setdefault(lead, at)
    found = Recount({lead: at - submitted[lead] for lead, at in touched.items()})
    for lead, since in submitted.items():
        due = since + WITHIN
        in_time = any(there.get(lead, due) < due for there in (touched, ended))
        if not in_time and due <= at:
            found.breached[lead] = due
    return found


def told(lines: Iterable[str]) -> dict[str, datetime]:
    """The breaches among SLA events, of `leadstream route` or of `leadstream read sla-events`, by lead."""
    found = map(json.loads, lines)
    return {
        one["lead_id"]: datetime.fromisoformat(one["effective_at"]) for one in found if one.get("what") == "breached"
    }


def wrong(left: dict[str, datetime], right: dict[str, datetime]) -> list[str]:
    """Leads of which two lists of breaches say something else."""
    return sorted(lead for lead in left.keys() | right.keys() if left.get(lead) != right.get(lead))


def routed(path: Path) -> dict[str, datetime]:
    """The breaches of `leadstream score FILE | leadstream route - FILE`."""
    leadstream = [sys.executable, "-m", "streams.cli"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.jsonl"
        file.write_text("".join(json.dumps(event) + "\n" for event in events(path)), encoding="utf-8")
        score = [*leadstream, "score", "--model", str(MODEL), str(file)]
        route = [*leadstream, "route", "--policy", str(POLICY), "-", str(file)]
        with subprocess.Popen(score, stdout=subprocess.PIPE) as scoring:
            done = subprocess.run(route, stdin=scoring.stdout, stdout=subprocess.PIPE, text=True, check=True)
        if scoring.returncode:
            raise subprocess.CalledProcessError(scoring.returncode, score)
    return told(done.stdout.splitlines())


def compare(path: Path) -> bool:
    """Prints the figures of the file and what differs; True when nothing does."""
    counted, breaches = recount(path), routed(path)
    hours = statistics.median(latency / timedelta(hours=1) for latency in counted.latencies.values())
    late = sum(latency > WITHIN for latency in counted.latencies.values())
    differing = wrong(counted.breached, breaches)
    print(
        f"{len(counted.latencies)} leads have a first touch after submission, median {hours:.2f} h, {late} of them "
        f"later than 24 h; {len(counted.breached)} breaches counted, {len(breaches)} told; {len(differing)} differ",
        flush=True,
    )
    for lead in differing[:5]:
        print(f"  {lead}: counted {counted.breached.get(lead)}, told {breaches.get(lead)}")
    return not differing


def main(arguments: list[str]) -> int:
    """Writes events to standard output, or compares."""
    if len(arguments) != 2 or arguments[0] not in ("events", "compare"):
        sys.stderr.write("usage: python -m tests.real.bpi2012_sla events|compare EVENTS.csv.gz\n")
        return 2
    path = Path(arguments[1])
    if arguments[0] == "compare":
        return 0 if compare(path) else 1
    for event in events(path):
        sys.stdout.write(json.dumps(event, separators=(",", ":")) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
