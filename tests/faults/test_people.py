"""People with several names on a real broker, while score workers die: nothing is lost, nothing counts twice.

A score worker dies between a link and the merge that it brings (`folded`), after the merge is out and before the
checkpoint (`published`), and behind the checkpoint (`written`). In the end every person has the points of one lead
that did it all, as files scored at once have them.
"""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.outputs_wire import LeadScoreOut, MergedLeadOut
from schemas.times import iso
from schemas.topics import TOPICS
from scoring.reading import read_model
from streams.file_scoring import FileScoring
from streams.line_rows import LineRows
from tests.faults.conftest import MakeTrial
from tests.faults.sizes import SEEDS
from tests.faults.trial import Trial
from tests.kafka.broker import KafkaBroker
from tests.pipeline import ID_KEY
from tests.streams.live import send_raw

pytestmark = [pytest.mark.kafka, pytest.mark.kill]

PEOPLE = 40
SECRET = "canary.example"

MODEL = """
model: people
version: 1
publish: [industry]
signals:
  visit: {on: page_view, where: {path: /pricing*}}
  form: {on: form_fill}
rules:
  fit:
    title: {profile: {seniority: vp}, points: 10}
  engagement:
    visit_and_form: {together: [visit, form], within: 24h, points: 25}
    visits: {repeat: visit, times: 3, within: 7d, points: 15}
    form: {each: form, at_most: 3, points: 10}
tiers:
  hot: {at_least: 50, leave_below: 45}
  warm: {at_least: 20}
  cold: {}
"""


def story(person: int, now_ms: int) -> Iterator[dict[str, Any]]:
    """A visitor looks at prices, fills in a form, turns out to be known, and comes back without a name."""
    address, browser = f"p{person}@{SECRET}", {"anonymous_id": f"b-{person}"}
    visit: dict[str, Any] = {"kind": "page_view", "url": "https://shop.example/pricing"}
    lead = {"lead_id": f"crm-{person}"}
    made: tuple[dict[str, Any], ...] = (
        visit | {"lead": browser},
        {"kind": "form_fill", "form_id": "f", "lead": {"email": address} | browser},
        visit | {"lead": browser},
        {"kind": "profile", "fields": {"seniority": "vp", "industry": "saas"}, "lead": lead | {"email": address}},
        visit | {"lead": {"anonymous_id": f"phone-{person}"}},
        {"kind": "form_fill", "form_id": "g", "lead": lead | {"anonymous_id": f"phone-{person}"}},
        visit | {"lead": browser},
        {"kind": "form_fill", "form_id": "h", "lead": {"email": address}},
    )
    for number, event in enumerate(made):
        at = iso(now_ms - 3_600_000 + person + number * 1000)
        yield {"event_id": f"{person}-{number}", "occurred_at": at, "source": "test"} | event


def points(score: dict[str, Any]) -> dict[str, Any]:
    """What a score says of points; `since` may move without a word."""
    kept = {name: score[name] for name in ("fit", "engagement", "risk", "total", "profile")}
    reasons = [(one["rule"], one["points"]) for one in score["reasons"]]
    return kept | {"reasons": reasons, "names": sorted(score.get("names", []))}


