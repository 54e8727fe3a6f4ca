"""The sections `routes`, `sla` and `answered_by`."""

from __future__ import annotations

import typing
from collections.abc import Mapping as Lookup

from schemas.events import EVENTS
from scoring.language.mappings import check_keys, listed, read_mapping, require
from scoring.language.nodes import Broken, Entry, Mapping, Node, Scalar, Sequence
from scoring.language.problems import Problems, quoted, suggestion
from scoring.language.values import (
    described,
    read_bool,
    read_conditions,
    read_duration,
    read_list,
    read_name,
    read_text,
    shown_duration,
)
from scoring.model import Place
from scoring.routing.language.people import known_name
from scoring.routing.policy import Escalation, Hours, Route, Sla

__all__ = ["ACTIVITIES", "ESCALATION_KEYS", "ROUTE_KEYS", "SLA_KEYS", "read_answers", "read_routes", "read_sla"]

ROUTE_KEYS = ("tier", "where", "team", "else", "keep_owner")
SLA_KEYS = ("respond_within", "clock", "remind_at", "escalate")
ESCALATION_KEYS = ("after", "tell", "reassign")
_CLOCKS = ("always", "business")

ACTIVITIES: tuple[str, ...] = typing.get_args(EVENTS["sales_activity"].model_fields["activity"].annotation)
"""What sales may do, in the order of the contract."""

Days = list[tuple[Place, str, int]]


def _items(node: Node, what: str, problems: Problems) -> tuple[Node, ...]:
    """The items of a list of mappings."""
    if isinstance(node, Sequence):
        return node.items
    if not isinstance(node, Broken):
        problems.add(node.place, f"{what} is {described(node)}", "write a list: each item on a line that begins with -")
    return ()


def read_routes(node: Node, teams: Lookup[str, object], problems: Problems) -> tuple[Route, ...]:
    """The routes that can be read, in the order of the file."""
    items = _items(node, "routes", problems)
    if isinstance(node, Sequence) and not items:
        problems.add(node.place, "there are no routes", "add one, such as {tier: hot, team: NAME}")
    routes = []
    for number, item in enumerate(items, 1):
        body = read_mapping(item, f"route {number}", problems)
        route = _route(number, body, teams, problems) if body else None
        if route:
            routes.append(route)
    return tuple(routes)


def _route(number: int, body: Mapping, teams: Lookup[str, object], problems: Problems) -> Route | None:
    what = f"route {number}"
    check_keys(body, ROUTE_KEYS, what, problems)
    require(body, ("tier", "team"), what, problems)
    get = body.entries.get
    tier = read_name(entry.value, f"tier of {what}", problems) if (entry := get("tier")) else None
    where = read_conditions(entry.value, f"where of {what}", problems) if (entry := get("where")) else ()
    team = known_name(entry.value, f"team of {what}", "team", teams, problems) if (entry := get("team")) else None
    other = known_name(entry.value, f"else of {what}", "team", teams, problems) if (entry := get("else")) else None
    keep = read_bool(entry.value, f"keep_owner of {what}", problems) if (entry := get("keep_owner")) else True
    if other is not None and other == team:
        place = body.entries["else"].value.place
        problems.add(place, f"else of {what} is its team {quoted(other)}", "name another team, or remove it")
    if tier is None or team is None:
        return None
    return Route(tier, team, where or (), other, keep is not False, body.place)


def read_sla(
    node: Node, owners: Lookup[str, object], teams: Lookup[str, object], hours: Hours | None, problems: Problems
) -> dict[str, Sla]:
    """The clocks that can be read, by tier, best first."""
    section = read_mapping(node, "sla", problems)
    found: dict[str, Sla] = {}
    for text, entry in section.entries.items() if section else ():
        read_name(entry.key, "a tier", problems)
        body = read_mapping(entry.value, f"sla of {quoted(text)}", problems)
        reader = _SlaReader(text, owners, teams, problems)
        sla = reader.read(body, entry.key.place) if body else None
        if sla and body:
            found[text] = sla
            if sla.business and hours is None:
                place = body.entries["clock"].value.place
                remedy = "add hours to the policy, or write clock: always"
                problems.add(place, f"clock of sla {quoted(text)} is business and the policy has no hours", remedy)
    return found


