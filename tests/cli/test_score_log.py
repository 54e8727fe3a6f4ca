"""`leadstream score` over rows of the log, as `read lead-events` prints them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.lines import log_lines
from schemas.log import Alarm, LogRow, ModelControl, encode_record
from schemas.naming import partition_of
from schemas.outputs_wire import encode_lead_score, encode_tier_change
from schemas.times import iso
from schemas.wire import decode_event
from scoring.outcomes import score_of
from scoring.partition import PartitionFold
from scoring.reading import read_model
from scoring.shipped import shipped_text
from tests.cli.conftest import Leadstream
from tests.cli.test_score import of_type
from tests.schemas.samples import BROKER_MS, KEY

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
PARTITIONS = 3

VERSIONS = [
    shipped_text("b2b-default"),
    shipped_text("b2b-default").replace("version: 1\n", "version: 2\n", 1).replace("at_least: 40", "at_least: 25", 1),
]


def random_event(chance: random.Random, number: int, received_ms: int) -> bytes:
    """An event of one of thirty leads, some a little late."""
    kinds: list[dict[str, Any]] = [
        {
            "kind": "page_view",
            "url": f"https://x.example/{chance.choice(['pricing', 'blog/a', 'careers', 'services'])}",
        },
        {"kind": "email_open", "message_id": f"m{number}"},
        {"kind": "form_fill", "form_id": "f", "form_type": chance.choice(["demo", "newsletter", "contact"])},
        {"kind": "bounce", "message_id": f"m{number}", "bounce_type": chance.choice(["hard", "soft"])},
        {"kind": "profile", "fields": {"seniority": chance.choice(["vp", "specialist"]), "industry": "saas"}},
    ]
    event = chance.choice(kinds) | {
        "event_id": f"e{chance.randrange(number + 1)}" if number % 9 == 0 else f"e{number}",
        "occurred_at": iso(received_ms - chance.choice([0, 0, 1_000, 5 * HOUR_MS])),
        "lead": {"lead_id": f"lead-{chance.randrange(30)}"},
    }
    return json.dumps(event).encode()


def random_log(events: int) -> dict[int, list[tuple[int, bytes]]]:
    """Records of a log of some weeks, by partition: a model first, another in the middle, time without events."""
    chance, now = random.Random(events), BROKER_MS
    rows: dict[int, list[tuple[int, list[LogRow]]]] = {number: [] for number in range(PARTITIONS)}

    def everywhere(row: LogRow) -> None:
        for records in rows.values():
            records.append((now - HOUR_MS, [row]))

    for number in range(events):
        if number in (0, events // 2):
            model = read_model(VERSIONS[bool(number)], "b2b-default")
            everywhere(ModelControl(now, model.name, model.version, model.sha256, model.text))
        now += chance.choice([0, 1_000, HOUR_MS, HOUR_MS])
        row: Any = decode_event(random_event(chance, number, now), now, KEY)
        records = rows[partition_of(row.lead_id, PARTITIONS)]
        # What came within a second is one record; its `safe` is behind what it holds, as ingest's is.
        if records and records[-1][1][-1].received_at_ms > now - 1_000 and chance.random() < 0.7:
            records[-1][1].append(row)
        else:
            records.append((now - chance.choice([0, 2_000]), [row]))
        if chance.random() < 0.05:
            now += 3 * DAY_MS
            everywhere(Alarm(now))
    return {
        partition: [(offset, encode_record(safe_ms, batch)) for offset, (safe_ms, batch) in enumerate(records)]
        for partition, records in rows.items()
    }


def stage_says(log: dict[int, list[tuple[int, bytes]]]) -> tuple[list[bytes], list[bytes]]:
    """Tier changes and last scores as the stage has them, one step after the other."""
    changes: list[bytes] = []
    scores: dict[str, bytes] = {}
    for records in log.values():
        fold = PartitionFold(max_step_bytes=20_000)
        fold.start_with(VERSIONS[0], "b2b-default")
        position = (0, 0)
        while position[0] < len(records):
            step = fold.fold(records[: position[0] + 7], position)
            position = step.position
            changes += map(encode_tier_change, step.changes)
        assert fold.kernel is not None
        for lead_id in fold.lead_ids():
            row = fold.row(lead_id)
            assert row is not None
            scores[lead_id] = encode_lead_score(score_of(fold.kernel, row, fold.log_time_ms))
    return changes, [scores[lead_id] for lead_id in sorted(scores)]


def printed(log: dict[int, list[tuple[int, bytes]]]) -> Iterator[bytes]:
    """The lines of all partitions, in turns."""
    left = {partition: iter(records) for partition, records in log.items()}
    while left:
        for partition in list(left):
            if (record := next(left[partition], None)) is None:
                del left[partition]
            else:
                yield from log_lines(partition, *record)


def test_rows_of_the_log_give_what_the_stage_gave(leadstream: Leadstream, tmp_path: Path) -> None:
    log = random_log(600)
    file = tmp_path / "log.jsonl"
    file.write_bytes(b"\n".join(printed(log)))

    ran = leadstream("score", "--scores", str(file))

    changes, scores = stage_says(log)
    assert ran.code == 0, ran.err
    found = of_type(ran.lines, "tier_change")
    assert any("deadline" in change["cause"] for change in found)
    assert any("model" in change["cause"] for change in found)
    assert sorted(map(repr, found)) == sorted(repr(json.loads(change)) for change in changes)
    published = [json.loads(score) for score in scores]
    told = of_type(ran.lines, "score")
    assert told == [{name: score[name] for name in told[0]} for score in published]


def test_a_model_of_ones_own_scores_the_log_anew(leadstream: Leadstream, tmp_path: Path) -> None:
    file, other = tmp_path / "log.jsonl", tmp_path / "other.yaml"
    file.write_bytes(b"\n".join(printed(random_log(200))))
    other.write_text(VERSIONS[1])

    found = of_type(leadstream("score", "--model", str(other), str(file)).lines, "tier_change")

    assert {change["model"]["version"] for change in found} == {2}
    assert not any("model" in change["cause"] for change in found)


def test_a_log_without_a_model_needs_one(leadstream: Leadstream, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_bytes(b"\n".join(line for line in printed(random_log(60)) if b'"type":"model"' not in line))

    ran = leadstream("score", str(file))

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith("no model among the rows of partition 0, 1, 2; give one with --model\n")
