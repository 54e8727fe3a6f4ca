"""Server-sent events of the feed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import redis.asyncio

from streams.view.feed import Feed
from streams.view.keys import Keys
from streams.view.reader import Fresh, NotWhole, ReadModel, RedisAway

__all__ = ["server_sent"]

_PAUSE_S = 1.0

_encode = msgspec.json.Encoder().encode


async def server_sent(
    model: ReadModel, client: redis.asyncio.Redis, keys: Keys, last_id: str | None, listeners: list[int]
) -> AsyncIterator[bytes]:
    """The events of one listener, until it goes away; a comment a second shows that the line is alive.

    Args:
        model: Tells the state of Redis.
        client: Connected to Redis.
        keys: Names of the keys.
        last_id: Of the last event that the listener saw.
        listeners: How many there are, counted here.
    """
    feed, told = Feed(model, client, keys, last_id), ""
    listeners[0] += 1
    try:
        while True:
            try:
                async for entry in feed.read():
                    if entry.type == "quiet":
                        yield b": quiet\n\n"
                    else:
                        name = f"id: {entry.id}\n" if entry.id else ""
                        yield f"{name}event: {entry.type}\ndata: ".encode() + entry.body + b"\n\n"
                fresh, why = model.fresh, None
            except (NotWhole, RedisAway) as error:
                fresh, why = error.fresh, str(error)
                await asyncio.sleep(_PAUSE_S)
            now = f"{fresh.stale} {why is None}"
            if now != told:
                told = now
                yield _state(fresh, why)
    finally:
        listeners[0] -= 1


def _state(fresh: Fresh, why: str | None) -> bytes:
    body = {"as_of": fresh.as_of, "stale": fresh.stale, "away": why}
    return b"event: state\ndata: " + _encode(body) + b"\n\n"
