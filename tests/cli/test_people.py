"""`score`, `explain`, `shared`: who is who in files, in rows of the log, on a broker."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.lines import log_lines
from schemas.links import Links
from schemas.log import EVENT_ROWS
from schemas.naming import lead_name
from schemas.outputs_wire import MergedLeadOut
from schemas.times import iso
from schemas.wire import decode_event
from tests.cli.conftest import Leadstream
from tests.property.town import Town
from tests.schemas.samples import BROKER_MS

MODEL = ("--model", "b2b-default")
KEY = "a key of these tests"
ANN = lead_name(None, "ann@example.com", None, KEY.encode())

BROWSER = {"anonymous_id": "b-1"}
STORY: list[dict[str, Any]] = [
    {"kind": "page_view", "url": "https://shop.example/pricing", "session_id": "s1", "lead": BROWSER},
    {"kind": "form_fill", "form_id": "f", "form_type": "demo", "lead": {"email": "ann@example.com"} | BROWSER},
    {"kind": "profile", "fields": {"seniority": "vp"}, "lead": {"lead_id": "crm-1", "email": "Ann@example.com "}},
    {"kind": "page_view", "url": "https://shop.example/pricing", "session_id": "s2", "lead": BROWSER},
]


def events(story: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An hour apart."""
    return [
        {"event_id": f"e{number}", "occurred_at": iso(BROKER_MS + number * 3_600_000)} | event
        for number, event in enumerate(story)
    ]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LEADSTREAM_ID_KEY", KEY)
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(json.dumps(event) for event in events(STORY)))
    return str(path)


def test_the_visit_before_the_form_counts(leadstream: Leadstream, file: str) -> None:
    ran = leadstream("score", *MODEL, "--scores", file)
    assert (ran.code, ran.err) == (0, "")
    lines = [json.loads(line) for line in ran.lines]
    changes = [
        (one["lead_id"], one["to_tier"], next(iter(one["cause"].values())))
        for one in lines
        if one["type"] == "tier_change"
    ]
    assert changes == [(ANN, "warm", "e1"), (ANN, "cold", "crm-1"), ("crm-1", "warm", ANN), ("crm-1", "hot", "e2")]
    assert {one["lead_id"]: one["merged_into"] for one in lines if one["type"] == "merged"} == {
        "a:b-1": ANN,
        ANN: "crm-1",
    }
    (score,) = [one for one in lines if one["type"] == "score"]
    assert {one["rule"] for one in score["reasons"]} == {"demo", "pricing_and_form", "decision_maker"}
    assert score["names"] == ["a:b-1", ANN]


@pytest.mark.parametrize("name", ["crm-1", "ann@example.com", "b-1", ANN])
def test_explain_tells_of_every_name_and_what_came_with_it(leadstream: Leadstream, file: str, name: str) -> None:
    ran = leadstream("explain", *MODEL, "--lead", name, "--json", file)
    told = json.loads(ran.out)
    assert told["lead_id"] == "crm-1"
    visitor, address = told["names"]
    assert (visitor["name"], visitor["merged_at"], address["name"]) == ("a:b-1", iso(BROKER_MS + 3_600_000), ANN)
    assert visitor["signals"][0]["signal"] == "pricing_visit"
    assert "demo_request" in [one["signal"] for one in address["signals"]]
    words = leadstream("explain", *MODEL, "--lead", name, file).out
    assert "Also known as a:b-1 since 2026-03-02 11:15; with it came pricing_visit 2026-03-02" in words
    assert ("is crm-1\n" in words) == (name != "crm-1")
    assert "ann@example.com" not in words


def test_the_order_of_two_ids_for_one_browser_within_a_second(leadstream: Leadstream, tmp_path: Path) -> None:
    """Both are taken; the browser belongs to the greater name, what it did before to the first."""
    visit = {"kind": "page_view", "url": "https://shop.example/pricing"}
    story = [visit | {"lead": {"anonymous_id": "b"}}]
    story += [visit | {"lead": {"anonymous_id": "b", "lead_id": name}} for name in ("crm-1", "crm-2", "crm-1")]
    story += [visit | {"lead": {"anonymous_id": "b"}}]
    lines = [
        one | {"event_id": f"e{number}", "occurred_at": iso(BROKER_MS + number)} for number, one in enumerate(story)
    ]
    path = tmp_path / "two.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    ran = leadstream("score", *MODEL, "--scores", str(path))
    told = [json.loads(line) for line in ran.lines]
    assert {one["lead_id"]: one["merged_into"] for one in told if one["type"] == "merged"} == {"a:b": "crm-2"}


# --- rows of the log --------------------------------------------------------------------------------------------------

TOWN_MODEL = """
model: town
version: 1
signals:
  visit: {on: page_view, where: {path: /pricing*}, keep: 64}
  form:  {on: form_fill, keep: 64}
rules:
  engagement:
    both:   {together: [visit, form], within: 24h, points: 25}
    form:   {each: form, at_most: 9, points: 10}
tiers: {hot: {at_least: 40}, cold: {}}
"""
OTHER_MODEL = TOWN_MODEL.replace("visit: {on: page_view,", "visit: {on: [page_view, download],").replace(
    "at_most: 9, points: 10", "at_most: 3, points: 7"
)


