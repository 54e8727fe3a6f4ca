"""Settings, as the engine takes them."""

from __future__ import annotations

import socket
import ssl

from streams.engine.config import EngineConfig, Security
from streams.errors import UsageError
from streams.settings import Settings, variable
from streams.topics_admin import MAX_ROUTES_BATCH_BYTES

__all__ = ["engine_config", "instance_name", "security"]


def engine_config(stage: str, settings: Settings) -> EngineConfig:
    """How the engine runs a stage.

    Raises:
        UsageError: A certificate or key cannot be read.
    """
    embedded = settings.broker_profile == "embedded"
    return EngineConfig(
        bootstrap=settings.bootstrap_servers,
        app_id=settings.app_id(stage),
        # Route is one. The embedded broker gives every topic as many; those beyond the first stay empty there.
        partitions=1 if stage == "route" and not embedded else settings.partitions,
        # The embedded broker has one worker per stage, and forgets its groups with itself.
        instance_id=None if embedded else instance_name(settings),
        security=security(settings),
        embedded=embedded,
        ask_for_time=settings.clock == "broker",
        # Of many clocks one is nearly always due: what comes due behind a request for time waits for the next one.
        ask_every_s=0.5 if stage == "route" else 1.0,
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_ms=settings.heartbeat_ms,
        # Who slept longer is no member of the group any more.
        sleep_limit_s=settings.session_timeout_ms / 1000,
        poll_records=settings.poll_records,
        fetch_max_bytes=settings.fetch_max_bytes,
        gather_ms=settings.gather_ms,
        max_batch_bytes=MAX_ROUTES_BATCH_BYTES - (1 << 20) if stage == "route" else 7 << 20,
        ready_timeout_s=settings.ready_timeout_ms / 1000,
        log_level=settings.log_level.upper(),
    )


def instance_name(settings: Settings) -> str:
    """Name of this worker within its stage: the setting, else the host's name, as Kafka takes it."""
    name = settings.instance or socket.gethostname()
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in name)


def security(settings: Settings) -> Security:
    """How the engine's clients prove who they are.

    Raises:
        UsageError: A certificate or key cannot be read.
    """
    password = settings.sasl_password
    return Security(
        protocol=settings.security_protocol,
        mechanism=settings.sasl_mechanism,
        username=settings.sasl_username,
        password=None if password is None else password.get_secret_value(),
        context=_context(settings) if settings.security_protocol.endswith("SSL") else None,
    )


def _context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
    except OSError as error:
        raise UsageError(f"{variable('ssl_cafile')}={settings.ssl_cafile} cannot be read: {error}") from error
    if settings.ssl_certfile is not None:
        try:
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile)
        except OSError as error:
            raise UsageError(
                f"{variable('ssl_certfile')}={settings.ssl_certfile} or {variable('ssl_keyfile')}="
                f"{settings.ssl_keyfile} cannot be read: {error}"
            ) from error
    return context
