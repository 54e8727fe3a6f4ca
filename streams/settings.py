"""Every setting of leadstream: one typed list, read from the environment or from an env file.

The variable of a setting is its name in capitals behind `LEADSTREAM_`. The environment wins over the env file, so
that one variable can be changed for one run. Every wrong value is reported at once, each with its variable.

>>> Settings.read({"LEADSTREAM_PARTITIONS": "4"}).partitions
4
>>> Settings.read({"LEADSTREAM_TOPIC_PREFIX": "eu-"}).topic("lead-events")
'eu-lead-events'
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from streams.env_file import close_name, read_env_file
from streams.errors import UsageError

__all__ = ["PREFIX", "STAGES", "Settings", "variable"]

PREFIX = "LEADSTREAM_"

STAGES = ("ingest", "score", "route", "view")
"""The stages that `worker` runs and `up` supervises, in the order in which an event passes them."""

_METRICS_PORTS = {"ingest": 9464, "score": 9465, "route": 9466, "view": 9467}

Port = Annotated[int, Field(ge=0, le=65535)]
Count = Annotated[int, Field(ge=1)]
Days = Annotated[int, Field(ge=1, le=36500)]


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


class Settings(BaseModel):
    """All settings, checked; what the fields' descriptions say is what `leadstream settings` prints."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)

    bootstrap_servers: str = Field("127.0.0.1:9092", description="Kafka brokers, host:port, several with commas")
    broker_profile: Literal["kafka", "embedded"] = Field(
        "kafka", description="kafka, or embedded: librdkafka's mock broker of the demo, whose topics cannot be checked"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to speak to the brokers"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How to log in, where the protocol is SASL_…"
    )
    sasl_username: str | None = Field(None, description="User at the brokers, where the protocol is SASL_…")
    sasl_password: SecretStr | None = Field(None, description="Password at the brokers, where the protocol is SASL_…")
    ssl_cafile: Path | None = Field(None, description="CA certificates (PEM); empty: those of the system")
    ssl_certfile: Path | None = Field(None, description="Client certificate (PEM), where the brokers ask for one")
    ssl_keyfile: Path | None = Field(None, description="Key of the client certificate (PEM)")

    topic_prefix: str = Field("", description="Put before every topic, group and transaction name")
    partitions: Annotated[int, Field(ge=1, le=1000)] = Field(
        8, description="Partitions of the topics; one count for all but those of route, which have one"
    )
    replication: Annotated[int, Field(ge=1, le=32)] = Field(
        1, description="Replicas of each partition; 3 in production"
    )
    retention_raw_days: Days = Field(30, description="How long raw topics and lead-internal are kept")
    retention_log_days: Days = Field(400, description="How long lead-events, the log, is kept")
    retention_outputs_days: Days = Field(90, description="How long tier changes and dead letters are kept")

    model: str = Field("b2b-default", description="Scoring model of a log that has none yet: a shipped name or a file")
    policy: str = Field(
        "b2b-default", description="Routing policy of a log that has none yet: a shipped name or a file"
    )
    id_key: SecretStr | None = Field(
        None, description="Key of the e-mail hash that names leads; changing it makes new leads of old addresses"
    )
    clock: Literal["broker", "record"] = Field(
        "broker", description="record: a past stream runs as if it were then, on topics made with --history"
    )
    redis_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"), description="Redis of the read model: redis://USER:PASSWORD@HOST:PORT/DB"
    )
    redis_prefix: str = Field(
        "leadstream:", description="Put before every key in Redis; in a cluster with braces: {leadstream}:"
    )

    api_host: str = Field("127.0.0.1", description="Address of the API, `leadstream serve`")
    api_port: Port = Field(8080, description="Port of it")
    api_key: SecretStr | None = Field(
        None, description="Key that the API asks for (X-API-Key); needed where it listens beyond this machine"
    )

    instance: str = Field(
        "", description="Name of this worker within its stage, kept over restarts; empty: the host's name"
    )
    metrics_host: str = Field("127.0.0.1", description="Address on which a worker serves /metrics, /livez and /readyz")
    metrics_port: Port | None = Field(
        None,
        description="Port of it; 0: none; empty: 9464 ingest, 9465 score, 9466 route, 9467 view; `up` counts on",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged")

    session_timeout_ms: Annotated[int, Field(ge=1000, le=300_000)] = Field(
        10_000, description="A worker silent for so long loses its partitions"
    )
    heartbeat_ms: Annotated[int, Field(ge=100, le=100_000)] = Field(
        3_000, description="Time between two heartbeats; at most a third of the session time-out"
    )
    ready_timeout_ms: Annotated[int, Field(ge=1000)] = Field(
        60_000, description="A worker that is not ready after so long ends, to be started again"
    )
    fetch_max_bytes: Annotated[int, Field(ge=64 * 1024)] = Field(
        4 * 1024 * 1024, description="Bytes of one fetch and partition"
    )
    poll_records: Count = Field(5_000, description="Records of one batch")
    gather_ms: Annotated[int, Field(ge=1, le=1000)] = Field(
        20, description="How long a broker gathers for one batch, while records come and there is no backlog"
    )
    pack_rows: Annotated[int, Field(ge=1, le=100)] = Field(100, description="Rows in one record of lead-events")
    breaker_window: Count = Field(1_000, description="Raw records of a topic that the breaker looks at")
    breaker_share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5, description="A topic with more than this share of dead letters is paused until it is released"
    )

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("bootstrap_servers")
    @classmethod
    def _servers_have_ports(cls, value: str) -> str:
        for server in value.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
                raise ValueError(f"{server.strip()!r} is not host:port; write for example kafka-1:9092,kafka-2:9092")
        return value

    @field_validator("topic_prefix", "instance")
    @classmethod
    def _is_a_kafka_name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,100}", value):
            raise ValueError(f"{value!r} may have letters, digits, - and _ only, at most 100")
        return value

    @field_validator("redis_prefix")
    @classmethod
    def _is_a_redis_prefix(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_.:{}-]{1,100}", value):
            raise ValueError(f"{value!r} must have 1 to 100 letters, digits and _ . : - {{ }} only")
        return value

    @field_validator("api_key")
    @classmethod
    def _api_key_is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        text = "" if value is None else value.get_secret_value()
        if value is not None and not (16 <= len(text) <= 200 and text.isascii() and text.isprintable()):
            raise ValueError("the key must have 16 to 200 plain letters; make one with: openssl rand -hex 32")
        return value

    @field_validator("id_key")
    @classmethod
    def _key_is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not 16 <= len(value.get_secret_value().encode()) <= 64:
            raise ValueError("the key must have 16 to 64 bytes; make one with: openssl rand -hex 32")
        return value

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if self.heartbeat_ms * 3 > self.session_timeout_ms:
            raise ValueError(
                f"{variable('heartbeat_ms')}={self.heartbeat_ms} is more than a third of "
                f"{variable('session_timeout_ms')}={self.session_timeout_ms}; lower it"
            )
        if self.security_protocol.startswith("SASL") and not (self.sasl_username and self.sasl_password):
            raise ValueError(
                f"{variable('security_protocol')}={self.security_protocol} needs {variable('sasl_username')} "
                f"and {variable('sasl_password')}"
            )
        if (self.ssl_certfile is None) != (self.ssl_keyfile is None):
            raise ValueError(
                f"{variable('ssl_certfile')} and {variable('ssl_keyfile')} are given together or not at all"
            )
        return self

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None, env_file: Path | None = None) -> Self:
        """Settings of the environment, over those of an env file, over the defaults. An empty value is none.

        Raises:
            UsageError: Every wrong value and every misspelt variable, each with its place.
        """
        found = read_env_file(env_file, PREFIX) if env_file else {}
        lines = {name: f"{env_file}:{line}" for name, (_, line) in found.items()}
        given = {name: value for name, (value, _) in found.items()}
        for name, value in (os.environ if environ is None else environ).items():
            if name.startswith(PREFIX):
                given[name] = value
                lines.pop(name, None)
        places = {name: f" ({lines[name]})" if name in lines else "" for name in given}
        known = {variable(name): name for name in cls.model_fields}
        problems = [
            f"{name}{places[name]} is no setting; {hint}"
            for name in sorted(given)
            if name not in known and (hint := _hint(name, known, in_file=bool(places[name])))
        ]
        values = {known[name]: value for name, value in given.items() if name in known and value.strip()}
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            problems += [_problem(dict(item), values, places) for item in error.errors(include_url=False)]
        if problems:
            raise UsageError(*problems)
        settings._sources = {name: lines.get(variable(name), "environment") for name in values}
        return settings

    def source(self, name: str) -> str:
        """Where the value of a setting comes from: `environment`, `FILE:LINE` of the env file, or `default`."""
        return self._sources.get(name, "default")

    def topic(self, name: str) -> str:
        """The topic's name on the broker."""
        return self.topic_prefix + name

    def app_id(self, stage: str) -> str:
        """Consumer group of a stage."""
        return f"{self.topic_prefix}leadstream-{stage}"

    def metrics_port_of(self, stage: str) -> int:
        """Port on which a worker of the stage serves its metrics; 0: none."""
        return _METRICS_PORTS[stage] if self.metrics_port is None else self.metrics_port

    def id_key_bytes(self) -> bytes:
        """Key of the e-mail hash.

        Raises:
            UsageError: There is none.
        """
        if self.id_key is None:
            raise UsageError(
                f"{variable('id_key')} is not set: leads that are known by e-mail get their names from it. "
                "Make one with: openssl rand -hex 32, and keep it for ever"
            )
        return self.id_key.get_secret_value().encode()


def _hint(name: str, known: Mapping[str, str], *, in_file: bool) -> str:
    """What to do about an unknown variable; empty where it may be somebody else's (Kubernetes sets such ones)."""
    near = close_name(name.removeprefix(PREFIX), [known_name.removeprefix(PREFIX) for known_name in known])
    if near:
        return f"did you mean {PREFIX}{near}?"
    return "`leadstream settings` lists them all" if in_file else ""


def _problem(item: dict[str, Any], values: Mapping[str, str], places: Mapping[str, str]) -> str:
    message = str(item["msg"]).removeprefix("Value error, ")
    if not item["loc"]:
        return message
    field = str(item["loc"][0])
    name = variable(field)
    secret = Settings.model_fields[field].annotation in (SecretStr, SecretStr | None)
    shown = "" if secret else f"={values[field]}"
    return f"{name}{shown}{places[name]}: {message[:1].lower()}{message[1:]}"
