"""The broker is away at the start, goes and comes back, or is the embedded one."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.engine.world import World
from tests.kafka.broker import KafkaBroker


def test_no_broker_at_the_start_is_exit_3_with_a_remedy(worlds: ExitStack, tmp_path: Path) -> None:
    world = worlds.enter_context(World("127.0.0.1:1", "away", tmp_path))
    began = time.monotonic()
    worker = world.start(connect_timeout_s=2.0)
    assert worker.ended() == 3
    assert time.monotonic() - began < 10
    assert "no Kafka broker answers at 127.0.0.1:1" in worker.says()
    assert "Traceback" not in worker.says()


@pytest.mark.kafka
def test_exact_over_a_restart_and_a_kill_of_the_broker(
    own_kafka: KafkaBroker, worlds: ExitStack, tmp_path: Path
) -> None:
    world = worlds.enter_context(World(own_kafka.bootstrap, "outage", tmp_path).make_topics())
    worker = world.start().ready()
    for outage in (own_kafka.stop, own_kafka.kill):
        world.load(100, per_second=300)
        outage()
        time.sleep(2)
        own_kafka.start()
        if not worker.alive:
            assert worker.ended() == 5, worker.says()
            worker = world.start()
        world.load(100, per_second=300)
        _settled(world)
    assert world.start(instance="other").ready().stop() == 0


def _settled(world: World) -> None:
    """As a supervisor would: a worker that stopped itself is started again."""
    end = time.monotonic() + 60
    while True:
        try:
            world.settled(5)
        except AssertionError:
            last = world.workers[-1]
            if not last.alive:
                assert last.ended() == 5, last.says()
                world.start()
            if time.monotonic() > end:
                raise
        else:
            return


def test_the_embedded_broker(worlds: ExitStack, tmp_path: Path) -> None:
    # The brokers live in the process of this client, as long as it does.
    brokers = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 0})
    metadata = brokers.list_topics(timeout=10)
    address = next(f"{broker.host}:{broker.port}" for broker in metadata.brokers.values())
    world = worlds.enter_context(World(address, "embedded", tmp_path, embedded=True))
    world.touch_topics()
    worker = world.start().ready()
    world.load(300, per_second=300)
    world.settled()
    assert worker.stop() == 0
    world.load(100)
    worker = world.start().ready()
    world.settled()
    worker.send(signal.SIGKILL)
    worker.ended()
    world.load(100)
    world.start().ready()
    world.settled()
