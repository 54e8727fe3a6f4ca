"""confluent-kafka for the commands: one place that knows how to reach the brokers, and how to say that one cannot.

Workers do not use this: the engine reads and writes by aiokafka.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, TopicMetadata

from streams.engine.errors import BrokerUnreachable, StateRefused
from streams.errors import InputError, UsageError
from streams.settings import Settings, variable

__all__ = [
    "Sender",
    "client_config",
    "hidden",
    "new_admin",
    "new_consumer",
    "partition_counts",
    "reach",
    "unreachable",
]

REACH_TIMEOUT_S = 10.0

_log = logging.getLogger("streams.clients.librdkafka")
# What librdkafka logs is told by our own messages; its lines would stand between the lines of a result.
_log.addHandler(logging.NullHandler())
_log.propagate = False


def client_config(settings: Settings) -> dict[str, Any]:
    """What every client of librdkafka is told."""
    config: dict[str, Any] = {
        "bootstrap.servers": settings.bootstrap_servers,
        "client.id": "leadstream",
        "security.protocol": settings.security_protocol,
        "topic.metadata.refresh.interval.ms": 60_000,
    }
    if settings.security_protocol.startswith("SASL") and settings.sasl_password is not None:
        config["sasl.mechanism"] = settings.sasl_mechanism
        config["sasl.username"] = settings.sasl_username
        config["sasl.password"] = settings.sasl_password.get_secret_value()
    for name, path in (
        ("ssl.ca.location", settings.ssl_cafile),
        ("ssl.certificate.location", settings.ssl_certfile),
        ("ssl.key.location", settings.ssl_keyfile),
    ):
        if path is not None:
            config[name] = str(path)
    return config


class _LastError:
    """Remembers why librdkafka could not reach a broker, to be told with the address."""

    def __init__(self) -> None:
        self.text = ""
        self.all_down = False

    def __call__(self, error: KafkaError) -> None:
        self.all_down |= error.code() == KafkaError._ALL_BROKERS_DOWN
        if error.code() != KafkaError._ALL_BROKERS_DOWN or not self.text:
            self.text = error.str()


def unreachable(settings: Settings, why: str) -> BrokerUnreachable:
    """The error of a broker that does not answer, with its address and what to do."""
    what, remedy = "cannot be reached", f"start it, or set {variable('bootstrap_servers')}"
    if "authentication" in why.lower():
        remedy = f"correct {variable('sasl_username')} and {variable('sasl_password')}"
    elif "authorization failed" in why.lower():
        what, remedy = f"refuses {settings.sasl_username}", "grant what is missing (`leadstream topics acls`)"
    return BrokerUnreachable(f"Kafka at {settings.bootstrap_servers} {what}: {why or 'no answer'}; {remedy}")


def hidden(settings: Settings) -> str:
    """Behind "does not exist": brokers show nobody what they may not see."""
    if not settings.security_protocol.startswith("SASL"):
        return ""
    return f", or {settings.sasl_username} is granted nothing there (see `leadstream topics acls`)"


_Client = TypeVar("_Client", AdminClient, Consumer, Producer)


def _new(
    settings: Settings, make: Callable[..., _Client], config: Mapping[str, Any], *, connected: bool = True
) -> _Client:
    last = _LastError()
    try:
        client = make({**client_config(settings), **config, "error_cb": last}, logger=_log)
    except KafkaException as error:
        why = error.args[0].str()
        raise UsageError(f"Kafka settings are refused: {why}; see `leadstream settings`") from error
    attempts = int(REACH_TIMEOUT_S) if connected else 0
    for attempt in range(1, attempts + 1):
        try:
            client.list_topics(timeout=1.0)
            break
        except KafkaException as error:
            # librdkafka tells its reasons when it is polled.
            client.poll(0)
            # A name or port that nobody answers at is told soon; a slow broker is waited for.
            if attempt == attempts or (last.all_down and attempt > 1):
                raise unreachable(settings, last.text or error.args[0].str()) from error
    return client


def reach(settings: Settings, client: AdminClient | Consumer | Producer) -> dict[str, TopicMetadata]:
    """The topics by name, read anew.

    Raises:
        BrokerUnreachable: Nobody answers.
    """
    try:
        return dict(client.list_topics(timeout=REACH_TIMEOUT_S).topics)
    except KafkaException as error:
        raise unreachable(settings, error.args[0].str()) from error


def new_admin(settings: Settings, *, connected: bool = True) -> AdminClient:
    """A client for topics.

    Args:
        settings: Where the brokers are.
        connected: Whether it is waited until a broker answers.

    Raises:
        BrokerUnreachable: None answers.
    """
    return _new(settings, AdminClient, {}, connected=connected)


def new_consumer(
    settings: Settings, group: str = "leadstream-read", *, fetch_wait_ms: int = 500, connected: bool = True
) -> Consumer:
    """A consumer that is given its partitions by hand and commits nothing.

    Args:
        settings: Where the brokers are.
        group: Whose positions it can ask for; the prefix comes before it.
        fetch_wait_ms: How long a broker may keep a request open that finds nothing new.
        connected: Whether it is waited until a broker answers.

    Raises:
        BrokerUnreachable: None answers.
    """
    return _new(
        settings,
        Consumer,
        {
            "group.id": settings.topic(group),
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.message.max.bytes": settings.fetch_max_bytes,
            # So much is read ahead, and an answer of a broker has no more.
            "queued.max.messages.kbytes": settings.fetch_max_bytes // 1024,
            "fetch.queue.backoff.ms": 10,
            "fetch.wait.max.ms": fetch_wait_ms,
            # The mock broker has no other way to a topic than asking for it.
            "allow.auto.create.topics": settings.broker_profile == "embedded",
        },
        connected=connected,
    )


def partition_counts(settings: Settings, client: AdminClient | Consumer | Producer, names: Sequence[str]) -> list[int]:
    """How many partitions each topic has; names without the prefix.

    Raises:
        StateRefused: One does not exist.
    """
    topics = reach(settings, client)
    missing = [settings.topic(name) for name in names if settings.topic(name) not in topics]
    if missing and settings.broker_profile == "embedded":
        # The mock broker makes a topic when somebody asks for it by name.
        for name in missing:
            topics.update(client.list_topics(name, timeout=REACH_TIMEOUT_S).topics)
        missing = []
    if missing:
        raise StateRefused(
            f"{'topic' if len(missing) == 1 else 'topics'} {', '.join(missing)} "
            f"{'does' if len(missing) == 1 else 'do'} not exist at {settings.bootstrap_servers}"
            f"{hidden(settings)}; make them with `leadstream topics create`"
        )
    return [len(topics[settings.topic(name)].partitions) for name in names]


class Sender:
    """Sends records and waits for every acknowledgement; the first refusal ends it.

    Idempotent: what is sent twice by a retry of the client is written once.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._failed: KafkaError | None = None
        self.acknowledged = 0
        self.producer: Producer = _new(
            settings,
            Producer,
            {
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "consistent",
                "linger.ms": 20,
                "batch.size": 1024 * 1024,
                "delivery.timeout.ms": 60_000,
                "queue.buffering.max.messages": 100_000,
            },
        )

    def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int = -1,
        timestamp_ms: int = 0,
        headers: Sequence[tuple[str, bytes | None]] = (),
    ) -> None:
        """Hands over one record; waits while too many are under way. `topic` is the name on the broker.

        Raises:
            BrokerUnreachable: An earlier record was not taken.
        """
        while True:
            try:
                self.producer.produce(
                    topic,
                    value=value,
                    key=key,
                    partition=partition,
                    timestamp=timestamp_ms,
                    headers=list(headers),
                    on_delivery=self._delivered,
                )
                break
            except BufferError:
                self.producer.poll(0.1)
                self._check()
        self.producer.poll(0)
        self._check()

    def finish(self) -> None:
        """Waits until everything is acknowledged.

        Raises:
            BrokerUnreachable: A record was not taken.
        """
        while self.producer.flush(1.0):
            self._check()
        self._check()

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.acknowledged += 1
        elif self._failed is None:
            self._failed = error

    def _check(self) -> None:
        if self._failed is None:
            return
        if self._failed.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            raise InputError(f"a record is larger than Kafka takes: {self._failed.str()}")
        raise unreachable(self._settings, f"{self._failed.str()}, after {self.acknowledged} acknowledged records")
