"""Fixtures for all tests. A missing Java, Maven or Redis is a failure with its remedy, never a silent skip."""

from collections.abc import Iterator

import pytest

from tests.kafka.broker import KafkaBroker
from tests.redis_server import RedisServer


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaBroker]:
    """The Apache Kafka that the tests share: name topics and groups with a prefix of your own, and leave it running."""
    with KafkaBroker() as broker:
        yield broker


@pytest.fixture
def own_kafka() -> Iterator[KafkaBroker]:
    """An Apache Kafka of this test's own, which it may stop, freeze and kill."""
    with KafkaBroker() as broker:
        yield broker


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis of this test's own, which it may flush, freeze and kill."""
    with RedisServer() as server:
        yield server
