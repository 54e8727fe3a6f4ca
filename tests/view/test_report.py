"""The report of sales: worked by hand at its edges, and against a naive recount over random facts."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest

from schemas.routing_log import LeadMerged, RoutedActivity
from schemas.times import iso
from streams.view.entry import AssignmentIn, ModelIn, SlaIn, TierChangeIn
from streams.view.facts import DAY_MS, KEPT_MS, WINDOW_MS, LeadFacts, decode_facts, encode_facts
from streams.view.report import Group, make_report

HOUR = 3_600_000
NOW = 100 * DAY_MS


def change(lead_id: str, seq: int, tier: str, at_ms: int, version: int = 1) -> TierChangeIn:
    return TierChangeIn(lead_id, seq, tier, iso(at_ms), ModelIn("m", version))


def activity(lead_id: str, what: str, at_ms: int, *, read_ms: int | None = None, name: str = "") -> RoutedActivity:
    read_ms = at_ms if read_ms is None else read_ms
    return RoutedActivity(lead_id, name or f"{what}-{at_ms}", at_ms, read_ms, what)


def assignment(lead_id: str, seq: int, team: str | None, cause: str | None) -> AssignmentIn:
    return AssignmentIn(lead_id, seq, "ann", team, "hot", iso(NOW + HOUR), None, cause)


def facts_of(*rows: Any) -> dict[str, LeadFacts]:
    facts: dict[str, LeadFacts] = {}
    for row in rows:
        mine = facts.setdefault(row.lead_id, LeadFacts())
        takes: dict[Any, Any] = {TierChangeIn: mine.take_change, RoutedActivity: mine.take_activity}
        takes[LeadMerged] = mine.take_merge
        takes.get(type(row), mine.take_assignment)(row)
    return facts


def hot(*rows: Any, at_ms: int = NOW) -> Group:
    (group,) = [group for group in make_report(facts_of(*rows), at_ms).tiers if group.tier == "hot"]
    return group


def test_a_lead_that_is_answered_and_met() -> None:
    group = hot(
        change("L", 1, "hot", NOW - 30 * HOUR),
        activity("L", "contacted", NOW - 28 * HOUR),
        activity("L", "meeting_held", NOW - 2 * HOUR),
        change("M", 1, "hot", NOW - 50 * HOUR),
        activity("M", "discarded", NOW - 20 * HOUR),
        change("N", 1, "hot", NOW - HOUR),
    )
    assert (group.entries, group.meetings, group.discarded, group.answered) == (3, 1, 1, 2)
    assert (group.meeting_share, group.discarded_share) == (0.3333, 0.3333)
    assert (group.answered_within_24h, group.answered_within_48h) == (1, 2)
    assert group.latency is not None
    assert (group.latency.mean_ms, group.latency.p50_ms, group.latency.p90_ms) == (16 * HOUR, 2 * HOUR, 30 * HOUR)


@pytest.mark.parametrize(
    ("at_ms", "counts"),
    [(NOW - WINDOW_MS, False), (NOW - WINDOW_MS + 1, True), (NOW, True), (NOW + 1, False)],
)
def test_the_window_is_half_open(at_ms: int, counts: bool) -> None:
    assert bool(make_report(facts_of(change("L", 1, "hot", at_ms)), NOW).tiers) == counts


@pytest.mark.parametrize(("latency_ms", "within"), [(24 * HOUR - 1, (1, 1)), (24 * HOUR, (0, 1)), (48 * HOUR, (0, 0))])
def test_within_24_hours_is_before_them(latency_ms: int, within: tuple[int, int]) -> None:
    begin = NOW - 5 * DAY_MS
    group = hot(change("L", 1, "hot", begin), activity("L", "contacted", begin + latency_ms))
    assert (group.answered_within_24h, group.answered_within_48h) == within


def test_an_activity_belongs_to_the_latest_entry_into_each_tier() -> None:
    rows = [
        change("L", 1, "hot", NOW - 10 * DAY_MS),
        change("L", 2, "warm", NOW - 8 * DAY_MS),
        activity("L", "meeting_booked", NOW - 7 * DAY_MS),
        change("L", 3, "hot", NOW - 6 * DAY_MS),
        activity("L", "contacted", NOW - 11 * DAY_MS),
    ]
    report = make_report(facts_of(*rows), NOW)
    assert {group.tier: (group.entries, group.meetings, group.answered) for group in report.tiers} == {
        "hot": (2, 1, 1),
        "warm": (1, 1, 1),
    }


def test_what_was_not_received_yet_does_not_count_and_none_happens_after_it_was_received() -> None:
    begin = NOW - DAY_MS
    late = activity("L", "contacted", begin + HOUR, read_ms=NOW + 1)
    assert hot(change("L", 1, "hot", begin), late).answered == 0
    ahead = activity("L", "contacted", NOW + DAY_MS, read_ms=begin + HOUR)
    group = hot(change("L", 1, "hot", begin), ahead)
    assert group.latency is not None
    assert group.latency.p50_ms == HOUR


def test_a_visitor_counts_under_the_leads_name_alone() -> None:
    rows = (change("a:1", 1, "hot", NOW - HOUR), change("L", 1, "hot", NOW), LeadMerged("a:1", "L", NOW))
    assert hot(*rows).entries == 1
    assert hot(*rows, at_ms=NOW - 1).entries == 1


def test_team_and_model_are_those_of_the_entry() -> None:
    report = make_report(
        facts_of(
            change("L", 1, "hot", NOW - 2 * HOUR),
            change("L", 2, "hot", NOW - HOUR, version=2),
            assignment("L", 5, "blue", "L:1"),
            assignment("L", 4, "red", "L:1"),
            assignment("L", 6, "grey", "request-7"),
            change("M", 1, "hot", NOW),
        ),
        NOW,
    )
    assert [(group.team, group.model, group.entries) for group in report.groups] == [
        ("-", "m 1", 1),
        ("-", "m 2", 1),
        ("red", "m 1", 1),
    ]


def test_who_asked_for_a_person_has_the_team_of_the_clock_that_ran_already() -> None:
    asked = assignment("L", 1, "red", "event-1")
    asked.since, asked.sla = iso(NOW - HOUR + 500), SlaIn(iso(NOW - HOUR), iso(NOW + HOUR), "running")
    answered = assignment("L", 2, "red", "event-1")
    answered.since, answered.sla = iso(NOW), SlaIn(iso(NOW - HOUR), iso(NOW + HOUR), "answered")
    entry = change("L", 1, "hot", NOW - HOUR + 20)
    (group,) = make_report(facts_of(answered, entry, asked), NOW).groups
    assert group.team == "red"
    before = change("M", 1, "hot", NOW - HOUR - 1)
    later = assignment("M", 1, "red", "event-1")
    later.sla = asked.sla
    (group,) = make_report(facts_of(before, later), NOW).groups
    assert group.team == "-"


def test_what_is_older_than_is_looked_at_is_forgotten_and_changes_no_report() -> None:
    facts = random_facts(Random(4), leads=60)
    before = make_report(facts, NOW)
    gone = [lead_id for lead_id, mine in facts.items() if mine.forget(NOW - KEPT_MS) and mine.empty]
    assert gone
    assert make_report({lead_id: mine for lead_id, mine in facts.items() if not mine.empty}, NOW) == before
    assert all(decode_facts(encode_facts(mine)) == mine for mine in facts.values())


def random_facts(chance: Random, leads: int = 12) -> dict[str, LeadFacts]:
    rows: list[Any] = []
    for number in range(leads):
        lead_id = f"L{number}"
        ats = sorted(NOW - chance.randint(-DAY_MS, 60 * DAY_MS) for _ in range(chance.randint(0, 6)))
        if chance.random() < 0.3:
            ats = [at for at in ats if at < NOW - 40 * DAY_MS]
        for seq, at_ms in enumerate(ats, 1):
            rows.append(change(lead_id, seq, chance.choice(("hot", "warm")), at_ms, chance.randint(1, 2)))
            if chance.random() < 0.5:
                given = assignment(lead_id, seq, chance.choice(("red", "blue")), f"{lead_id}:{seq}")
                given.since = iso(at_ms)
                given.tier_change = chance.choice((given.tier_change, "request"))
                rows.append(given)
            for _ in range(chance.randint(0, 3)):
                done_ms = at_ms + chance.choice((0, -1, HOUR, 24 * HOUR, 9 * DAY_MS))
                what = chance.choice(("contacted", "meeting_held", "discarded", "proposal_sent", "won"))
                rows.append(activity(lead_id, what, done_ms, read_ms=done_ms + chance.choice((0, -HOUR, HOUR))))
    chance.shuffle(rows)
    return facts_of(*rows)


def recount(facts: dict[str, LeadFacts], now_ms: int) -> dict[tuple[str, str, str], list[int]]:
    """Entries, meetings, discarded and the sum of latencies by group: every entry against every activity."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for mine in facts.values():
        for entry in mine.entered.values():
            if not now_ms - WINDOW_MS < entry.at_ms <= now_ms:
                continue
            later = [
                other.at_ms
                for other in mine.entered.values()
                if other.tier == entry.tier and entry.seq < other.seq and other.at_ms <= now_ms
            ]
            until = min(later, default=now_ms + 99 * DAY_MS)
            own = [
                done
                for done in mine.activities.values()
                if done.read_ms <= now_ms and entry.at_ms <= done.at_ms < until
            ]
            answers = [done.at_ms for done in own if done.activity not in ("won", "proposal_sent")]
            team = mine.teams[entry.seq][1] if entry.seq in mine.teams else team_before(mine, entry.at_ms)
            group = (entry.tier, team or "-", entry.model)
            numbers = found.setdefault(group, [0, 0, 0, 0])
            numbers[0] += 1
            numbers[1] += any(done.activity == "meeting_held" for done in own)
            numbers[2] += any(done.activity == "discarded" for done in own)
            numbers[3] += min(answers) - entry.at_ms if answers else 0
    return found


def team_before(mine: LeadFacts, at_ms: int) -> str | None:
    began = sorted((when, team) for when, (_, team) in mine.began.items() if NOW - WINDOW_MS < when <= at_ms)
    return began[-1][1] if began else None


@pytest.mark.parametrize("seed", range(50))
def test_the_report_is_a_naive_recounts(seed: int) -> None:
    facts = random_facts(Random(seed))
    report = make_report(facts, NOW)
    found = {
        (group.tier, group.team or "", group.model or ""): [group.entries, group.meetings, group.discarded]
        for group in report.groups
    }
    counted = recount(facts, NOW)
    assert found == {group: numbers[:3] for group, numbers in counted.items()}
    for group in report.groups:
        total = counted[group.tier, group.team or "", group.model or ""][3]
        assert (group.latency.mean_ms if group.latency else 0) == (total // group.answered if group.answered else 0)
    assert msgspec.json.encode(report) == msgspec.json.encode(make_report(dict(reversed(facts.items())), NOW))
