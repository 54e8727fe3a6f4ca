"""What commands share that look into Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from streams.clock import now_ms
from streams.errors import NotThereYet, ServerUnreachable
from streams.settings import Settings
from streams.view.keys import Keys
from streams.view.link import async_client, words
from streams.view.reader import Fresh, NotWhole, ReadModel, RedisAway

__all__ = ["as_of_line", "moment", "read_model"]

R = TypeVar("R")


def read_model(settings: Settings, look: Callable[[ReadModel], Awaitable[R]]) -> R:
    """Looks into Redis.

    Raises:
        ServerUnreachable: It does not answer, or refuses.
        NotThereYet: It is being filled.
    """

    async def run() -> R:
        client = async_client(settings, timeout_s=5.0)
        try:
            return await look(ReadModel(client, Keys(settings.redis_prefix), now_ms))
        finally:
            await client.aclose()

    try:
        return asyncio.run(run())
    except RedisAway as error:
        raise ServerUnreachable(words(settings, error.error)) from error
    except NotWhole as error:
        told = str(error)
        raise NotThereYet(told if told.endswith("`") else f"{told}; try again") from error


def as_of_line(fresh: Fresh) -> str:
    """How fresh what is shown is, for people."""
    told = f"as of {moment(fresh.as_of)}" if fresh.as_of else "as of no log time yet"
    return f"{told}; stale since {moment(fresh.stale)}: does the view worker run?" if fresh.stale else told


def moment(text: str) -> str:
    """A time of a contract, for people.

    >>> moment("2026-11-26T11:23:38.356Z")
    '2026-11-26 11:23:38 UTC'
    """
    return f"{text[:10]} {text[11:19]} UTC"
