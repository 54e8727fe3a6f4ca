"""Topics: made as the list in `schemas.topics` says, and compared with it. Nothing here changes what exists.

In history mode (a past stream runs as if it were then) record times are those of their senders, and nothing is
deleted by time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicMetadata,
)

from schemas.topics import RAW_TOPICS, ROUTES_CHANGELOG, TOPICS, TOPICS_BY_NAME, Topic
from streams.clients import hidden, new_admin, reach, unreachable
from streams.engine.errors import StateRefused
from streams.errors import UsageError
from streams.settings import Settings, variable

__all__ = [
    "Difference",
    "check",
    "create",
    "differences",
    "is_history",
    "read_settings",
    "refuse_embedded",
    "settings_of",
    "wanted_partitions",
    "wrong_settings",
]

_TIMEOUT_S = 30.0
_DAY_MS = 86_400_000

MAX_BATCH_BYTES = 8 * 1024 * 1024
"""Of topics that workers write: one step's rows are one record batch, of up to 7 MiB."""

_FOR_EVER = str(2**63 - 1)
MAX_ROUTES_BATCH_BYTES = 64 * 1024 * 1024
"""Of route's changelog: where an owner goes away, all of their leads are one step."""

_COMPACTED = {
    # Recovery reads what is not compacted yet: small segments, cleaned soon.
    "segment.bytes": str(64 * 1024 * 1024),
    "segment.ms": str(3_600_000),
    "min.cleanable.dirty.ratio": "0.2",
    "delete.retention.ms": str(_DAY_MS),
}


_IN_SYNC = "min.insync.replicas"
"""What is acknowledged outlives the loss of one machine; with two replicas that would make none of them dispensable."""


class Difference(NamedTuple):
    """A setting of a topic that is not what it must be; the topic's name is the broker's."""

    topic: str
    key: str
    actual: str | None
    wanted: str


def wanted_partitions(topic: Topic, settings: Settings) -> int:
    """How many partitions a topic must have: 1 stays 1, the others are all set to the same number."""
    return 1 if topic.partitions == 1 else settings.partitions


def settings_of(topic: Topic, settings: Settings, *, history: bool) -> dict[str, str]:
    """Kafka's settings of a topic, by name."""
    days = {
        "raw": settings.retention_raw_days,
        "log": settings.retention_log_days,
        "outputs": settings.retention_outputs_days,
    }.get(topic.group)
    wanted: dict[str, str] = {
        "cleanup.policy": topic.cleanup,
        # The broker's clock: by a worker's, which may be wrong, it would refuse what comes, or delete it too soon.
        "message.timestamp.type": "CreateTime" if history else "LogAppendTime",
        _IN_SYNC: str(2 if settings.replication > 2 else 1),
    }
    if topic.cleanup == "delete":
        wanted["retention.ms"] = "-1" if history or days is None else str(days * _DAY_MS)
        wanted["retention.bytes"] = "-1"
    else:
        wanted |= _COMPACTED
        if topic.whole_ms:
            wanted["min.compaction.lag.ms"] = _FOR_EVER if history else str(topic.whole_ms)
    if topic.group != "raw":
        largest = MAX_ROUTES_BATCH_BYTES if topic.name == ROUTES_CHANGELOG else MAX_BATCH_BYTES
        wanted["max.message.bytes"] = str(largest)
    return wanted


def create(settings: Settings, history: bool) -> list[str]:
    """Makes the topics that do not exist, and then compares them all.

    Returns:
        The names of the new ones.

    Raises:
        BrokerUnreachable: Nobody answers.
        StateRefused: A topic that existed before is not as it must be.
        UsageError: There are fewer brokers than replicas.
    """
    refuse_embedded(settings)
    admin = new_admin(settings)
    existing = reach(settings, admin)
    missing = [topic for topic in TOPICS if settings.topic(topic.name) not in existing]
    made = _make(settings, admin, missing, history=history)
    _await_visible(settings, admin, made)
    check(settings, history)
    return made


def check(settings: Settings, history: bool) -> list[str]:
    """Compares every topic with what it must be; returns their names.

    Raises:
        BrokerUnreachable: Nobody answers.
        StateRefused: They differ; every difference is told.
    """
    refuse_embedded(settings)
    names = [topic.name for topic in TOPICS]
    problems = differences(settings, new_admin(settings), names, history=history)
    if problems:
        raise StateRefused("\n".join(problems))
    return [settings.topic(name) for name in names]


def differences(settings: Settings, admin: AdminClient, names: Sequence[str], *, history: bool) -> list[str]:
    """How these topics (without prefix) differ from what they must be, one line each."""
    existing = reach(settings, admin)
    wrong: dict[str, list[str]] = {}
    for name, key, actual, wanted in wrong_settings(settings, admin, names, history=history):
        remedy = f"change it with `leadstream topics alter{' --history' if history else ''}`, or change the setting"
        wrong.setdefault(name, []).append(f"topic {name} has {key}={actual}, {wanted} is wanted; {remedy}")
    return [
        problem
        for name in names
        for problem in (
            *_wrong_shape(TOPICS_BY_NAME[name], settings, existing),
            *wrong.get(settings.topic(name), ()),
        )
    ]


