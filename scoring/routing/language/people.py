"""The sections `owners` and `teams`."""

from __future__ import annotations

from collections.abc import Mapping as Lookup

from scoring.language.mappings import check_keys, read_mapping
from scoring.language.nodes import Mapping, Node
from scoring.language.problems import Problems, quoted, suggestion
from scoring.language.values import read_bool, read_int, read_list, read_name, read_text
from scoring.model import Place
from scoring.routing.language.days import read_absences, read_hours, read_zone
from scoring.routing.policy import PICKS, Owner, Pick, Team

__all__ = ["MAX_CAPACITY", "MAX_WEIGHT", "OWNER_KEYS", "TEAM_KEYS", "known_name", "read_owners", "read_teams"]

MAX_CAPACITY = 1_000_000
MAX_WEIGHT = 1_000

OWNER_KEYS = ("name", "role", "capacity", "weight", "timezone", "hours", "away")
TEAM_KEYS = ("members", "pick", "working_only")


def read_owners(node: Node, problems: Problems) -> dict[str, Owner | None]:
    """Owners by name; None for one that is there but wrong."""
    section = read_mapping(node, "owners", problems)
    if section is None:
        return {}
    if not section.entries:
        problems.add(section.place, "there are no owners", "add somebody who answers leads")
    owners: dict[str, Owner | None] = {}
    for text, entry in section.entries.items():
        read_name(entry.key, "an owner", problems)
        body = read_mapping(entry.value, f"owner {quoted(text)}", problems)
        owners[text] = _owner(text, body, entry.key.place, problems) if body else None
    return owners


def _owner(key: str, body: Mapping, place: Place, problems: Problems) -> Owner:
    what = f"owner {quoted(key)}"
    check_keys(body, OWNER_KEYS, what, problems)
    get = body.entries.get
    name = read_text(entry.value, f"name of {what}", problems) if (entry := get("name")) else None
    role = read_text(entry.value, f"role of {what}", problems) if (entry := get("role")) else None
    capacity = (
        read_int(entry.value, f"capacity of {what}", 0, MAX_CAPACITY, problems) if (entry := get("capacity")) else None
    )
    weight = read_int(entry.value, f"weight of {what}", 1, MAX_WEIGHT, problems) if (entry := get("weight")) else None
    zone = read_zone(entry.value, f"timezone of {what}", problems) if (entry := get("timezone")) else None
    hours = read_hours(entry.value, f"hours of {what}", problems) if (entry := get("hours")) else None
    away = read_absences(entry.value, f"away of {what}", problems) if (entry := get("away")) else ()
    name_place = entry.value.place if (entry := get("name")) else place
    return Owner(key, name, role, capacity, weight or 1, zone, hours, away, place, name_place)


def known_name(node: Node, what: str, kind: str, known: Lookup[str, object], problems: Problems) -> str | None:
    """The name of an owner, a team or a tier that is there."""
    name = read_text(node, what, problems)
    if name is not None and name not in known:
        remedy = suggestion(name, known, f"name {'an' if kind[0] in 'aeiou' else 'a'} {kind} of the file")
        problems.add(node.place, f"{what} names the unknown {kind} {quoted(name)}", remedy)
    return name


def read_teams(node: Node, owners: Lookup[str, object], problems: Problems) -> dict[str, Team | None]:
    """Teams by name; None for one that is there but wrong."""
    section = read_mapping(node, "teams", problems)
    if section is None:
        return {}
    if not section.entries:
        problems.add(section.place, "there are no teams", "add one, such as desk: {members: [NAME]}")
    teams: dict[str, Team | None] = {}
    for text, entry in section.entries.items():
        read_name(entry.key, "a team", problems)
        body = read_mapping(entry.value, f"team {quoted(text)}", problems)
        teams[text] = _team(text, body, entry.key.place, owners, problems) if body else None
    return teams


def _team(key: str, body: Mapping, place: Place, owners: Lookup[str, object], problems: Problems) -> Team:
    what = f"team {quoted(key)}"
    check_keys(body, TEAM_KEYS, what, problems)
    get = body.entries.get
    pick = _pick(entry.value, what, problems) if (entry := get("pick")) else None
    only = read_bool(entry.value, f"working_only of {what}", problems) if (entry := get("working_only")) else None
    return Team(key, _members(body, place, what, owners, problems), pick or "round_robin", bool(only), place)


def _pick(node: Node, what: str, problems: Problems) -> Pick | None:
    text = read_text(node, f"pick of {what}", problems)
    found = next((pick for pick in PICKS if pick == text), None)
    if text is not None and found is None:
        remedy = suggestion(text, PICKS, f"write one of {', '.join(PICKS)}")
        problems.add(node.place, f"unknown pick {quoted(text)} of {what}", remedy)
    return found


def _members(
    body: Mapping, place: Place, what: str, owners: Lookup[str, object], problems: Problems
) -> tuple[str, ...]:
    entry = body.entries.get("members")
    items = read_list(entry.value, f"members of {what}", problems, empty=True) if entry else ()
    if items is not None and not items:
        problems.add(entry.key.place if entry else place, f"{what} has no members", "add members: [NAME, NAME]")
    members: list[str] = []
    for item in items or ():
        name = known_name(item, f"members of {what}", "owner", owners, problems)
        if name in members:
            problems.add(item.place, f"members of {what} names {quoted(name or '')} twice", "name each owner once")
        elif name is not None:
            members.append(name)
    return tuple(members)
