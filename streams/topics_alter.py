"""Settings of topics that are there, made what they must be: after an upgrade, or for another retention.

Partitions and replicas are left alone: the former cannot be changed, the latter are for Kafka's own tool.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from schemas.topics import RAW_TOPICS, TOPICS
from streams.clients import new_admin, reach, unreachable
from streams.engine.errors import StateRefused
from streams.errors import UsageError
from streams.settings import Settings
from streams.topics_admin import Difference, is_history, read_settings, refuse_embedded, wrong_settings

__all__ = ["alter", "planned"]

_TIMEOUT_S = 30.0


def planned(settings: Settings, *, history: bool) -> list[Difference]:
    """What `alter` has to change of the topics that exist, in the order of the list.

    Raises:
        BrokerUnreachable: Nobody answers.
        UsageError: They were made for a past stream and this is none, or the other way round: by the brokers' time all
            that is old would be deleted.
    """
    refuse_embedded(settings)
    admin = new_admin(settings)
    if settings.topic(RAW_TOPICS[0]) in reach(settings, admin) and is_history(settings, admin) != history:
        raise UsageError(
            f"the topics at {settings.bootstrap_servers} have the brokers' times, not those of a past stream: "
            "leave --history out"
            if history
            else f"the topics at {settings.bootstrap_servers} were made for a past stream: say --history"
        )
    return wrong_settings(settings, admin, [topic.name for topic in TOPICS], history=history)


def alter(settings: Settings, differences: Sequence[Difference]) -> None:
    """Makes these settings what they must be; those of one topic all at once.

    Raises:
        BrokerUnreachable: Nobody answers.
        StateRefused: The brokers do not take it; topics before that one have been changed.
    """
    admin: AdminClient = new_admin(settings)
    entries: dict[str, list[ConfigEntry]] = {}
    for topic, key, _, wanted in differences:
        entry = ConfigEntry(key, wanted, incremental_operation=AlterConfigOpType.SET)
        entries.setdefault(topic, []).append(entry)
    for topic, changed in entries.items():
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=changed)
        future = admin.incremental_alter_configs([resource], request_timeout=_TIMEOUT_S)[resource]
        try:
            future.result(_TIMEOUT_S)
        except KafkaException as error:
            raise _explained(settings, topic, error.args[0]) from error
    _await_visible(settings, admin, differences)


def _await_visible(settings: Settings, admin: AdminClient, differences: Sequence[Difference]) -> None:
    """A broker hears of what its controller took a moment later: gives it time."""
    end = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < end:
        found = read_settings(settings, admin, dict.fromkeys(topic for topic, *_ in differences))
        if all(found[topic].get(key) == wanted for topic, key, _, wanted in differences):
            return
        time.sleep(0.1)


def _explained(settings: Settings, topic: str, error: KafkaError) -> Exception:
    if error.code() in (KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError.REQUEST_TIMED_OUT):
        return unreachable(settings, f"topic {topic} was not changed: {error.str()}")
    hint = ""
    if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        hint = "; grant what is missing (`leadstream topics acls topics`)"
    return StateRefused(f"topic {topic} cannot be changed at {settings.bootstrap_servers}: {error.str()}{hint}")
