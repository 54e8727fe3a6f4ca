"""How an engine runs: where the broker is, and how large, how often, how long."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from faust.auth import SASLCredentials, SSLCredentials

from streams.engine.errors import StateRefused

__all__ = ["CRASH_POINTS", "PLAINTEXT", "CrashPoint", "EngineConfig", "Security"]

CrashPoint = Literal[
    "opened", "claimed", "recovered", "folded", "published", "written", "acked", "carried", "acknowledged"
]
"""The moments at which a test may end the process: behind every await that leaves something on the broker."""

CRASH_POINTS: tuple[CrashPoint, ...] = (
    "opened",
    "claimed",
    "recovered",
    "folded",
    "published",
    "written",
    "acked",
    "carried",
    "acknowledged",
)

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


def _no_crash(point: CrashPoint) -> None:
    """Outside tests nothing happens at a crash point."""


@dataclass(frozen=True, slots=True)
class Security:
    """How clients prove who they are and who the broker is.

    Attributes:
        protocol: Kafka's `security.protocol`.
        mechanism: Of SASL; the password is never shown.
        context: Checks the broker's certificate (and shows ours); needed by SSL and SASL_SSL.
    """

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.protocol.endswith("SSL") and self.context is None:
            raise StateRefused(f"security protocol {self.protocol} needs an SSL context: name a CA file")
        if self.protocol.startswith("SASL") and (self.username is None or self.password is None):
            raise StateRefused(f"security protocol {self.protocol} needs a user name and a password")

    def client_settings(self) -> dict[str, Any]:
        """Arguments of an aiokafka client, producer or consumer."""
        settings: dict[str, Any] = {"security_protocol": self.protocol, "ssl_context": self.context}
        if self.protocol.startswith("SASL"):
            settings |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return settings

    def faust_credentials(self) -> SASLCredentials | SSLCredentials | None:
        """The same for Faust's `broker_credentials`."""
        if self.protocol.startswith("SASL"):
            return SASLCredentials(
                username=self.username,
                password=self.password,
                mechanism=self.mechanism,
                ssl_context=self.context if self.protocol == "SASL_SSL" else None,
            )
        return SSLCredentials(context=self.context) if self.protocol == "SSL" else None


PLAINTEXT = Security()


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """Settings of one worker.

    Attributes:
        bootstrap: Broker addresses, `host:port,host:port`.
        app_id: Name of the app: consumer group, and the prefix of the writers' transactional ids.
        partitions: Of every topic that a table stage reads or writes; what a carry stage writes to it knows itself.
        instance_id: Name of this worker within the group, stable over restarts: it is back in seconds after a crash.
        embedded: The broker is librdkafka's in-process one: topics make themselves, nothing is compacted, and no
            group can be described.
        ask_every_s: A partition asks for time no more often than this.
        ask_for_time: False where time comes from past records alone: no alarm is ever set.
        fetch_max_bytes: Of one partition in one fetch; a whole answer may have four times as much.
        fetch_wait_ms: How long the broker may wait for something to send, while nothing comes.
        gather_ms: How long the broker gathers for one answer, while records come and there is no backlog.
        tick_ms: A carry stage is called at least this often.
        max_batch_bytes: Of one record batch, so also of one step's rows with their checkpoint.
        write_timeout_s: A write that the broker has not taken by then ends the process.
        ready_timeout_s: A worker that is not ready by then ends.
        silent_limit_s: A worker whose broker has not answered for so long is not ready.
        sleep_limit_s: A process that slept longer ends: others may have gone on without it.
        reopen_after_s: A writer is opened anew: the broker forgets idle producers after 24 h.
        stop_timeout_s: A graceful stop that takes longer ends the process.
        crash_point: Called at each of `CRASH_POINTS`; tests end the process there.
    """

    bootstrap: str
    app_id: str
    partitions: int
    instance_id: str | None = None
    security: Security = PLAINTEXT
    embedded: bool = False
    ask_for_time: bool = True
    ask_every_s: float = 1.0
    session_timeout_ms: int = 10_000
    heartbeat_ms: int = 3_000
    rebalance_timeout_ms: int = 30_000
    commit_interval_ms: int = 1_000
    poll_records: int = 5_000
    fetch_max_bytes: int = 4 << 20
    fetch_wait_ms: int = 100
    gather_ms: int = 20
    tick_ms: int = 200
    max_batch_bytes: int = 7 << 20
    connect_timeout_s: float = 12.0
    write_timeout_s: float = 60.0
    ready_timeout_s: float = 60.0
    silent_limit_s: float = 5.0
    sleep_limit_s: float = 60.0
    reopen_after_s: float = 12 * 3600.0
    stop_timeout_s: float = 10.0
    log_level: str = "INFO"
    crash_point: Callable[[CrashPoint], None] = _no_crash

    def producer_settings(self) -> dict[str, Any]:
        """Arguments of every producer: each write is acknowledged by all replicas, and once only."""
        return {
            "bootstrap_servers": self.bootstrap.split(","),
            "acks": "all",
            "enable_idempotence": True,
            "linger_ms": 0,
            "max_batch_size": self.max_batch_bytes,
            "max_request_size": self.max_batch_bytes + (1 << 20),
            "request_timeout_ms": 30_000,
            **self.security.client_settings(),
        }
