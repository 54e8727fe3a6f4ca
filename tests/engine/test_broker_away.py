"""The broker is away at the start, goes and comes back, or is the embedded one."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.engine.world import Worker, World
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
    world = World(own_kafka.bootstrap, "outage", tmp_path, silent_limit_s=1.0)
    worlds.enter_context(world.make_topics()).start().ready()
    for outage in (own_kafka.stop, own_kafka.kill):
        world.load(100, per_second=300)
        outage()
        world.wait_for(lambda: _noticed(world.workers[-1]), 10)
        own_kafka.start()
        _supervise(world)
        world.load(100, per_second=300)
        _settled(world)
    assert world.start(instance="other").ready().stop() == 0


def _noticed(worker: Worker) -> bool:
    """The worker ended, or says that the broker is silent."""
    return not worker.alive or "UNREADY no answer from the broker" in worker.readiness()


def _supervise(world: World) -> None:
    """A worker that stopped itself is started again."""
    last = world.workers[-1]
    if not last.alive:
        assert last.ended() == 5, last.says()
        world.start()


def _settled(world: World) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            world.settled(5)
        except AssertionError:
            _supervise(world)
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
    worker.kill()
    world.load(100)
    worker = world.start().ready()
    world.settled()
    assert worker.stop() == 0
