"""Several brokers with a replica of everything on each, and a proxy before each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from confluent_kafka.admin import AdminClient

from tests.faults.proxy import Proxy
from tests.kafka.broker import KafkaBroker

__all__ = ["Cluster", "cluster"]


class Cluster(NamedTuple):
    """Brokers of one cluster, the first one their controller; who comes by a proxy is sent to the others by theirs."""

    brokers: Sequence[KafkaBroker]
    proxies: Sequence[Proxy]

    @property
    def detour(self) -> str:
        """The proxies' addresses."""
        return ",".join(proxy.bootstrap for proxy in self.proxies)

    def in_sync(self) -> bool:
        """Every replica has what its leader has, and each broker leads something."""
        topics = AdminClient({"bootstrap.servers": self.brokers[0].bootstrap}).list_topics(timeout=10).topics.values()
        partitions = [partition for topic in topics for partition in topic.partitions.values()]
        leaders = {partition.leader for partition in partitions}
        whole = all(len(one.isrs) == len(one.replicas) for one in partitions)
        return whole and leaders == {broker.node for broker in self.brokers}


@contextmanager
def cluster(size: int) -> Iterator[Cluster]:
    """So many brokers."""
    settings = {
        "offsets.topic.replication.factor": str(size),
        "transaction.state.log.replication.factor": str(size),
        "transaction.state.log.min.isr": str(min(size, 2)),
        # A broker that is back leads again soon, so that the next one to go is missed.
        "leader.imbalance.check.interval.seconds": "1",
        "leader.imbalance.per.broker.percentage": "0",
    }
    with ExitStack() as stack:
        brokers: list[KafkaBroker] = []
        proxies = [stack.enter_context(Proxy()) for _ in range(size)]
        for proxy in proxies:
            joins = brokers[-1] if brokers else None
            broker = stack.enter_context(KafkaBroker(settings=settings, detours=[proxy.port], joins=joins))
            proxy.lead_to(broker.detour(proxy.port))
            brokers.append(broker)
        yield Cluster(brokers, proxies)
