"""The policy file, read: text in, `Policy` out, or every mistake at once.

>>> policy = read_policy('''
... policy: tiny
... version: 1
... owners: {ann: {}}
... teams: {desk: {members: [ann]}}
... routes: [{tier: hot, team: desk}]
... ''', "tiny.yaml")
>>> policy.teams["desk"].pick, policy.timezone
('round_robin', 'UTC')
>>> read_policy("{policy: tiny, version: 1, owners: {ann: {}}, teams: {desk: {members: [an]}}, routes: []}", "t.yaml")
Traceback (most recent call last):
scoring.language.problems.PolicyError: t.yaml:1:72: members of team desk names the unknown owner an; did you mean ann?
t.yaml:1:87: there are no routes; add one, such as {tier: hot, team: NAME}
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from scoring.language.mappings import check_keys, read_mapping, require
from scoring.language.nodes import Mapping, compose
from scoring.language.problems import PolicyError, Problem, Problems
from scoring.language.values import read_int, read_model_name
from scoring.model import MAX_VERSION
from scoring.routing.language.days import read_holidays, read_hours, read_zone
from scoring.routing.language.people import known_name, read_owners, read_teams
from scoring.routing.language.routes import read_answers, read_routes, read_sla
from scoring.routing.policy import Policy

__all__ = ["POLICY_KEYS", "PolicyError", "Problem", "read_policy"]

POLICY_KEYS = (
    "policy",
    "version",
    "timezone",
    "hours",
    "holidays",
    "owners",
    "teams",
    "routes",
    "fallback",
    "requests",
    "sla",
    "answered_by",
)
_REQUIRED = ("policy", "version", "owners", "teams", "routes")


def read_policy(text: str, name: str) -> Policy:
    """The policy of a file.

    What was read lately is not read again: every partition of a worker asks for the same one.

    Args:
        text: The file, decoded as it is: line ends untouched, so that `sha256` is that of its bytes.
        name: What messages call the file.

    Raises:
        PolicyError: With every problem that was found.
    """
    return _read(text, name)


@lru_cache(maxsize=8)
def _read(text: str, name: str) -> Policy:
    problems = Problems(name)
    root = compose(text, problems, "policy")
    body = read_mapping(root, "the file", problems) if root is not None else None
    policy = _policy(body, text, problems) if body is not None else None
    if policy is None or problems.found:
        raise PolicyError(problems.found)
    return policy


def _policy(body: Mapping, text: str, problems: Problems) -> Policy | None:
    check_keys(body, POLICY_KEYS, "the file", problems)
    require(body, _REQUIRED, "the file", problems)
    get = body.entries.get
    name = read_model_name(entry.value, problems, "policy") if (entry := get("policy")) else None
    version = read_int(entry.value, "version", 1, MAX_VERSION, problems) if (entry := get("version")) else None
    zone = read_zone(entry.value, "timezone", problems) if (entry := get("timezone")) else None
    hours = read_hours(entry.value, "hours", problems) if (entry := get("hours")) else None
    holidays = read_holidays(entry.value, problems) if (entry := get("holidays")) else ()
    owners = read_owners(entry.value, problems) if (entry := get("owners")) else {}
    teams = read_teams(entry.value, owners, problems) if (entry := get("teams")) else {}
    routes = read_routes(entry.value, teams, problems) if (entry := get("routes")) else ()
    sla = read_sla(entry.value, owners, teams, hours, problems) if (entry := get("sla")) else {}
    fallback = known_name(entry.value, "fallback", "team", teams, problems) if (entry := get("fallback")) else None
    tiers = dict.fromkeys([*sla, *(route.tier for route in routes)])
    requests = known_name(entry.value, "requests", "tier", tiers, problems) if (entry := get("requests")) else None
    answers = read_answers(entry, problems) if (entry := get("answered_by")) else ()
    if problems.found or name is None or version is None:
        return None
    return Policy(
        name=name,
        version=version,
        owners={key: owner for key, owner in owners.items() if owner is not None},
        teams={key: team for key, team in teams.items() if team is not None},
        routes=routes,
        timezone=zone or "UTC",
        hours=hours,
        holidays=holidays,
        fallback=fallback,
        requests=requests,
        sla=sla,
        answered_by=answers,
        places={key: entry.value.place for key, entry in body.entries.items()},
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        text=text,
    )
