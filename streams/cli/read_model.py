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

__all__ = ["as_of_line", "read_model"]

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
        raise NotThereYet(f"{error}; try again, or start `leadstream worker view`") from error


def as_of_line(fresh: Fresh) -> str:
    """How fresh what is shown is, for people."""
    told = f"as of {fresh.as_of or 'no log time yet'}"
    return f"{told}; stale since {fresh.stale}: does the view worker run?" if fresh.stale else told
