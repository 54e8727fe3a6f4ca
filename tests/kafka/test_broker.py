"""The broker that the other tests stand on: up, down, killed, and the same one again."""

from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.kafka.broker import KafkaBroker, KafkaBrokerError

pytestmark = pytest.mark.kafka


def test_acknowledged_records_survive_a_kill_and_a_restart(own_kafka: KafkaBroker) -> None:
    address = own_kafka.bootstrap
    admin = AdminClient({"bootstrap.servers": address})
    for made in admin.create_topics([NewTopic("survives", 1, 1)]).values():
        made.result(timeout=10)
    _produce(address, "survives", [b"one", b"two"])

    own_kafka.kill()
    assert not own_kafka.running
    own_kafka.start()

    assert own_kafka.bootstrap == address
    _produce(address, "survives", [b"three"])
    assert _read(address, "survives", 3) == [b"one", b"two", b"three"]

    own_kafka.restart()
    assert own_kafka.bootstrap == address
    assert _read(address, "survives", 3) == [b"one", b"two", b"three"]


def test_no_topic_appears_by_itself(kafka: KafkaBroker) -> None:
    undelivered: list[str] = []
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "message.timeout.ms": 1500})
    producer.produce("never-made", b"x", on_delivery=lambda error, _: undelivered.append(str(error)))
    producer.flush(10)
    assert undelivered
    assert undelivered[0] != "None"
    assert "never-made" not in AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=10).topics


def test_closing_leaves_neither_process_nor_folder() -> None:
    broker = KafkaBroker()
    with broker:
        pid, folder = broker.pid, broker.folder
        assert pid is not None
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)
    assert not folder.exists()
    broker.close()


def test_a_failed_start_shows_the_end_of_the_brokers_log(tmp_path: Path) -> None:
    broker = KafkaBroker(settings={"log.segment.bytes": "1"}, folder=tmp_path / "kafka")
    with pytest.raises(KafkaBrokerError, match=r"log\.segment\.bytes"):
        broker.start()
    assert not broker.running
    broker.close()
    assert (tmp_path / "kafka" / "server.properties").exists()


def test_a_broker_that_never_started_says_so() -> None:
    with pytest.raises(KafkaBrokerError, match="first start"):
        _ = KafkaBroker().bootstrap


def _produce(address: str, topic: str, values: list[bytes]) -> None:
    failed: list[str] = []

    def delivered(error: object, _message: Message) -> None:
        if error is not None:
            failed.append(str(error))

    producer = Producer({"bootstrap.servers": address, "acks": "all"})
    for value in values:
        producer.produce(topic, value, partition=0, on_delivery=delivered)
    assert producer.flush(20) == 0
    assert failed == []


def _read(address: str, topic: str, count: int) -> list[bytes | str | None]:
    consumer = Consumer({"bootstrap.servers": address, "group.id": "reader", "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        messages = [consumer.poll(10) for _ in range(count)]
        return [message.value() for message in messages if message is not None and message.error() is None]
    finally:
        consumer.close()
