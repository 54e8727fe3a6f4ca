"""Settings of topics that exist, changed on a real broker."""

from __future__ import annotations

import time

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.topics import LEAD_EVENTS, RAW_TOPICS, TOPICS
from streams import topics_admin, topics_alter
from streams.engine.errors import BrokerUnreachable, StateRefused
from streams.errors import UsageError
from streams.settings import Settings
from tests.kafka.broker import KafkaBroker


@pytest.mark.kafka
def test_topics_as_they_were_are_made_what_they_must_be(kafka: KafkaBroker) -> None:
    """Once, what workers write had the workers' times; what lies there keeps them."""
    settings = Settings(bootstrap_servers=kafka.bootstrap, topic_prefix="older-", partitions=2)
    _made_as_they_were(settings)
    hour_ago_ms = time.time_ns() // 1_000_000 - 3_600_000
    _write(settings, hour_ago_ms)
    with pytest.raises(StateRefused, match="change it with `leadstream topics alter`"):
        topics_admin.create(settings, history=False)

    planned = topics_alter.planned(settings, history=False)
    assert {(one.topic, one.key, one.actual, one.wanted) for one in planned} == {
        (settings.topic(topic.name), "message.timestamp.type", "CreateTime", "LogAppendTime")
        for topic in TOPICS
        if topic.name not in RAW_TOPICS
    }
    topics_alter.alter(settings, planned)

    assert topics_alter.planned(settings, history=False) == []
    assert len(topics_admin.check(settings, history=False)) == len(TOPICS)
    _write(settings, hour_ago_ms)
    old, new = _times(settings)
    assert old == (TIMESTAMP_CREATE_TIME, hour_ago_ms)
    assert new[0] == TIMESTAMP_LOG_APPEND_TIME
    assert new[1] > hour_ago_ms


@pytest.mark.kafka
@pytest.mark.parametrize(("history", "hint"), [(False, "say --history"), (True, "leave --history out")])
def test_what_happens_now_and_a_past_stream_are_not_mixed_up(kafka: KafkaBroker, history: bool, hint: str) -> None:
    settings = Settings(bootstrap_servers=kafka.bootstrap, topic_prefix=f"mixed-{history}-", partitions=2)
    topics_admin.create(settings, history=not history)
    with pytest.raises(UsageError, match=hint):
        topics_alter.planned(settings, history=history)
    assert topics_alter.planned(settings, history=not history) == []


def test_nobody_at_the_address() -> None:
    nobody = Settings(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(BrokerUnreachable, match="LEADSTREAM_BOOTSTRAP_SERVERS"):
        topics_alter.planned(nobody, history=False)


def _made_as_they_were(settings: Settings) -> None:
    wanted = []
    for topic in TOPICS:
        config = topics_admin.settings_of(topic, settings, history=False)
        if topic.name not in RAW_TOPICS:
            config["message.timestamp.type"] = "CreateTime"
        partitions = topics_admin.wanted_partitions(topic, settings)
        wanted.append(NewTopic(settings.topic(topic.name), partitions, 1, config=config))
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    for future in admin.create_topics(wanted, operation_timeout=30).values():
        future.result(30)


def _write(settings: Settings, time_ms: int) -> None:
    producer = Producer({"bootstrap.servers": settings.bootstrap_servers})
    producer.produce(settings.topic(LEAD_EVENTS), b"-", partition=0, timestamp=time_ms)
    assert producer.flush(10) == 0


def _times(settings: Settings) -> list[tuple[int, int]]:
    consumer = Consumer({"bootstrap.servers": settings.bootstrap_servers, "group.id": "times"})
    consumer.assign([TopicPartition(settings.topic(LEAD_EVENTS), 0, 0)])
    try:
        return [message.timestamp() for message in consumer.consume(2, 20)]
    finally:
        consumer.close()