def at_once(events: list[dict[str, Any]]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Points of everybody, and where every alias went, by the kernel over a file."""
    scoring, lines = FileScoring(read_model(MODEL, "people.yaml")), LineRows(ID_KEY.encode())
    for event in events:
        lines.take(msgspec.json.encode(event))
    scoring.take(lines.taken())
    scoring.end()
    scores, merged = {}, {}
    for lead in scoring.scores():
        if isinstance(lead, LeadScoreOut):
            scores[lead.lead_id] = points(msgspec.to_builtins(lead))
        elif isinstance(lead, MergedLeadOut):
            merged[lead.lead_id] = lead.merged_into
    return scores, merged


@pytest.fixture
def trial(kafka: KafkaBroker, make_trial: MakeTrial, tmp_path: Path) -> Trial:
    model = tmp_path / "people.yaml"
    model.write_text(MODEL)
    return make_trial(kafka, model=model)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_person_is_one_however_often_workers_die(trial: Trial, seed: int) -> None:
    chance = random.Random(seed)
    stories = [list(story(person, int(time.time() * 1000))) for person in range(PEOPLE)]
    events = [event for steps in zip(*stories, strict=True) for event in steps]
    trial.start("ingest")
    sent = 0
    for point in ("folded", "published", "written", "published"):
        trial.start("score", command=("-m", "tests.faults.worker", "score", point, str(chance.randint(4, 10))))
        while trial.workers["score"].poll() is None:
            batch = events[sent : sent + 8] or chance.sample(events, 4)
            trial.send(batch)
            sent = min(len(events), sent + len(batch)) if sent < len(events) else sent
            time.sleep(0.1)
        assert trial.ended("score", 40) == -signal.SIGKILL
    trial.send(events[sent:])
    trial.start("score")
    trial.end("ingest")
    trial.start("ingest")
    trial.judge(poison=False)

    told = trial.lead_scores()
    expected, merged = at_once(events)
    assert set(expected) == {f"crm-{person}" for person in range(PEOPLE)}
    assert {name: points(told[name]) for name in expected} == expected
    assert {name: one["merged_into"] for name, one in told.items() if "merged_into" in one} == merged
    check_changes(trial, told)
    check_nothing_is_told(trial)


def check_changes(trial: Trial, told: dict[str, dict[str, Any]]) -> None:
    """No id has two bodies; the numbers of each lead have no gap; every step begins where the last one ended."""
    bodies: dict[str, dict[str, Any]] = {}
    for change in trial.tier_changes():
        assert bodies.setdefault(change["id"], change) == change
    causes = {cause for change in bodies.values() for cause in change["cause"]}
    assert causes == {"event_id", "kind", "merged_from", "merged_into"}
    for name, state in told.items():
        own = sorted((one for one in bodies.values() if one["lead_id"] == name), key=lambda one: int(one["seq"]))
        assert [one["seq"] for one in own] == list(range(1, state["seq"] + 1))
        tiers = ["cold", *(one["to_tier"] for one in own)]
        assert [one["from_tier"] for one in own] == tiers[:-1]
        assert tiers[-1] == state.get("tier", "cold")


def check_nothing_is_told(trial: Trial) -> None:
    """No address, and not the key of its hash, is in anything that we write: topics, state, logs of workers."""
    raw = {topic.name for topic in TOPICS if topic.contract == "event"}
    for topic in TOPICS:
        if topic.name in raw:
            continue
        for record in trial.read(topic.name):
            for content in (record.key, record.value, *(value for _, value in record.headers)):
                assert SECRET.encode() not in (content or b"")
                assert ID_KEY.encode() not in (content or b"")
    for log in trial.folder.glob("*.log"):
        text = log.read_text()
        assert SECRET not in text
        assert ID_KEY not in text


def test_what_comes_by_hand_is_passed_over_and_counts_nothing(trial: Trial) -> None:
    """Into lead-internal: bodies that are none, merges from a stronger name; each has its reason."""
    trial.begin()
    events = list(story(1, int(time.time() * 1000)))
    trial.send(events)
    bad = [
        {"type": "merge", "lead_id": "crm-1", "merged_from": "a:x", "number": 1, "body": "AgAA"},
        {"type": "merge", "lead_id": "a:x", "merged_from": "crm-1", "number": 1, "body": "AgAA"},
        {"type": "merge", "lead_id": "crm-1", "merged_from": "crm-2", "number": 1, "body": "AgAA"},
        {"type": "forward", "rows": "AAAA"},
    ]
    send_raw(trial, "lead-internal", [json.dumps(one).encode() for one in bad])
    trial.judge(changes=1)
    reasons = [
        value for record in trial.read("dead-letters") for name, value in record.headers if name == "leadstream.reason"
    ]
    assert reasons == [b"bad_merge"] * len(bad)
    expected, _ = at_once(events)
    assert points(trial.lead_scores()["crm-1"]) == expected["crm-1"]
