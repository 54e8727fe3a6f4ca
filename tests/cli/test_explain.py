"""`leadstream explain`: a score in words, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.times import iso, parse_iso
from tests.cli.conftest import Leadstream

MONTH = "examples/one-month.jsonl"
MODEL = ("--model", "b2b-default")


def explained(leadstream: Leadstream, *arguments: str) -> dict[str, Any]:
    ran = leadstream("explain", *MODEL, "--json", *arguments, MONTH)
    assert (ran.code, ran.err) == (0, "")
    (line,) = ran.lines
    told: dict[str, Any] = json.loads(line)
    return told


def test_people_see_points_words_evidence_and_what_comes(
    leadstream: Leadstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    ran = leadstream("explain", *MODEL, "--lead", "ben", "--at", "2026-03-25T00:00:00Z", MONTH)

    assert (ran.code, ran.err) == (0, "")
    lines = [line.rstrip() for line in ran.lines]
    assert lines[:2] == [
        "ben is cold, as of 2026-03-25 00:00",
        "total 15: fit 20, engagement 15, risk -20   b2b-default version 1",
    ]
    assert lines[3:9] == [
        "   -20  hard_bounce     hard bounce",
        "                        hard_bounce 2026-03-23 10:00",
        "                        since 2026-03-23 10:00, 0 from 2026-09-19 10:00",
        "   +15  three_opens     human open, 3 times running, with no opted out since the first",
        "                        human_open 2026-03-02 11:02, 2026-03-09 10:00, 2026-03-16 10:00",
        "                        since 2026-03-16 10:00, +14 from 2026-04-15 10:00",
    ]
    assert " (+10)  target_sector   industry is software, saas, it_services or finance (icp_company counts" in ran.out
    assert lines[-2:] == [
        "For warm: 25 more total (has 15 of 40).",
        "Without another event: total 14 from 2026-04-15 10:00, still cold.",
    ]


def test_a_tier_that_will_be_left_is_said(leadstream: Leadstream) -> None:
    changes = map(json.loads, leadstream("score", *MODEL, "--until", "2026-09-30T00:00:00Z", MONTH).lines)
    left = next(change for change in changes if change["id"] == "eva:3")
    before = iso(parse_iso(left["effective_at"]) - 1)

    ran = leadstream("explain", *MODEL, "--lead", "eva", "--at", before, MONTH)

    assert ran.lines[0].startswith("eva is hot since ")
    minute = left["effective_at"][:16].replace("T", " ")
    assert ran.lines[-1] == f"Without another event: total {left['total']} from {minute}, warm."


def test_programs_see_the_same_score_as_score_tells(leadstream: Leadstream) -> None:
    scores = [json.loads(line) for line in leadstream("score", *MODEL, "--scores", MONTH).lines]

    for score in (one for one in scores if one["type"] == "score"):
        told = explained(leadstream, "--lead", score["lead_id"])
        for name in ("lead_id", "tier", "fit", "engagement", "risk", "total", "changes_next_at"):
            assert told[name] == score[name]
        counting = {(rule["rule"], rule["points"], rule["since"]) for rule in told["rules"] if rule["counts"]}
        assert counting == {(reason["rule"], reason["points"], reason["since"]) for reason in score["reasons"]}


def test_every_time_is_text(leadstream: Leadstream) -> None:
    def times(value: Any, name: str = "") -> list[object]:
        if isinstance(value, dict):
            return [one for key, member in value.items() for one in times(member, key)]
        if isinstance(value, list):
            return [one for member in value for one in times(member, name)]
        assert not name.endswith("_ms")
        return [value] if name in {"at", "times", "since", "occurred_at", "changes_at", "tier_since"} else []

    found = times(explained(leadstream, "--lead", "eva"))

    assert len(found) > 20
    assert all(time is None or str(time).endswith("Z") for time in found)


@pytest.mark.parametrize(
    ("lead", "name"),
    [
        ("ana", "ana"),
        (" clara@customer.EXAMPLE ", "e:63ec63801dd0683b48f7b624ee2436a4"),
        ("browser-7", "a:browser-7"),
        ("a:browser-7", "a:browser-7"),
    ],
)
def test_a_lead_is_found_by_each_of_its_names(leadstream: Leadstream, lead: str, name: str) -> None:
    assert explained(leadstream, "--lead", lead)["lead_id"] == name


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--lead", "anna"), "lead anna has no event in these files up to that time; did you mean ana?"),
        (
            ("--lead", "BROWSER"),
            "lead BROWSER has no event in these files up to that time; did you mean a:browser-7, a:browser-9?",
        ),
        (("--lead", "zzzzzz"), "lead zzzzzz has no event in these files up to that time; there are 6 others"),
        (
            ("--lead", "x@y.example"),
            "lead x@y.example has no event in these files up to that time; in rows of a log addresses are hashed with "
            "the stream's key: set LEADSTREAM_ID_KEY",
        ),
        (
            ("--lead", "ana", "--at", "2026-01-01T00:00:00Z"),
            "lead ana has no event in these files up to that time; there are none at all",
        ),
    ],
)
def test_a_lead_that_is_not_there_is_told_with_1(leadstream: Leadstream, arguments: tuple[str, ...], told: str) -> None:
    ran = leadstream("explain", *MODEL, *arguments, MONTH)

    assert (ran.code, ran.out, ran.err) == (1, "", told + "\n")


def test_refused_lines_are_told_beside_the_explanation(leadstream: Leadstream) -> None:
    ran = leadstream("explain", *MODEL, "--lead", "dora", "examples/broken-lines.jsonl")

    assert ran.code == 1
    assert ran.lines[0].startswith("dora is warm since 2026-03-02 10:22")
    assert [json.loads(line)["line"] for line in ran.err.splitlines()] == [2, 3, 4, 6, 7, 8, 9]


def test_text_of_events_cannot_move_the_cursor_or_dress_up(leadstream: Leadstream, tmp_path: Path) -> None:
    fields = {"seniority": "vp [red]\x1b[2Jx"}
    event = {"event_id": "1", "kind": "profile", "occurred_at": "2026-03-02T10:15:00Z", "fields": fields}
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps(event | {"lead": {"lead_id": "[bold]\x1b[31ml"}}))

    ran = leadstream("explain", *MODEL, "--lead", "[bold]\x1b[31ml", str(file))

    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert ran.lines[0].startswith("[bold]�[31ml is cold")
    assert "vp [red]�[2Jx" in ran.out


def test_a_lead_must_be_named(leadstream: Leadstream) -> None:
    ran = leadstream("explain", *MODEL, MONTH)

    assert (ran.code, ran.out) == (2, "")
    assert "Missing option '--lead'." in ran.err
