"""A whole pipeline worked by hand, without a broker: a good ledger, for the tests of the oracle."""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from schemas.dead_letters import dead_letter_headers
from schemas.internal import encode_alarm, encode_model
from schemas.log import Alarm, LogRow, ModelControl, encode_record
from schemas.naming import partition_of
from schemas.outputs_wire import encode_lead_score, encode_tier_change
from schemas.reasons import ReasonName
from schemas.times import iso
from schemas.topics import RAW_TOPICS, topic_of_kind
from schemas.wire import decode_event
from scoring.partition import PartitionFold
from scoring.reading import read_model
from streams.engine.checkpoint import CHECKPOINT_KEY, Checkpoint, encode_checkpoint
from tests.faults.ledger import Ledger
from tests.pipeline import ID_KEY, Kept, LogRecord

__all__ = ["MODEL", "PARTITIONS", "some_events", "worked_off"]

PARTITIONS = 2
_BEGIN_MS = 1_772_446_500_000

MODEL = """
model: faults
version: {version}
signals:
  visit: {{on: page_view, where: {{path: /pricing*}}}}
  form: {{on: form_fill}}
  demo: {{on: form_fill, where: {{form_type: demo}}}}
rules:
  engagement:
    both: {{together: [visit, form], within: 24h, points: 25}}
    visits: {{repeat: visit, times: 2, within: 7d, points: 15}}
    demo: {{each: demo, points: {demo_points}, hold: 60d}}
  risk:
    quiet: {{silence: visit, within: {quiet}, points: -30}}
tiers:
  hot: {{at_least: 60, leave_below: 55}}
  warm: {{at_least: 25}}
  cold: {{}}
"""


def some_events(chance: random.Random, leads: int) -> Iterator[dict[str, Any]]:
    """Events of a few leads, without times and without an end; every tenth is one that came before."""
    events: deque[dict[str, Any]] = deque(maxlen=1_000)
    for number in itertools.count():
        if events and chance.random() < 0.1:
            events.append(chance.choice(events))
            yield events[-1]
            continue
        kind = chance.choice(["page_view", "page_view", "form_fill"])
        fields = {"url": chance.choice(["/pricing", "/blog"])}
        if kind == "form_fill":
            fields = {"form_id": "f", "form_type": chance.choice(["demo", "contact"])}
        lead = {"lead_id": f"lead-{chance.randrange(leads)}"}
        events.append({"event_id": f"e{number}", "kind": kind, "source": "faults", "lead": lead} | fields)
        yield events[-1]


def worked_off(seed: int = 1) -> Ledger:
    """What ingest and score leave behind when nothing ever goes wrong."""
    chance, ledger = random.Random(seed), Ledger({topic: [] for topic in RAW_TOPICS})
    text = MODEL.format(version=1, demo_points=20, quiet="2d")
    model = read_model(text, "faults")
    control = ModelControl(_BEGIN_MS, model.name, model.version, model.sha256, text)
    asked = [encode_model(model.name, model.version, model.sha256, text)]
    rows: list[list[LogRow]] = [[control], [control]]
    at_ms = _BEGIN_MS
    for event in itertools.islice(some_events(chance, 12), 200):
        at_ms += chance.randrange(1, 3 * 3_600_000)
        topic = topic_of_kind(event["kind"])
        value = msgspec.json.encode(event | {"occurred_at": iso(at_ms)})
        ledger.raw[topic].append(Kept(0, len(ledger.raw[topic]), None, value, at_ms, []))
        row = decode_event(value, at_ms, ID_KEY.encode())
        rows[partition_of(row.lead_id, PARTITIONS)].append(cast(LogRow, row))
    _refuse(ledger, b"{", "bad_json")
    end_ms = at_ms + 3 * 86_400_000
    for partition, told in enumerate(rows):
        told.append(Alarm(end_ms))
        asked.append(encode_alarm(partition))
        _write_log(ledger, partition, told)
        _fold(ledger, partition, text)
    times = [_BEGIN_MS, *[end_ms] * PARTITIONS]
    ledger.internal = [Kept(0, n, None, *one, []) for n, one in enumerate(zip(asked, times, strict=True))]
    return ledger


def _refuse(ledger: Ledger, value: bytes, reason: ReasonName) -> None:
    topic, at_ms = "page-views", _BEGIN_MS
    offset = len(ledger.raw[topic])
    ledger.raw[topic].append(Kept(0, offset, b"k", value, at_ms, [("trace", b"1")]))
    headers = dead_letter_headers(topic, 0, offset, at_ms, reason, "", [("trace", b"1")])
    ledger.letters.append(Kept(0, 0, b"k", value, at_ms, headers))


def _write_log(ledger: Ledger, partition: int, rows: list[LogRow]) -> None:
    for offset, row in enumerate(rows):
        value = encode_record(row.received_at_ms, [row])
        ledger.log.append(LogRecord(partition, offset, row.received_at_ms, [row], value))


def _fold(ledger: Ledger, partition: int, text: str) -> None:
    fold = PartitionFold()
    fold.start_with(text, "faults")
    log = [(record.offset, record.value) for record in ledger.log if record.partition == partition]
    offset = 0
    for place in range(0, len(log), 7):
        step = fold.fold(log[place : place + 7], (place, 0))
        for change in step.changes:
            ledger.changes.append(Kept(partition, len(ledger.changes), None, encode_tier_change(change), 0, []))
        for score in step.scores:
            ledger.scores.append(Kept(partition, len(ledger.scores), None, encode_lead_score(score), 0, []))
        checkpoint = encode_checkpoint(Checkpoint(*step.position, step.memo))
        for key, value in [*step.rows, (CHECKPOINT_KEY, checkpoint)]:
            ledger.changelog.append(Kept(partition, offset, key, value, 0, []))
            offset += 1
