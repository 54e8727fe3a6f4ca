"""The one list of topics: what is in them, who writes and reads them, how they are kept.

Numbers are defaults: partitions, retention and replication are settings. `TOPIC_PREFIX` goes in front of every name.
Records have the time at which the broker took them; those of topics for past streams the one that their sender gave.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = [
    "DEAD_LETTERS",
    "INGEST_PROGRESS",
    "KIND_TOPICS",
    "LEADS_CHANGELOG",
    "LEAD_ASSIGNMENTS",
    "LEAD_EVENTS",
    "LEAD_INTERNAL",
    "LEAD_ROUTING",
    "LEAD_SCORES",
    "RAW_TOPICS",
    "ROUTES_CHANGELOG",
    "SLA_EVENTS",
    "TIER_CHANGES",
    "TOPICS",
    "TOPICS_BY_NAME",
    "Topic",
    "topic_of_kind",
]

_DAY_MS = 86_400_000
_PARTITIONS = 8

LEAD_INTERNAL = "lead-internal"
LEAD_EVENTS = "lead-events"
LEADS_CHANGELOG = "leadstream-score-leads-changelog"
LEAD_SCORES = "lead-scores"
TIER_CHANGES = "tier-changes"
DEAD_LETTERS = "dead-letters"
INGEST_PROGRESS = "ingest-progress"

LEAD_ROUTING = "lead-routing"
ROUTES_CHANGELOG = "leadstream-route-leads-changelog"
LEAD_ASSIGNMENTS = "lead-assignments"
SLA_EVENTS = "sla-events"


class Topic(NamedTuple):
    """One topic.

    Attributes:
        name: Without `TOPIC_PREFIX`.
        contract: Name under `schemas/json_schema/`, or where the bytes are defined.
        key: What the key is.
        producer: Who writes it.
        consumer: Who reads it.
        purpose: What is in it.
        cleanup: Kafka's `cleanup.policy`.
        retention_ms: None: no deletion by time.
        partitions: 1 stays 1; the others are all set to the same number.
        group: Which retention setting it follows.
        whole_ms: Of a compacted topic: so long every record is kept, not only the last of each key.
    """

    name: str
    contract: str
    key: str
    producer: str
    consumer: str
    purpose: str
    cleanup: Literal["delete", "compact"]
    retention_ms: int | None
    partitions: int = _PARTITIONS
    group: Literal["raw", "log", "outputs", "state"] = "raw"
    whole_ms: int = 0


def _raw(name: str, purpose: str) -> Topic:
    return Topic(name, "event", "any", "your platforms", "ingest", purpose, "delete", 30 * _DAY_MS, group="raw")


_RAW = (
    _raw("page-views", "page views and downloads"),
    _raw("email-opens", "opens of e-mails, by people and by machines"),
    _raw("form-fills", "forms"),
    _raw("email-bounces", "bounces"),
    _raw("email-activity", "sent, clicked, replied, unsubscribed, resubscribed, complained"),
    _raw("lead-profiles", "who a lead is: title, industry, company size …"),
    _raw("sales-activity", "what sales did: contacted, meeting held, won …"),
)

RAW_TOPICS = tuple(topic.name for topic in _RAW)
"""The topics that producers write to; `lead-internal` is read like them."""

TOPICS = (
    *_RAW,
    Topic(
        LEAD_INTERNAL,
        "internal",
        "any",
        "score, route, `leadstream model publish`, `policy publish`, `assign`, `release`",
        "ingest",
        "alarms (a partition asks for time), models, policies, hand commands, and what aliases bring to their owners",
        "delete",
        30 * _DAY_MS,
    ),
    Topic(
        LEAD_EVENTS,
        "log_record",
        "`lead_id` where all rows are one lead's, else null",
        "ingest",
        "score",
        "the log: one schema, one total order per lead, partition = crc32(`lead_id`)",
        "delete",
        400 * _DAY_MS,
        group="log",
    ),
    Topic(
        LEADS_CHANGELOG,
        "state rows (`scoring`)",
        "`lead_id`; reserved keys begin with a zero byte",
        "score",
        "score",
        "one row per lead, checkpoints, owners, the active model",
        "compact",
        None,
        group="state",
    ),
    Topic(
        LEAD_SCORES,
        "lead_score",
        "`lead_id`",
        "score",
        "your systems, the Redis view",
        "where each lead stands now",
        "compact",
        None,
        group="state",
    ),
    Topic(
        TIER_CHANGES,
        "tier_change",
        "`lead_id`",
        "score",
        "your systems, the Redis view",
        "every transition, with its reasons and a number per lead",
        "delete",
        90 * _DAY_MS,
        group="outputs",
    ),
    Topic(
        LEAD_ROUTING,
        "routing_record",
        "null",
        "score",
        "route, the Redis view",
        "tier changes, requests and sales activities in each lead's order, and the log time of each score partition",
        "delete",
        90 * _DAY_MS,
        partitions=1,
        group="outputs",
    ),
    Topic(
        ROUTES_CHANGELOG,
        "state rows (`scoring`)",
        "`lead_id`; reserved keys begin with a zero byte",
        "route",
        "route",
        "what route remembers of leads, owners and teams, checkpoints, the active policy",
        "compact",
        None,
        partitions=1,
        group="state",
    ),
    Topic(
        LEAD_ASSIGNMENTS,
        "assignment",
        "`lead_id`",
        "route",
        "your systems, the Redis view",
        "who has each lead, and its clock",
        "compact",
        None,
        partitions=1,
        group="state",
        # The report of sales looks back 28 days: which team had a lead first.
        whole_ms=29 * _DAY_MS,
    ),
    Topic(
        SLA_EVENTS,
        "sla_event",
        "`lead_id`",
        "route",
        "your systems, the Redis view",
        "what clocks did: started, reminded, breached, escalated, answered, withdrawn, replaced, cancelled",
        "delete",
        90 * _DAY_MS,
        partitions=1,
        group="outputs",
    ),
    Topic(
        DEAD_LETTERS,
        "dead_letter_headers",
        "as it was",
        "ingest",
        "`leadstream dlq`",
        "records that cannot be used: original key, bytes and headers, and the reason",
        "delete",
        90 * _DAY_MS,
        group="outputs",
    ),
    Topic(
        INGEST_PROGRESS,
        "progress (`streams`)",
        "raw topic and partition",
        "ingest",
        "ingest",
        "how far each raw partition is carried, and which topics the breaker holds",
        "compact",
        None,
        partitions=1,
        group="state",
    ),
)

TOPICS_BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}

KIND_TOPICS: dict[str, str] = {
    "page_view": "page-views",
    "download": "page-views",
    "email_open": "email-opens",
    "email_sent": "email-activity",
    "email_click": "email-activity",
    "email_reply": "email-activity",
    "unsubscribe": "email-activity",
    "resubscribe": "email-activity",
    "complaint": "email-activity",
    "form_fill": "form-fills",
    "bounce": "email-bounces",
    "profile": "lead-profiles",
    "sales_activity": "sales-activity",
}
"""The usual topic of a kind: where `leadstream send` puts it. Ingest takes every kind from every raw topic."""


def topic_of_kind(kind: str) -> str:
    """The usual raw topic of a kind of event.

    Raises:
        KeyError: There is no such kind.
    """
    return KIND_TOPICS[kind]
