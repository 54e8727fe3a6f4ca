import pytest
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from schemas.topics import TOPICS
from streams import topics_admin
from streams.engine.errors import BrokerUnreachable, StateRefused
from streams.errors import UsageError
from streams.settings import Settings
from tests.kafka.broker import KafkaBroker
from tests.streams.live import wait_for


def _settings(kafka: KafkaBroker, prefix: str, **more: object) -> Settings:
    given = {"bootstrap_servers": kafka.bootstrap, "topic_prefix": prefix, "partitions": 3} | more
    return Settings.model_validate(given)


@pytest.mark.kafka
@pytest.mark.parametrize("history", [False, True])
def test_what_was_made_passes_the_check_and_is_made_once(kafka: KafkaBroker, history: bool) -> None:
    settings = _settings(kafka, f"made-{history}-")
    assert topics_admin.create(settings, history) == sorted(settings.topic(topic.name) for topic in TOPICS)
    assert topics_admin.create(settings, history) == []
    assert len(topics_admin.check(settings, history)) == len(TOPICS)
    with pytest.raises(StateRefused, match=r"made-(True|False)-page-views has message\.timestamp\.type="):
        topics_admin.check(settings, not history)


def _told(settings: Settings, beginning: str) -> list[str]:
    """Every difference, once there is one that begins so."""
    with pytest.raises(StateRefused) as refused:
        topics_admin.check(settings, history=False)
    lines = str(refused.value).splitlines()
    return lines if any(line.startswith(beginning) for line in lines) else []


@pytest.mark.kafka
def test_every_difference_is_told_and_nothing_is_changed(kafka: KafkaBroker) -> None:
    settings = _settings(kafka, "differs-")
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    own = NewTopic("differs-lead-events", 3, 1, config={"retention.ms": "1000", "min.insync.replicas": "2"})
    for future in admin.create_topics([own]).values():
        future.result(10)
    with pytest.raises(StateRefused) as refused:
        topics_admin.create(settings, history=False)
    assert "topic differs-lead-events has retention.ms=1000, 34560000000 is wanted" in str(refused.value)
    assert "insync" not in str(refused.value), "more is no less"
    assert (
        "topic differs-lead-events has message.timestamp.type=CreateTime, LogAppendTime is wanted; change it with "
        "`leadstream topics alter`, or change the setting"
    ) in str(refused.value)
    for future in admin.create_partitions([NewPartitions("differs-tier-changes", 4)]).values():
        future.result(10)
    # The broker tells of new partitions a moment after it has made them.
    lines = wait_for(lambda: _told(settings, "topic differs-tier-changes has 4 partitions, 3 are wanted"))
    assert any(line.startswith("topic differs-lead-events has retention.ms=1000") for line in lines)


@pytest.mark.parametrize(("history", "stamp"), [(False, "LogAppendTime"), (True, "CreateTime")])
def test_the_broker_stamps_every_topic_but_those_of_past_streams(history: bool, stamp: str) -> None:
    found = [topics_admin.settings_of(topic, Settings(), history=history) for topic in TOPICS]
    assert {one["message.timestamp.type"] for one in found} == {stamp}


@pytest.mark.parametrize(("replicas", "in_sync"), [(1, "1"), (2, "1"), (3, "2"), (5, "2")])
def test_with_three_replicas_a_second_machine_has_what_is_acknowledged(replicas: int, in_sync: str) -> None:
    settings = Settings(replication=replicas)
    found = [topics_admin.settings_of(topic, settings, history=False) for topic in TOPICS]
    assert {one["min.insync.replicas"] for one in found} == {in_sync}


@pytest.mark.kafka
def test_more_replicas_than_brokers_are_wrong_usage(kafka: KafkaBroker) -> None:
    with pytest.raises(UsageError, match="LEADSTREAM_REPLICATION=2"):
        topics_admin.create(_settings(kafka, "replicas-", replication=2), history=False)


def test_nobody_at_the_address() -> None:
    with pytest.raises(BrokerUnreachable, match="LEADSTREAM_BOOTSTRAP_SERVERS"):
        topics_admin.check(Settings(bootstrap_servers="127.0.0.1:1"), history=False)


def test_the_embedded_broker_has_no_settings() -> None:
    with pytest.raises(UsageError, match="LEADSTREAM_BROKER_PROFILE"):
        topics_admin.create(Settings(broker_profile="embedded"), history=False)
