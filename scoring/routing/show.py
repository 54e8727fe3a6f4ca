"""A policy for people: its one-page document; and the same as plain data for programs."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from scoring.conditions import Allowed, Pattern, Range
from scoring.routing.language.days import DAYS, day_text, span_text
from scoring.routing.policy import Escalation, Hours, Owner, Policy, Route, Sla, Team
from scoring.show import FORMATS
from scoring.show.document import Document, Table
from scoring.show.words import conditions_words, duration_words, printable

__all__ = ["hours_text", "plain_policy", "show_policy"]

_PICKS = {
    "round_robin": "one after the other",
    "least_loaded": "who has fewest open leads",
    "weighted": "by weight",
}


def show_policy(policy: Policy, form: str = "text") -> str:
    """The document, with a line end at its end.

    Args:
        policy: As read.
        form: One of `scoring.show.FORMATS`.
    """
    return FORMATS[form](_document(policy))


def hours_text(hours: Hours | None) -> str:
    """Hours of a week, days that follow each other and have the same ones together.

    >>> hours_text((((540, 1080),),) * 4 + (((540, 900),), (), ()))
    'mon-thu 09:00-18:00, fri 09:00-15:00'
    """
    if hours is None:
        return "always"
    told = []
    for spans, days in groupby(zip(DAYS, hours, strict=True), key=lambda pair: pair[1]):
        names = [day for day, _ in days]
        if spans:
            first = names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}"
            told.append(f"{first} {' and '.join(map(span_text, spans))}")
    return ", ".join(told) or "never"


# --- the page -------------------------------------------------------------------------------------------------------


def _document(policy: Policy) -> Document:
    requests = f"as if the lead entered tier {policy.requests}" if policy.requests else "not routed"
    answers = ", ".join(name.replace("_", " ") for name in policy.answered_by) or "nothing"
    facts = (
        ("Requests", requests),
        ("An answer is", f"{answers}; the first one counts, by whomever"),
        ("File", f"sha256 {policy.sha256[:16]}"),
    )
    tables = [_routes(policy), _teams(policy), _clocks(policy), _owners(policy), _hours(policy)]
    return Document(f"{policy.name}, version {policy.version}", facts, tuple(tables))


def _routes(policy: Policy) -> Table:
    rows = tuple(_route(number, route, policy.fallback) for number, route in enumerate(policy.routes, 1))
    head = ("", "tier", "which leads", "team", "if nobody can", "owner")
    return Table("Routes: the first that matches", head, rows, 2)


def _route(number: int, route: Route, fallback: str | None) -> tuple[str, ...]:
    others = dict.fromkeys(name for name in (route.otherwise, fallback) if name and name != route.team)
    keeps = "kept" if route.keep_owner else "picked anew"
    which = conditions_words(route.where) if route.where else "all"
    return str(number), route.tier, which, route.team, ", then ".join([*others, "the line"]), keeps


def _teams(policy: Policy) -> Table:
    rows = tuple(_team(team) for team in policy.teams.values())
    return Table("Teams", ("team", "members", "next is"), rows, 1)


def _team(team: Team) -> tuple[str, ...]:
    only = ", if within hours" if team.working_only else ""
    return team.key, ", ".join(team.members), _PICKS[team.pick] + only


def _clocks(policy: Policy) -> Table:
    rows = tuple(_clock(sla) for sla in policy.sla.values())
    head = ("tier", "answered in less than", "clock", "reminders after", "if nobody answers")
    return Table("Until when, best tier first", head, rows, 4)


def _clock(sla: Sla) -> tuple[str, ...]:
    clock = "working time of the owner" if sla.business else "always"
    reminders = ", ".join(duration_words(ms) for ms in sla.remind_at_ms) or "none"
    steps = "; ".join(_step(one) for one in sla.escalate) or "nothing"
    return sla.tier, duration_words(sla.respond_within_ms), clock, reminders, steps


def _step(one: Escalation) -> str:
    what = f"tell {one.tell}" if one.tell is not None else f"reassign to {one.reassign}"
    return f"after {duration_words(one.after_ms)} {what}"


def _owners(policy: Policy) -> Table:
    rows = tuple(_owner(owner) for owner in policy.owners.values())
    return Table("Owners", ("owner", "name", "role", "most open leads", "weight"), rows, 1)


def _owner(owner: Owner) -> tuple[str, ...]:
    most = "no limit" if owner.capacity is None else str(owner.capacity)
    role = (owner.role or "").replace("_", " ")
    return owner.key, printable(owner.name or ""), printable(role), most, str(owner.weight)


def _hours(policy: Policy) -> Table:
    holidays = ", ".join(map(day_text, policy.holidays)) or "none"
    rows = [("everybody", policy.timezone, hours_text(policy.hours), f"holidays: {holidays}")]
    for owner in policy.owners.values():
        if owner.timezone is not None or owner.hours is not None or owner.away:
            hours = "the same" if owner.hours is None else hours_text(owner.hours)
            away = ", ".join(map(_stretch, owner.away))
            rows.append((owner.key, owner.timezone or "the same", hours, f"away: {away}" if away else ""))
    return Table("Hours and absences", ("who", "zone", "hours", "days off"), tuple(rows), 3)


def _stretch(days: tuple[int, int]) -> str:
    first, last = map(day_text, days)
    return first if first == last else f"{first}..{last}"


# --- plain data -----------------------------------------------------------------------------------------------------


def plain_policy(policy: Policy) -> dict[str, Any]:
    """What the page says, in the words of the file; durations are whole milliseconds."""
    return {
        "policy": policy.name,
        "version": policy.version,
        "timezone": policy.timezone,
        "hours": _plain_hours(policy.hours),
        "holidays": [day_text(day) for day in policy.holidays],
        "owners": {key: _plain_owner(owner) for key, owner in policy.owners.items()},
        "teams": {
            key: {"members": team.members, "pick": team.pick, "working_only": team.working_only}
            for key, team in policy.teams.items()
        },
        "routes": [_plain_route(route) for route in policy.routes],
        "fallback": policy.fallback,
        "requests": policy.requests,
        "sla": {tier: _plain_sla(sla) for tier, sla in policy.sla.items()},
        "answered_by": policy.answered_by,
        "sha256": policy.sha256,
    }


def _plain_hours(hours: Hours | None) -> dict[str, list[str]] | None:
    if hours is None:
        return None
    return {day: [span_text(span) for span in spans] for day, spans in zip(DAYS, hours, strict=True)}


def _plain_owner(owner: Owner) -> dict[str, Any]:
    made = {"name": owner.name, "role": owner.role, "capacity": owner.capacity, "weight": owner.weight}
    away = [_stretch(days) for days in owner.away]
    return made | {"timezone": owner.timezone, "hours": _plain_hours(owner.hours), "away": away}


def _plain_route(route: Route) -> dict[str, Any]:
    where = {one.field: [_plain_allowed(value) for value in one.allowed] for one in route.where}
    made = {"tier": route.tier, "where": where, "team": route.team}
    return made | {"else": route.otherwise, "keep_owner": route.keep_owner}


def _plain_allowed(value: Allowed) -> str | int | bool:
    if isinstance(value, Pattern):
        return value.text
    if isinstance(value, Range):
        return f"{'' if value.low is None else value.low}..{'' if value.high is None else value.high}"
    return value


def _plain_sla(sla: Sla) -> dict[str, Any]:
    steps = [{"after_ms": one.after_ms, "tell": one.tell, "reassign": one.reassign} for one in sla.escalate]
    clock = "business" if sla.business else "always"
    made = {"respond_within_ms": sla.respond_within_ms, "clock": clock, "remind_at_ms": sla.remind_at_ms}
    return made | {"escalate": steps}
