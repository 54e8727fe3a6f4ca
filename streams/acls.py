"""What each role may do on the brokers: the least with which it can do its work.

Kafka lets whoever may read or write a topic describe it, too. Workers compare the topics with what they must be, so
they may describe their settings. A writer's transactional id is what fences it; no transaction is ever begun.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from schemas.topics import (
    DEAD_LETTERS,
    INGEST_PROGRESS,
    LEAD_ASSIGNMENTS,
    LEAD_EVENTS,
    LEAD_INTERNAL,
    LEAD_ROUTING,
    LEAD_SCORES,
    LEADS_CHANGELOG,
    RAW_TOPICS,
    ROUTES_CHANGELOG,
    SLA_EVENTS,
    TIER_CHANGES,
    TOPICS,
)
from streams.settings import Settings

__all__ = ["ROLES", "Grant", "Role", "commands", "grants"]

Resource = Literal["topic", "group", "transactional-id"]
Operation = Literal["Read", "Write", "Describe", "DescribeConfigs", "Create", "AlterConfigs"]


class Grant(NamedTuple):
    """Operations on one resource; `prefixed`: on all whose names begin so."""

    resource: Resource
    name: str
    operations: tuple[Operation, ...]
    prefixed: bool = False


class Role(NamedTuple):
    """Who it is, and what it is granted; names are without `TOPIC_PREFIX`."""

    purpose: str
    grants: tuple[Grant, ...]


def _topics(names: tuple[str, ...], *operations: Operation) -> tuple[Grant, ...]:
    return tuple(Grant("topic", name, operations) for name in names)


def _worker(stage: str, reads: tuple[str, ...], writes: tuple[str, ...], *, fenced: bool) -> Role:
    both = tuple(dict.fromkeys(reads + writes))
    grants = [
        Grant(
            "topic",
            name,
            (*(("Read",) if name in reads else ()), *(("Write",) if name in writes else ()), "DescribeConfigs"),
        )
        for name in both
    ]
    grants.append(Grant("group", f"leadstream-{stage}", ("Read",)))
    if fenced:
        grants.append(Grant("transactional-id", f"leadstream-{stage}-", ("Write",), prefixed=True))
    return Role(f"`leadstream worker {stage}`", tuple(grants))


ROLES: dict[str, Role] = {
    "topics": Role(
        "`leadstream topics create`, `check` and `alter`",
        _topics(tuple(topic.name for topic in TOPICS), "Create", "Describe", "DescribeConfigs", "AlterConfigs"),
    ),
    "ingest": _worker(
        "ingest",
        (*RAW_TOPICS, LEAD_INTERNAL, LEAD_EVENTS, INGEST_PROGRESS),
        (LEAD_EVENTS, DEAD_LETTERS, INGEST_PROGRESS),
        fenced=False,
    ),
    "score": _worker(
        "score",
        (LEAD_EVENTS, LEADS_CHANGELOG),
        (LEADS_CHANGELOG, LEAD_SCORES, TIER_CHANGES, LEAD_ROUTING, LEAD_INTERNAL),
        fenced=True,
    ),
    "route": _worker(
        "route",
        (LEAD_ROUTING, ROUTES_CHANGELOG),
        (ROUTES_CHANGELOG, LEAD_ASSIGNMENTS, SLA_EVENTS, LEAD_INTERNAL),
        fenced=True,
    ),
    "view": Role(
        "`leadstream worker view`",
        _topics((LEAD_SCORES, TIER_CHANGES, LEAD_ASSIGNMENTS, SLA_EVENTS, LEAD_ROUTING), "Read", "DescribeConfigs"),
    ),
    "sender": Role("your platforms, `leadstream send`", _topics(RAW_TOPICS, "Write", "DescribeConfigs")),
    "operator": Role(
        "`model publish`, `policy publish`, `assign`, `release`, `route backfill`, `shared`",
        (
            *_topics((LEAD_INTERNAL,), "Read", "Write"),
            *_topics((LEAD_SCORES,), "Read"),
            Grant("group", "leadstream-read", ("Read",)),
        ),
    ),
    "alerts": Role(
        "readers of what comes out, each in a group of its own",
        (*_topics((TIER_CHANGES, SLA_EVENTS), "Read"), Grant("group", "alerts", ("Read",), prefixed=True)),
    ),
}
"""By name. People who look into everything (`leadstream read`, `dlq`) log in as what they look at, or as an admin."""


def commands(settings: Settings, role: str, user: str) -> Iterator[str]:
    """What Kafka's own tool is told to grant a role to a user: arguments of `kafka-acls`."""
    for grant in grants(settings, role):
        operations = " ".join(f"--operation {operation}" for operation in grant.operations)
        pattern = " --resource-pattern-type prefixed" if grant.prefixed else ""
        yield (
            f"kafka-acls --bootstrap-server {settings.bootstrap_servers} --add --allow-principal User:{user} "
            f"{operations} --{grant.resource} {grant.name}{pattern}"
        )


def grants(settings: Settings, role: str) -> list[Grant]:
    """What a role is granted, with the prefix of the settings."""
    return [
        grant._replace(name=settings.topic_prefix + grant.name)  # groups and transactional ids have it, too
        for grant in ROLES[role].grants
    ]
