"""What stands in the `server.properties` of a test's broker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.kafka.keystore import Keystore

__all__ = ["Ports", "server_properties"]

_SETTINGS: dict[str, str] = {
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "num.partitions": "4",
    # leadstream makes its topics by its own command; a topic that appears by itself hides a mistake.
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    # After a kill the broker may register again only when its old session has ended (Kafka's default: 9 s).
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Tests with short sessions see a dead worker within seconds.
    "group.min.session.timeout.ms": "3000",
    # One write of rows is one record batch: up to 8 MiB.
    "message.max.bytes": str(8 * 1024 * 1024),
    "replica.fetch.max.bytes": str(8 * 1024 * 1024),
    "log.segment.bytes": str(256 * 1024 * 1024),
    # Compaction and retention within seconds, for tests that wait for them.
    "log.cleaner.backoff.ms": "500",
    "log.retention.check.interval.ms": "10000",
    "log.initial.task.delay.ms": "1000",
}


class Ports(NamedTuple):
    """Where a broker listens on loopback: for clients, as controller, with log-in, and behind each proxy's port."""

    client: int
    controller: int
    secure: int
    detours: Mapping[int, int]


def server_properties(
    node: int, quorum: str, ports: Ports, data: Path, keystore: Keystore | None, extra: Mapping[str, str]
) -> str:
    """The file's text.

    Args:
        node: Number of the broker.
        quorum: The controller that it obeys; maybe it is that itself.
        ports: Where it listens.
        data: Its folder.
        keystore: For the listener with log-in; None: there is none.
        extra: More settings, which go before.
    """
    controls = quorum.startswith(f"{node}@")
    ways = {f"DETOUR{number}": (own, told) for number, (told, own) in enumerate(ports.detours.items())}
    protocols = dict.fromkeys(("CONTROLLER", "PLAINTEXT", *ways), "PLAINTEXT")
    if keystore is not None:
        ways["SECURE"] = (ports.secure, ports.secure)
        protocols["SECURE"] = "SASL_SSL"
    ways["PLAINTEXT"] = (ports.client, ports.client)
    listeners = [f"{name}://127.0.0.1:{own}" for name, (own, _) in ways.items()]
    if controls:
        listeners.append(f"CONTROLLER://127.0.0.1:{ports.controller}")
    settings = {
        **_SETTINGS,
        "process.roles": "broker,controller" if controls else "broker",
        "node.id": str(node),
        "controller.quorum.voters": quorum,
        "listeners": ",".join(listeners),
        "advertised.listeners": ",".join(f"{name}://127.0.0.1:{told}" for name, (_, told) in ways.items()),
        "listener.security.protocol.map": ",".join(f"{name}:{how}" for name, how in protocols.items()),
        "log.dirs": str(data),
        **({} if keystore is None else _secured(keystore)),
        **extra,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _secured(keystore: Keystore) -> dict[str, str]:
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "listener.name.secure.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.secure.scram-sha-512.sasl.jaas.config": scram,
        "listener.name.secure.ssl.keystore.type": "PKCS12",
        "listener.name.secure.ssl.keystore.location": str(keystore.path),
        "listener.name.secure.ssl.keystore.password": keystore.password,
    }