def wrong_settings(settings: Settings, admin: AdminClient, names: Iterable[str], *, history: bool) -> list[Difference]:
    """Settings of these topics (without prefix) that are not what they must be; of a topic that is not there, none."""
    existing = reach(settings, admin)
    on_broker = {name: TOPICS_BY_NAME[own] for own in names if (name := settings.topic(own)) in existing}
    found = read_settings(settings, admin, on_broker)
    return [
        Difference(name, key, actual, wanted)
        for name, topic in on_broker.items()
        for key, wanted in settings_of(topic, settings, history=history).items()
        if (actual := found[name].get(key)) != wanted and not _is_no_less(key, actual, wanted)
    ]


def _is_no_less(key: str, actual: str | None, wanted: str) -> bool:
    return key == _IN_SYNC and actual is not None and int(actual) >= int(wanted)


def is_history(settings: Settings, admin: AdminClient) -> bool:
    """Whether the raw topics were made for a past stream: their records have the times of their senders."""
    name = settings.topic(RAW_TOPICS[0])
    if name not in reach(settings, admin):
        return False
    return read_settings(settings, admin, [name])[name].get("message.timestamp.type") == "CreateTime"


def refuse_embedded(settings: Settings) -> None:
    """The embedded broker has no settings.

    Raises:
        UsageError: It is the embedded one.
    """
    if settings.broker_profile == "embedded":
        raise UsageError(
            "the embedded broker makes its topics itself and cannot be told how; "
            f"set {variable('broker_profile')}=kafka"
        )


def _make(settings: Settings, admin: AdminClient, topics: Iterable[Topic], *, history: bool) -> list[str]:
    wanted = [
        NewTopic(
            settings.topic(topic.name),
            num_partitions=wanted_partitions(topic, settings),
            replication_factor=settings.replication,
            config=settings_of(topic, settings, history=history),
        )
        for topic in topics
    ]
    if not wanted:
        return []
    made: list[str] = []
    for name, future in admin.create_topics(wanted, operation_timeout=_TIMEOUT_S).items():
        try:
            future.result(_TIMEOUT_S)
        except KafkaException as error:
            _explain(settings, name, error.args[0])
        else:
            made.append(name)
    return sorted(made)


def _await_visible(settings: Settings, admin: AdminClient, names: Iterable[str]) -> None:
    """A broker that has just made topics, or whose neighbour has, may not yet know of them: gives it time."""
    end = time.monotonic() + _TIMEOUT_S
    while not set(names) <= reach(settings, admin).keys() and time.monotonic() < end:
        time.sleep(0.1)


def _explain(settings: Settings, name: str, error: KafkaError) -> None:
    if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
        return  # somebody else made it in this moment; the comparison that follows looks at it
    if error.code() == KafkaError.INVALID_REPLICATION_FACTOR:
        raise UsageError(
            f"topic {name}: {error.str()}; {variable('replication')}={settings.replication} asks for as many brokers"
        )
    if error.code() in (KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError.REQUEST_TIMED_OUT):
        raise unreachable(settings, f"topic {name} was not made: {error.str()}")
    raise StateRefused(f"topic {name} cannot be made at {settings.bootstrap_servers}: {error.str()}")


def read_settings(settings: Settings, admin: AdminClient, names: Iterable[str]) -> dict[str, dict[str, str | None]]:
    """Kafka's settings of topics that exist, by their names on the broker.

    Raises:
        BrokerUnreachable: Nobody answers, or these may not be read.
    """
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    found: dict[str, dict[str, str | None]] = {}
    if not resources:
        return found
    for resource, future in admin.describe_configs(resources, request_timeout=_TIMEOUT_S).items():
        try:
            entries = future.result(_TIMEOUT_S)
        except KafkaException as error:
            raise unreachable(settings, f"the settings of {resource.name} cannot be read: {error}") from error
        found[resource.name] = {name: entry.value for name, entry in entries.items()}
    return found


def _wrong_shape(topic: Topic, settings: Settings, existing: Mapping[str, TopicMetadata]) -> list[str]:
    """What is wrong with a topic's being there, its partitions, its replicas."""
    name = settings.topic(topic.name)
    if name not in existing:
        return [f"topic {name} does not exist{hidden(settings)}; make it with `leadstream topics create`"]
    partitions, wanted = existing[name].partitions, wanted_partitions(topic, settings)
    problems = []
    if len(partitions) != wanted:
        hint = f"; set {variable('partitions')} to what the topics have" if topic.partitions > 1 else ""
        problems.append(f"topic {name} has {len(partitions)} partitions, {wanted} are wanted{hint}")
    replicas = min((len(partition.replicas) for partition in partitions.values()), default=0)
    if replicas < settings.replication:
        problems.append(
            f"topic {name} has {replicas} replicas, {variable('replication')}={settings.replication} are wanted; "
            "add them with kafka-reassign-partitions"
        )
    return problems
