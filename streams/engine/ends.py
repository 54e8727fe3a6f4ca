"""Where source partitions end: that nothing is left of one is certain for the moment at which its replicas were asked.

The answer to a fetch does not say it. From a broker that is far away it comes late, and it ends where readers may read:
a record has its time from the leader, and is shown when the replicas have it too, or have been given up, which takes
Kafka some seconds. So leaders are asked for the end of their own logs, as replicas ask.

A leader that its cluster has given up may not know it, and answers on. So other replicas are asked too where there are
three or more: what is acknowledged lies on two of them (`min.insync.replicas`), and of all but one, one has it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from math import inf
from typing import Any, Final, NamedTuple

from aiokafka.errors import KafkaError
from aiokafka.protocol.offset import OffsetRequest

from streams.engine.stage import FetchState, TopicPartition

__all__ = ["Ends"]

_OWN_LOG: Final = -3
"""Kafka's `FUTURE_LOCAL_REPLICA_ID`: who asks as such is told of the whole log, and by its leader alone."""

_ANY_LOG: Final = -2
"""Kafka's `DEBUGGING_REPLICA_ID`: who asks as such is told of the whole log by every replica."""

_LATEST: Final = -1
_AGAIN_S: Final = 1.0
"""A replica that cannot be reached is let alone for so long."""


class _Said(NamedTuple):
    """Where a log ended when that was asked, by this host's clock and by the one that is never set."""

    offset: int
    asked_wall_s: float
    asked_s: float

    def asked_s_ago(self) -> float:
        """That the host slept, or that its clock was set, shows in one of the two."""
        wall_s, steady_s = _moment()
        return max(wall_s - self.asked_wall_s, steady_s - self.asked_s)


class _Replicas:
    """What the replicas of a partition said.

    Attributes:
        leader: Its node.
        needed: So many of the others must have been asked.
        own: The leader's answer.
        others: Each other's answer, by its node.
    """

    def __init__(self) -> None:
        self.leader = -1
        self.needed = 0
        self.own: _Said | None = None
        self.others: dict[int, _Said] = {}

    def are(self, leader: int, nodes: list[int]) -> None:
        """These are the replicas now."""
        if leader != self.leader:
            self.own, self.leader = None, leader
        self.needed = max(0, len(nodes) - 2)
        self.others = {node: said for node, said in self.others.items() if node in nodes and node != leader}

    def counted(self) -> list[_Said]:
        """The leader's answer and the newest of others, as many as are needed; nothing where there are fewer."""
        others = sorted(self.others.values(), key=lambda said: said.asked_s)[len(self.others) - self.needed :]
        return [self.own, *others] if self.own is not None and len(self.others) >= self.needed else []

    @property
    def least(self) -> int:
        """Where the others end: their leader cannot end before."""
        return max((said.offset for said in self.counted()[1:]), default=0)


class Ends:
    """Ends of partitions, and when replicas were asked for them.

    Args:
        every_s: How often they are asked; once costs some microseconds for each partition.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._replicas: dict[TopicPartition, _Replicas] = {}
        self._asked: dict[tuple[int, int], asyncio.Task[None]] = {}

    async def keep_asking(self, consumer: Any, states: Callable[[], Mapping[Any, Any]]) -> None:
        """Asks again and again, each broker once at a time.

        Args:
            consumer: aiokafka's.
            states: Its partitions and what it knows of them.
        """
        while True:
            self._ask_all(consumer._client, states())
            await asyncio.sleep(self._every_s)

    def of(self, place: TopicPartition, state: Any) -> FetchState:
        """What is known of a partition, given aiokafka's state of it."""
        wall_s, _ = _moment()
        answered_s = inf if state.timestamp is None else state.timestamp / 1000
        silent_s = wall_s - answered_s if answered_s <= wall_s else inf
        replicas = self._replicas.get(place)
        said = [] if replicas is None else replicas.counted()
        if not said or state.highwater is None:
            return FetchState(False, inf, silent_s)
        at_end = state.position >= max(state.highwater, *(one.offset for one in said))
        return FetchState(at_end, max(one.asked_s_ago() for one in said), silent_s)

    def _ask_all(self, client: Any, states: Mapping[Any, Any]) -> None:
        """Asks the replicas of partitions of which everything is read that may be read."""
        wanted: dict[tuple[int, int], dict[str, list[tuple[int, int]]]] = {}
        for tp, state in states.items():
            known = client.cluster._partitions.get(tp.topic, {}).get(tp.partition)
            reads = state.has_valid_position and state.highwater is not None
            if known is None or not reads or state.position < state.highwater:
                continue
            replicas = self._replicas.setdefault(TopicPartition(tp.topic, tp.partition), _Replicas())
            replicas.are(known.leader, known.replicas)
            for node in known.replicas if replicas.needed else (known.leader,):
                asked = node, _OWN_LOG if node == known.leader else _ANY_LOG
                if node >= 0 and asked not in self._asked and client.cluster.broker_metadata(node) is not None:
                    wanted.setdefault(asked, {}).setdefault(tp.topic, []).append((tp.partition, _LATEST))
        for asked, topics in wanted.items():
            task = self._asked[asked] = asyncio.create_task(self._ask(client, *asked, topics))
            task.add_done_callback(partial(self._answered, asked))

    def _answered(self, asked: tuple[int, int], _: object) -> None:
        del self._asked[asked]

    async def _ask(self, client: Any, node: int, who: int, topics: Mapping[str, list[tuple[int, int]]]) -> None:
        asked = _moment()
        places = [TopicPartition(topic, number) for topic, wanted in topics.items() for number, _ in wanted]
        least = {place: self._replicas[place].least for place in places}
        try:
            answer = await client.send(node, OffsetRequest(who, 0, list(topics.items())))
        except KafkaError:
            if who == _ANY_LOG:  # aiokafka looks for leaders that it cannot reach
                await asyncio.sleep(_AGAIN_S)
            return
        doubt = False
        for topic, partitions in answer.topics:
            for number, error, _, offset in partitions:
                place = TopicPartition(topic, number)
                replicas, said = self._replicas[place], _Said(offset, *asked)
                if error:
                    doubt |= who == _OWN_LOG
                elif who == _ANY_LOG:
                    replicas.others[node] = said
                elif node == replicas.leader:
                    replicas.own = said
                    doubt |= offset < least[place]
        if doubt:
            # Replicas answer fetches too, so that aiokafka does not notice for minutes that another broker leads.
            client.force_metadata_update()


def _moment() -> tuple[float, float]:
    """Seconds by this host's clock, as aiokafka stamps its answers, and by the one that is never set."""
    return time.time(), time.monotonic()  # noqa: TID251
