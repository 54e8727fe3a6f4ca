"""Connections to Redis, and what to say when there is none."""

from __future__ import annotations

from typing import Any

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from streams.errors import UsageError
from streams.settings import Settings, variable

__all__ = ["async_client", "client", "place_of", "words"]

_TIMEOUT_S = 5.0


def client(settings: Settings) -> redis.Redis:
    """A client of the view: one connection, nothing is tried again behind its back.

    Raises:
        UsageError: The address cannot be read.
    """
    try:
        return redis.Redis.from_url(settings.redis_url.get_secret_value(), **_options(), retry=Retry(NoBackoff(), 0))
    except ValueError as error:
        raise _wrong_url(error) from error


def async_client(settings: Settings, timeout_s: float = 2.0, connections: int = 32) -> redis.asyncio.Redis:
    """A client for readers.

    Args:
        settings: Where Redis is.
        timeout_s: An answer takes so long at most.
        connections: At most so many at once; who comes then waits for one.

    Raises:
        UsageError: The address cannot be read.
    """
    timeouts = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}
    try:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.redis_url.get_secret_value(),
            **(_options() | timeouts | {"max_connections": connections, "timeout": timeout_s}),
        )
    except ValueError as error:
        raise _wrong_url(error) from error
    return redis.asyncio.Redis.from_pool(pool)


def place_of(settings: Settings) -> str:
    """Host, port and database, without user and password."""
    return settings.redis_url.get_secret_value().rpartition("@")[2].removeprefix("redis://").removeprefix("rediss://")


def words(settings: Settings, error: BaseException) -> str:
    """One line about an error of Redis: what, where, what to do."""
    where, text = place_of(settings), str(error).rstrip(". ") or type(error).__name__
    if isinstance(error, redis.AuthenticationError | redis.exceptions.NoPermissionError):
        return f"Redis at {where} refuses the user: {text}; see {variable('redis_url')} and {variable('redis_prefix')}"
    if isinstance(error, redis.exceptions.OutOfMemoryError) or "maxmemory" in text:
        return f"Redis at {where} is full: {text}; give it more memory"
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return f"Redis at {where} cannot be reached: {text}; start it, or set {variable('redis_url')}"
    return f"Redis at {where} refuses: {text}"


def _options() -> dict[str, Any]:
    return {"socket_timeout": _TIMEOUT_S, "socket_connect_timeout": _TIMEOUT_S, "client_name": "leadstream"}


def _wrong_url(error: ValueError) -> UsageError:
    return UsageError(
        f"{variable('redis_url')} cannot be read: {error}; write redis://USER:PASSWORD@HOST:PORT/DB, rediss://… for TLS"
    )