def a_town(people: int) -> tuple[Town, list[dict[str, Any]]]:
    """Everybody's story, carried through a town; and the events."""
    chance = Random(3)
    town = Town(chance, TOWN_MODEL, 3, 3 << 20)
    told: list[dict[str, Any]] = []
    stories = [
        [one | {"lead": {name: f"{value}{person}" for name, value in one["lead"].items()}} for one in STORY]
        for person in range(people)
    ]
    for number, story in enumerate(zip(*stories, strict=True)):
        for person, one in enumerate(story):
            event = one | {"event_id": f"{person}-{number}", "occurred_at": iso(BROKER_MS + number * 60_000 + person)}
            if "email" in event["lead"]:
                event["lead"]["email"] = f"p{person}@example.com"
            told.append(event)
            town.take(plain_rows(event), BROKER_MS + number * 60_000 + person)
    town.settle(BROKER_MS + 10 * 60_000)
    return town, told


def plain_rows(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an event, as the town takes them."""
    links = Links(KEY.encode())
    received_ms = BROKER_MS + 4 * 60_000
    row = decode_event(json.dumps(event).encode(), received_ms, KEY.encode(), links)
    rows = [
        {"link": one.lead_id, "owner": one.owner, "hour": one.hour_ms, "received_at": one.received_at_ms}
        for one in links.taken()
    ]
    kind = next(kind for kind, row_type in EVENT_ROWS.items() if row_type is type(row))
    fields = {name: getattr(row, name) for name in row.__struct_fields__[5:] if getattr(row, name) is not None}
    head = {"lead_id": row.lead_id, "received_at": received_ms, "occurred_at": row.occurred_at_ms}
    return [*rows, head | {"event_id": row.event_id, "kind": kind} | fields]


@pytest.fixture
def town_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Town, list[dict[str, Any]], str]:
    """A town, its events, and its log as `read lead-events` prints it."""
    monkeypatch.setenv("LEADSTREAM_ID_KEY", KEY)
    town, told = a_town(12)
    lines = [
        (json.loads(line)["safe"], partition, offset, line)
        for partition, part in enumerate(town.partitions)
        for offset, value in part.log
        for line in log_lines(partition, offset, value)
    ]
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join(line for *_, line in sorted(lines)))
    return town, told, str(path)


def test_rows_of_the_log_give_what_the_stage_gave(
    leadstream: Leadstream, town_log: tuple[Town, list[dict[str, Any]], str], tmp_path: Path
) -> None:
    town, _, log = town_log
    model = tmp_path / "town.yaml"
    model.write_text(TOWN_MODEL)
    ran = leadstream("score", "--model", str(model), "--scores", log)
    assert ran.code == 0, ran.err
    lines = [json.loads(line) for line in ran.lines]
    changes = {one["id"]: one for one in lines if one.pop("type") == "tier_change"}
    assert changes == {name: json.loads(body) for name, body in town.bodies.items()}
    merged = {one["lead_id"]: one["merged_into"] for one in lines if "merged_into" in one}
    assert merged == {name: one.merged_into for name, one in town.scores.items() if isinstance(one, MergedLeadOut)}
    assert len(merged) == 24


def test_a_log_scored_anew_has_what_the_new_model_learnt_of_aliases(
    leadstream: Leadstream, town_log: tuple[Town, list[dict[str, Any]], str], tmp_path: Path
) -> None:
    """As if the events themselves had been scored, though the log has bodies of the old model."""
    _, told, log = town_log
    model, file = tmp_path / "other.yaml", tmp_path / "events.jsonl"
    model.write_text(OTHER_MODEL)
    file.write_text("\n".join(map(json.dumps, told)))
    anew, at_once = (
        {
            one["lead_id"]: (one["total"], [(reason["rule"], reason["points"]) for reason in one["reasons"]])
            for one in map(json.loads, leadstream("score", "--model", str(model), "--scores", source).lines)
            if one["type"] == "score"
        }
        for source in (log, str(file))
    )
    assert anew == at_once
    assert {total for total, _ in anew.values()} == {32}


def test_shared_lists_who_is_nobodys(leadstream: Leadstream, embedded: str) -> None:
    producer = Producer({"bootstrap.servers": embedded})
    score = {"tier": "cold", "total": 7}
    for name, more in (("a:kiosk", {"shared": True}), ("a:office", {"shared": True}), ("crm-1", {}), ("a:office", {})):
        producer.produce("lead-scores", json.dumps({"lead_id": name} | score | more).encode(), key=name, partition=0)
    producer.produce(
        "lead-scores", json.dumps({"lead_id": "a:1", "merged_into": "crm-1", "seq": 0}).encode(), partition=0
    )
    assert not producer.flush(10)
    ran = leadstream("shared")
    assert (ran.code, [json.loads(line) for line in ran.lines]) == (0, [{"lead_id": "a:kiosk"} | score])
