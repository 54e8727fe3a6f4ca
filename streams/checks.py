"""What a worker looks at before it starts: is the broker there, and are the topics of its stage as they must be?"""

from __future__ import annotations

import logging
from collections.abc import Iterable

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
)
from streams.clients import new_admin, partition_counts
from streams.engine.errors import StateRefused
from streams.settings import Settings, variable
from streams.topics_admin import differences, is_history

__all__ = ["TOPICS_OF", "check_stage"]

log = logging.getLogger(__name__)

TOPICS_OF: dict[str, tuple[str, ...]] = {
    "ingest": (*RAW_TOPICS, LEAD_INTERNAL, LEAD_EVENTS, DEAD_LETTERS, INGEST_PROGRESS),
    "score": (LEAD_EVENTS, LEADS_CHANGELOG, LEAD_SCORES, TIER_CHANGES, LEAD_ROUTING, LEAD_INTERNAL),
    "route": (LEAD_ROUTING, ROUTES_CHANGELOG, LEAD_ASSIGNMENTS, SLA_EVENTS, LEAD_INTERNAL),
}
"""What each stage reads and writes."""


def check_stage(stage: str, settings: Settings) -> dict[str, int]:
    """Checks the topics of a stage; returns how many partitions each has, by its name without prefix.

    Raises:
        BrokerUnreachable: Nobody answers.
        StateRefused: A topic is missing or not as it must be; every difference is told.
    """
    names = TOPICS_OF[stage]
    admin = new_admin(settings)
    counts = dict(zip(names, partition_counts(settings, admin, names), strict=True))
    if settings.broker_profile == "embedded":
        _check_embedded(settings, counts)
        return counts
    history = is_history(settings, admin)
    problems = differences(settings, admin, names, history=history)
    if settings.clock == "record" and not history:
        problems.append(
            f"{variable('clock')}=record needs topics with the times of their senders; make them with "
            f"`leadstream topics create --history` under another {variable('topic_prefix')}"
        )
    if problems:
        raise StateRefused("\n".join(problems))
    if settings.clock == "broker" and history:
        log.warning("the raw topics were made with --history: time is what their senders say it is")
    return counts


def _check_embedded(settings: Settings, counts: dict[str, int]) -> None:
    other = {name: count for name, count in counts.items() if count != settings.partitions}
    if other:
        raise StateRefused("\n".join(_embedded_problems(settings, other.items())))


def _embedded_problems(settings: Settings, counts: Iterable[tuple[str, int]]) -> list[str]:
    return [
        f"topic {settings.topic(name)} has {count} partitions, {settings.partitions} are wanted; set "
        f"{variable('partitions')}={count}"
        for name, count in counts
    ]
