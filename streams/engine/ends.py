"""Where source partitions end: that nothing is left of one is certain for the moment at which its leader was asked.

The answer to a fetch does not say it. From a broker that is far away it comes late, and it ends where readers may read:
a record has its time from the leader, and is shown when the replicas have it too, or have been given up, which takes
Kafka some seconds. So leaders are asked for the end of their own logs, as replicas ask.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from typing import Any, Final

from aiokafka.errors import KafkaError
from aiokafka.protocol.offset import OffsetRequest

from streams.engine.stage import FetchState, TopicPartition

__all__ = ["Ends"]

_OWN_LOG: Final = -3
"""Kafka's `FUTURE_LOCAL_REPLICA_ID`: who asks as such is told of the whole log, and by its leader alone."""

_LATEST: Final = -1


class Ends:
    """Ends of partitions, and when each leader was asked for them.

    Args:
        every_s: How often leaders are asked; once costs some microseconds for each partition.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._ends: dict[TopicPartition, tuple[int, float, float]] = {}
        self._asked: dict[int, asyncio.Task[None]] = {}

    async def keep_asking(self, consumer: Any, states: Callable[[], Mapping[Any, Any]]) -> None:
        """Asks again and again, each leader once at a time.

        Args:
            consumer: aiokafka's.
            states: Its partitions and what it knows of them.
        """
        while True:
            self._ask_all(consumer._client, states())
            await asyncio.sleep(self._every_s)

    def of(self, place: TopicPartition, state: Any) -> FetchState:
        """What is known of a partition, given aiokafka's state of it."""
        wall_s, steady_s = _moment()
        answered_s = inf if state.timestamp is None else state.timestamp / 1000
        silent_s = wall_s - answered_s if answered_s <= wall_s else inf
        end = self._ends.get(place)
        if end is None or state.highwater is None:
            return FetchState(False, inf, silent_s)
        offset, asked_wall_s, asked_steady_s = end
        at_end = state.position >= max(offset, state.highwater)
        # That the host slept, or that its clock was set, shows in one of the two.
        return FetchState(at_end, max(wall_s - asked_wall_s, steady_s - asked_steady_s), silent_s)

    def _ask_all(self, client: Any, states: Mapping[Any, Any]) -> None:
        """Asks the leaders of partitions of which everything is read that may be read."""
        wanted: dict[int, dict[str, list[tuple[int, int]]]] = {}
        for tp, state in states.items():
            if state.has_valid_position and state.highwater is not None and state.position >= state.highwater:
                leader = client.cluster.leader_for_partition(tp)
                if leader is not None and leader >= 0 and leader not in self._asked:
                    wanted.setdefault(leader, {}).setdefault(tp.topic, []).append((tp.partition, _LATEST))
        for leader, topics in wanted.items():
            asked = self._asked[leader] = asyncio.create_task(self._ask(client, leader, topics))
            asked.add_done_callback(partial(self._answered, leader))

    def _answered(self, leader: int, _: object) -> None:
        del self._asked[leader]

    async def _ask(self, client: Any, leader: int, topics: Mapping[str, list[tuple[int, int]]]) -> None:
        asked = _moment()
        try:
            answer = await client.send(leader, OffsetRequest(_OWN_LOG, 0, list(topics.items())))
        except KafkaError:
            return  # aiokafka looks for brokers that it cannot reach
        leads = True
        for topic, partitions in answer.topics:
            for number, error, _, offset in partitions:
                if error:
                    leads = False
                else:
                    self._ends[TopicPartition(topic, number)] = (offset, *asked)
        if not leads:
            # Replicas answer fetches too, so that aiokafka does not notice for minutes that another broker leads.
            client.force_metadata_update()


def _moment() -> tuple[float, float]:
    """Seconds by this host's clock, as aiokafka stamps its answers, and by the one that is never set."""
    return time.time(), time.monotonic()  # noqa: TID251
