"""The routing policy as the program holds it: what a policy file says, checked.

`scoring.routing.reading` makes it from YAML. All times are integer milliseconds, all days are numbers since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from scoring.conditions import Conditions
from scoring.model import Place

__all__ = [
    "PICKS",
    "Escalation",
    "Hours",
    "Owner",
    "Pick",
    "Policy",
    "Route",
    "Sla",
    "Span",
    "Team",
]

Pick = Literal["round_robin", "least_loaded", "weighted"]
PICKS: tuple[Pick, ...] = ("round_robin", "least_loaded", "weighted")

Span = tuple[int, int]
"""Minutes of a day, the start in and the end out."""

Hours = tuple[tuple[Span, ...], ...]
"""Spans of each day of the week, Monday first."""

_NOWHERE = Place(1, 1)


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody who answers leads.

    Attributes:
        key: The name in the file.
        name: As people say it; None where it was left out.
        capacity: Most open leads; None: no limit, 0: never picked.
        timezone: None: the policy's.
        hours: None: the policy's.
        away: Absences: first and last day, both included.
        name_place: Of the name, or of the owner where there is none.
    """

    key: str
    name: str | None = None
    role: str | None = None
    capacity: int | None = None
    weight: int = 1
    timezone: str | None = None
    hours: Hours | None = None
    away: tuple[tuple[int, int], ...] = ()
    place: Place = _NOWHERE
    name_place: Place = _NOWHERE


@dataclass(frozen=True, slots=True)
class Team:
    """Owners among whom one is picked.

    Attributes:
        members: In the order of the file.
        working_only: Who is off hours is no candidate.
    """

    key: str
    members: tuple[str, ...]
    pick: Pick = "round_robin"
    working_only: bool = False
    place: Place = _NOWHERE


@dataclass(frozen=True, slots=True)
class Route:
    """Which team a lead of a tier goes to.

    Attributes:
        otherwise: The team that is asked where the first has no candidate (`else` in the file).
        keep_owner: A lead keeps the owner it had.
    """

    tier: str
    team: str
    where: Conditions = ()
    otherwise: str | None = None
    keep_owner: bool = True
    place: Place = _NOWHERE


@dataclass(frozen=True, slots=True)
class Escalation:
    """What happens after a while without an answer: exactly one of `tell` and `reassign`."""

    after_ms: int
    tell: str | None = None
    reassign: str | None = None


@dataclass(frozen=True, slots=True)
class Sla:
    """Until when a lead of a tier must be answered.

    Attributes:
        business: The clock runs in working time.
        remind_at_ms: After the start; in order of time.
        days: Where durations in days or weeks stand, with their text: on a business clock they need a second look.
    """

    tier: str
    respond_within_ms: int
    business: bool = False
    remind_at_ms: tuple[int, ...] = ()
    escalate: tuple[Escalation, ...] = ()
    days: tuple[tuple[Place, str, int], ...] = ()
    place: Place = _NOWHERE


@dataclass(frozen=True, slots=True)
class Policy:
    """Who must answer a lead, and until when.

    Attributes:
        hours: None: everybody always works.
        holidays: Days that are off, of the zone that counts.
        sla: By tier, best first.
        requests: A request is treated as entering this tier; None: requests are not routed.
        answered_by: Sales activities that answer a lead.
        sha256: Of the file's bytes, hexadecimal.
        text: The file itself.
    """

    name: str
    version: int
    owners: Mapping[str, Owner]
    teams: Mapping[str, Team]
    routes: tuple[Route, ...]
    timezone: str = "UTC"
    hours: Hours | None = None
    holidays: tuple[int, ...] = ()
    fallback: str | None = None
    requests: str | None = None
    sla: Mapping[str, Sla] = field(default_factory=dict)
    answered_by: tuple[str, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)
    sha256: str = ""
    text: str = ""