class _SlaReader:
    """Reads one clock, and keeps in mind where durations are in days."""

    def __init__(self, tier: str, owners: Lookup[str, object], teams: Lookup[str, object], problems: Problems) -> None:
        self._tier, self._what = tier, f"sla {quoted(tier)}"
        self._owners, self._teams, self._problems = owners, teams, problems
        self._days: Days = []

    def read(self, body: Mapping, place: Place) -> Sla | None:
        problems, what, get = self._problems, self._what, body.entries.get
        check_keys(body, SLA_KEYS, what, problems)
        require(body, ("respond_within",), what, problems)
        within = self._duration(entry.value, f"respond_within of {what}") if (entry := get("respond_within")) else None
        business = self._clock(entry.value) if (entry := get("clock")) else False
        reminders = self._reminders(entry.value, within) if (entry := get("remind_at")) else ()
        escalations = self._escalations(entry.value) if (entry := get("escalate")) else ()
        if within is None:
            return None
        return Sla(self._tier, within, business, reminders, escalations, tuple(self._days), place)

    def _duration(self, node: Node, what: str) -> int | None:
        ms = read_duration(node, what, self._problems)
        if ms is not None and isinstance(node, Scalar) and node.text[-1] in "dw":
            self._days.append((node.place, f"{what} is {node.text}", ms))
        return ms

    def _clock(self, node: Node) -> bool:
        text = read_text(node, f"clock of {self._what}", self._problems)
        if text is not None and text not in _CLOCKS:
            remedy = suggestion(text, _CLOCKS, "write always or business")
            self._problems.add(node.place, f"unknown clock {quoted(text)} of {self._what}", remedy)
        return text == "business"

    def _reminders(self, node: Node, within: int | None) -> tuple[int, ...]:
        what, found = f"remind_at of {self._what}", list[int]()
        for item in read_list(node, what, self._problems, empty=True) or ():
            ms = self._duration(item, what)
            if ms is None:
                continue
            if within is not None and ms >= within:
                remedy = f"a reminder comes before respond_within: write less than {shown_duration(within)}"
                self._problems.add(item.place, f"{what} has {described(item)}", remedy)
            self._in_order(item, what, ms, found[-1] if found else None)
            found.append(ms)
        return tuple(found)

    def _in_order(self, item: Node, what: str, ms: int, before: int | None) -> None:
        if before is not None and ms < before:
            shown = f"{what} has {shown_duration(ms)} behind {shown_duration(before)}"
            self._problems.add(item.place, shown, "write them in order of time")

    def _escalations(self, node: Node) -> tuple[Escalation, ...]:
        found: list[Escalation] = []
        for number, item in enumerate(_items(node, f"escalate of {self._what}", self._problems), 1):
            what = f"escalation {number} of {self._what}"
            body = read_mapping(item, what, self._problems)
            escalation = self._escalation(body, what) if body else None
            if escalation:
                self._in_order(
                    item, f"escalate of {self._what}", escalation.after_ms, found[-1].after_ms if found else None
                )
                found.append(escalation)
        return tuple(found)

    def _escalation(self, body: Mapping, what: str) -> Escalation | None:
        problems, get = self._problems, body.entries.get
        check_keys(body, ESCALATION_KEYS, what, problems)
        require(body, ("after",), what, problems)
        after = self._duration(entry.value, f"after of {what}") if (entry := get("after")) else None
        tell, reassign = get("tell"), get("reassign")
        if (tell is None) == (reassign is None):
            how = "neither tell nor reassign" if tell is None else "both tell and reassign"
            problems.add(body.place, f"{what} has {how}", "write tell: OWNER or reassign: TEAM")
        told = known_name(tell.value, f"tell of {what}", "owner", self._owners, problems) if tell else None
        team = known_name(reassign.value, f"reassign of {what}", "team", self._teams, problems) if reassign else None
        return None if after is None else Escalation(after, told, team)


def read_answers(entry: Entry, problems: Problems) -> tuple[str, ...]:
    """The sales activities that answer a lead."""
    found: list[str] = []
    for item in read_list(entry.value, "answered_by", problems) or ():
        name = read_text(item, "answered_by", problems)
        if name is None:
            continue
        if name not in ACTIVITIES:
            remedy = suggestion(name, ACTIVITIES, f"activities are {listed(ACTIVITIES)}")
            problems.add(item.place, f"answered_by names the unknown activity {quoted(name)}", remedy)
        elif name in found:
            problems.add(item.place, f"answered_by names {quoted(name)} twice", "name it once")
        found.append(name)
    return tuple(found)
