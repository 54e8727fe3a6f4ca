"""The sales feedback loop: what becomes of leads that enter a tier, over 28 rolling days.

* It is made at a moment, `until`: the latest of which `lead-routing` tells, be it log time or a record ahead of it. A
  quiet partition does not hold it back.
* An **entry** is a tier change into the tier with `effective_at` in the 28 days up to then: after `until` - 28 d, at
  `until` at the latest. A lead that leaves the tier and comes back enters twice. A visitor or an address that turned
  out to be a lead counts under the lead's name alone.
* A sales activity belongs to the lead's latest entry into each tier at or before it; what happened counts when it had
  been received by `until`, at the time at which it happened (`occurred_at`, at the latest when it was received).
* An entry **reached a meeting** with `meeting_booked` or `meeting_held`; it was **discarded** with `discarded`.
* It was **answered** with the first of contacted, meeting_booked, meeting_held, accepted, discarded; the **response
  latency** is the plain time from the entry to that. Entries without an answer have none.
* Shares are of all entries: one of this morning counts although nobody had time for it yet.
* The **team** is that of the first assignment that the tier change caused; where it caused none, because a request had
  started a clock before, that of the clock; else `-`. The **model** is the one of the tier change.

So a report is a function of what the topics say and of `until`: replayed, rebuilt, in whatever order the topics were
read, it is the same.

Goals, as the seeds have them for hot leads: at least 70 % reach a meeting, fewer than 15 % are discarded, the response
comes within 24 to 48 hours.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from schemas.times import iso
from streams.view.facts import WINDOW_MS, LeadFacts

__all__ = ["GOALS", "Group", "Latency", "Report", "make_report"]

HOUR_MS = 3_600_000

MEETINGS = frozenset({"meeting_booked", "meeting_held"})
ANSWERS = MEETINGS | {"contacted", "accepted", "discarded"}

NO_TEAM = "-"


class Goals(msgspec.Struct, frozen=True):
    """What sales and marketing agreed on for the best tier."""

    meeting_share_at_least: float = 0.70
    discarded_share_below: float = 0.15
    response_within_hours: tuple[int, int] = (24, 48)


GOALS = Goals()


class Latency(msgspec.Struct):
    """Response latencies of answered entries, in milliseconds; percentiles by the nearest rank."""

    mean_ms: int
    p50_ms: int
    p90_ms: int


class Group(msgspec.Struct):
    """Entries into a tier; team and model are null where all of them are taken together."""

    tier: str
    team: str | None
    model: str | None
    entries: int
    meetings: int
    meeting_share: float
    discarded: int
    discarded_share: float
    answered: int
    answered_within_24h: int
    answered_within_48h: int
    latency: Latency | None


class Report(msgspec.Struct):
    """The report at a log time."""

    since: str
    until: str
    goals: Goals
    tiers: list[Group]
    groups: list[Group]


class _Outcome(NamedTuple):
    tier: str
    team: str
    model: str
    meeting: bool
    discarded: bool
    latency_ms: int | None


def make_report(facts: Mapping[str, LeadFacts], until_ms: int) -> Report:
    """The report of these facts at a moment."""
    outcomes = [outcome for lead in facts.values() for outcome in _outcomes(lead, until_ms)]
    by_tier: dict[str, list[_Outcome]] = {}
    by_group: dict[tuple[str, str, str], list[_Outcome]] = {}
    for outcome in outcomes:
        by_tier.setdefault(outcome.tier, []).append(outcome)
        by_group.setdefault(outcome[:3], []).append(outcome)
    return Report(
        iso(max(0, until_ms - WINDOW_MS)),
        iso(until_ms),
        GOALS,
        [_group(tier, None, None, by_tier[tier]) for tier in sorted(by_tier)],
        [_group(*group, by_group[group]) for group in sorted(by_group)],
    )


def _outcomes(lead: LeadFacts, until_ms: int) -> Iterator[_Outcome]:
    if not lead.entered or (lead.merged_ms is not None and lead.merged_ms <= until_ms):
        return
    activities = sorted((done.at_ms, done.activity) for done in lead.activities.values() if done.read_ms <= until_ms)
    # By number: at one moment a lead may pass through a tier.
    entries = [lead.entered[seq] for seq in sorted(lead.entered) if lead.entered[seq].at_ms <= until_ms]
    for tier in dict.fromkeys(entry.tier for entry in entries):
        mine = [entry for entry in entries if entry.tier == tier]
        begins = [entry.at_ms for entry in mine]
        of: dict[int, list[tuple[int, str]]] = {}
        for at_ms, activity in activities:
            of.setdefault(bisect_right(begins, at_ms) - 1, []).append((at_ms, activity))
        for number, entry in enumerate(mine):
            if entry.at_ms <= until_ms - WINDOW_MS:
                continue
            done = of.get(number, [])
            names = {activity for _, activity in done}
            answered = next((at_ms for at_ms, activity in done if activity in ANSWERS), None)
            yield _Outcome(
                tier,
                lead.team(entry, until_ms - WINDOW_MS) or NO_TEAM,
                entry.model,
                bool(names & MEETINGS),
                "discarded" in names,
                None if answered is None else answered - entry.at_ms,
            )


def _group(tier: str, team: str | None, model: str | None, outcomes: list[_Outcome]) -> Group:
    count = len(outcomes)
    meetings = sum(outcome.meeting for outcome in outcomes)
    discarded = sum(outcome.discarded for outcome in outcomes)
    latencies = sorted(outcome.latency_ms for outcome in outcomes if outcome.latency_ms is not None)
    return Group(
        tier=tier,
        team=team,
        model=model,
        entries=count,
        meetings=meetings,
        meeting_share=round(meetings / count, 4),
        discarded=discarded,
        discarded_share=round(discarded / count, 4),
        answered=len(latencies),
        answered_within_24h=_within(latencies, 24),
        answered_within_48h=_within(latencies, 48),
        latency=_latency(latencies),
    )


def _within(latencies: Iterable[int], hours: int) -> int:
    return sum(latency < hours * HOUR_MS for latency in latencies)


def _latency(latencies: list[int]) -> Latency | None:
    if not latencies:
        return None
    count = len(latencies)
    ranks = [latencies[(count * percent + 99) // 100 - 1] for percent in (50, 90)]
    return Latency(sum(latencies) // count, *ranks)
