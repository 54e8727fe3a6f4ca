"""What is allowed in a policy and still deserves a second look: the warnings of `leadstream policy check`.

One function a warning. To add one: a function here, and a line in `CHECKS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from schemas.times import iso
from scoring.language.implied import conditions_imply
from scoring.language.mappings import listed
from scoring.language.problems import Problem, Problems, quoted, suggestion
from scoring.model import Model, Place
from scoring.routing.policy import Hours, Policy
from scoring.routing.presence import Presence
from scoring.routing.zones import local_ms

__all__ = ["CHECKS", "Finding", "policy_warnings", "role_names", "week_ms"]

Finding = tuple[Place, str, str]
"""Where, what is doubtful, what to do about it."""

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_ROLE = re.compile(r"[a-z][a-z_ -]*[_ -][0-9]+")


def policy_warnings(policy: Policy, file: str, model: Model | None = None) -> list[Problem]:
    """Every warning about a policy, in the order of the file.

    Args:
        policy: As read.
        file: What the messages call its file.
        model: Whose tier changes it is for; None: nothing is said about that.
    """
    problems = Problems(file)
    for check in CHECKS:
        for place, what, remedy in check(policy):
            problems.add(place, what, remedy)
    for place, what, remedy in _beside(policy, model) if model is not None else ():
        problems.add(place, what, remedy)
    return sorted(problems.found)


def role_names(policy: Policy, file: str) -> list[Problem]:
    """Owners that are called after a role and a number, such as senior_1: nobody reads what is sent to them."""
    problems = Problems(file)
    for owner in policy.owners.values():
        name = owner.name or owner.key
        if _ROLE.fullmatch(name.lower()):
            what = f"owner {owner.key} is called {quoted(name)}, which is a role and not a person"
            problems.add(owner.name_place, what, f"give {owner.key} a name, such as {{name: Carmen Ruiz}}")
    return sorted(problems.found)


def week_ms(hours: Hours) -> int:
    """Working time of a week."""
    return sum(end - begin for spans in hours for begin, end in spans) * _MINUTE_MS


def hours_that_never_open(policy: Policy) -> Iterator[Finding]:
    """Hours without a span."""
    remedy = "write days and their hours, such as {mon-fri: 09:00-18:00}, or leave hours out: always"
    if policy.hours is not None and not week_ms(policy.hours):
        yield policy.places["hours"], "the hours of the policy never open", remedy
    for owner in policy.owners.values():
        if owner.hours is not None and not week_ms(owner.hours):
            yield owner.place, f"the hours of owner {owner.key} never open", remedy


def everybody_full(policy: Policy) -> Iterator[Finding]:
    """Teams that never pick anybody."""
    for team in policy.teams.values():
        if all(policy.owners[member].capacity == 0 for member in team.members):
            what = f"team {team.key} never picks anybody: everybody in it has capacity 0"
            yield team.place, what, "give somebody more capacity, or none, which is no limit"


def everybody_away(policy: Policy) -> Iterator[Finding]:
    """Teams of which nobody is there at some time."""
    presence = Presence(policy)
    for team in policy.teams.values():
        stretch = _nobody_there(presence, team.members)
        if stretch is not None:
            begin, end = (iso(local_ms(policy.timezone, ms))[:16].replace("T", " ") for ms in stretch)
            what = f"everybody of team {team.key} is away from {begin} to {end} ({policy.timezone})"
            yield team.place, what, "leads wait then, or go to the else of the route or the fallback; name them"


def _nobody_there(presence: Presence, members: Iterable[str]) -> tuple[int, int] | None:
    """The first time at which all are away, to where the next one comes back or leaves."""
    moments = [moment for moment, _ in presence.edges]
    for number, moment in enumerate(moments):
        if _all_away(presence, members, moment):
            return moment, next(end for end in moments[number:] if not _all_away(presence, members, end))
    return None


def _all_away(presence: Presence, members: Iterable[str], at_ms: int) -> bool:
    return all(presence.away(member, at_ms) for member in members)


def routes_that_never_match(policy: Policy) -> Iterator[Finding]:
    """A route behind one that takes every lead which it would take."""
    for number, route in enumerate(policy.routes):
        for before, other in enumerate(policy.routes[:number], 1):
            if other.tier == route.tier and conditions_imply(route.where, other.where):
                what = f"route {number + 1} never matches: route {before} takes every lead that it would take"
                yield route.place, what, "put it before that one, or remove it"
                break


def tiers_without_a_last_route(policy: Policy) -> Iterator[Finding]:
    """A tier with an `sla` of which not every lead is routed."""
    for tier, sla in policy.sla.items():
        routes = [route for route in policy.routes if route.tier == tier]
        if not routes:
            yield sla.place, f"no route has tier {tier}, so that its sla never starts", "add a route, or remove the sla"
        elif all(route.where for route in routes):
            what = f"every route of tier {tier} has a where: leads that match none have no owner and no clock"
            yield sla.place, what, f"add a last route without where, such as {{tier: {tier}, team: {routes[-1].team}}}"


def days_of_working_time(policy: Policy) -> Iterator[Finding]:
    """Days and weeks on a business clock, on which a day is 24 hours of working time."""
    week = week_ms(policy.hours) if policy.hours is not None else 0
    for sla in policy.sla.values():
        for place, text, ms in sla.days if sla.business and week else ():
            tenths = (20 * ms + week) // (2 * week)
            what = (
                f"{text}, on a business clock {ms // _HOUR_MS} h of working time: "
                f"{tenths // 10}.{tenths % 10} weeks of the policy's hours"
            )
            yield place, what, "write hours of working time, or clock: always"


def nothing_answers(policy: Policy) -> Iterator[Finding]:
    """Clocks that no activity ends."""
    if policy.sla and not policy.answered_by:
        what = "nothing answers a lead: every clock ends in a breach"
        yield policy.places["sla"], what, "add answered_by with the activities that do, such as [contacted]"


CHECKS: tuple[Callable[[Policy], Iterator[Finding]], ...] = (
    hours_that_never_open,
    everybody_full,
    everybody_away,
    routes_that_never_match,
    tiers_without_a_last_route,
    days_of_working_time,
    nothing_answers,
)


def _beside(policy: Policy, model: Model) -> Iterator[Finding]:
    """What the policy asks for and the model does not give."""
    tiers, name = [tier.name for tier in model.tiers], f"model {model.name}"
    for number, route in enumerate(policy.routes, 1):
        if route.tier not in tiers:
            yield route.place, *_unknown_tier(f"route {number}", route.tier, tiers, name)
        for condition in route.where:
            if condition.field not in model.publish:
                what = f"where of route {number} looks at {quoted(condition.field)}, which {name} does not publish"
                published = f"it publishes {listed(model.publish)}" if model.publish else "it publishes nothing"
                yield route.place, what, suggestion(condition.field, model.publish, f"{published}; add the field there")
    for tier, sla in policy.sla.items():
        if tier not in tiers:
            yield sla.place, *_unknown_tier("sla", tier, tiers, name)
    asks = any(signal.request for signal in model.signals)
    if policy.requests is not None and not asks:
        what = f"requests has no use: no signal of {name} asks for a person"
        yield policy.places["requests"], what, "write request: true at the signals that do, or remove requests"
    if policy.requests is None and asks:
        what = f"requests is missing, and signals of {name} ask for a person: nobody will be told"
        yield policy.places["routes"], what, "add requests: TIER, which a request is treated as entering"


def _unknown_tier(where: str, tier: str, tiers: list[str], name: str) -> tuple[str, str]:
    return f"{where} names tier {tier}, which {name} does not have", suggestion(tier, tiers, f"it has {listed(tiers)}")
