"""The feed: tier changes and SLA events as they come, resumed behind the last one that a reader saw.

An id is the filling of Redis and the place in it, `9f0c…:1795676621610-0`. Where something between may be missing
(Redis was filled anew, or the reader was away for too long) the reader is told so, and has to look at the lists again.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import redis

from streams.view.keys import Keys
from streams.view.reader import ReadModel, RedisAway

__all__ = ["FEED_ID", "Feed", "Told"]

FEED_ID = re.compile(r"([0-9a-f]{32}):([0-9]{1,15}-[0-9]{1,10})")

_WAIT_MS = 1_000
_COUNT = 100


class Told(NamedTuple):
    """An entry of the feed; `reset` in place of what may be missing; `quiet`: nothing came for a moment."""

    id: str | None
    type: str
    body: bytes


class Feed:
    """Reads the feed for one reader.

    Args:
        model: Tells the state of Redis.
        client: Connected to Redis, for one long wait after the other.
        keys: Names of the keys.
        last_id: The id of the last entry that the reader saw; None: it begins with the next one, and so it does, behind
            a `reset`, where this is no such id.
    """

    def __init__(self, model: ReadModel, client: redis.asyncio.Redis, keys: Keys, last_id: str | None) -> None:
        self._model, self._redis, self._keys = model, client, keys
        seen = FEED_ID.fullmatch(last_id or "")
        self._epoch: str | None = seen[1] if seen else None
        self._after: str | None = seen[2] if seen else None
        self._unknown = bool(last_id) and seen is None

    async def read(self) -> AsyncIterator[Told]:
        """What is there or comes within a second; one `quiet` if nothing does.

        Raises:
            NotWhole: Redis is being filled.
            RedisAway: Redis does not answer.
        """
        end, whole = await self._look()
        if not whole:
            yield Told(None, "reset", b'{"because":"some tier changes or SLA events before this may be missing here"}')
        if self._after is None:
            self._after = end
        entries = await self._entries(self._after)
        if entries and (await self._model.ask())[0].epoch != self._epoch:
            entries = []  # of another filling, which came while this waited: the next look says so
        for place, kind, body in entries:
            self._after = place
            yield Told(f"{self._epoch}:{place}", kind, body)
        if not entries:
            yield Told(None, "quiet", b"")

    async def _look(self) -> tuple[str, bool]:
        """Where the feed ends, and whether what is behind the last one seen is all there."""
        after = self._after or "0-1"
        state, (last, first, known) = await self._model.ask(
            lambda pipe: pipe.xrevrange(self._keys.feed, count=1),
            lambda pipe: pipe.xrange(self._keys.feed, count=1),
            lambda pipe: pipe.xrange(self._keys.feed, after, after),
        )
        end = last[0][0].decode() if last else "0-0"
        whole, self._unknown = not self._unknown, False
        if self._epoch not in (None, state.epoch):
            # What this filling of Redis told anew is no news; what came in between cannot be told apart.
            whole, self._after = False, end
        elif self._after is not None and not known and first and _number(first[0][0].decode()) > _number(after):
            whole = after == "0-0"
        self._epoch = state.epoch
        return end, whole

    async def _entries(self, after: str) -> list[tuple[str, str, bytes]]:
        try:
            found: Any = await self._redis.xread({self._keys.feed: after}, count=_COUNT, block=_WAIT_MS)
        except redis.RedisError as error:
            raise RedisAway(self._model.fresh, error) from error
        batches = found.values() if isinstance(found, dict) else [entries for _, entries in found or ()]
        # The third version of Redis's protocol has one more list around the entries.
        entries = [
            entry for batch in batches for entry in (batch[0] if batch and isinstance(batch[0], list) else batch)
        ]
        return [(name.decode(), fields[b"type"].decode(), fields[b"body"]) for name, fields in entries]


def _number(text: str) -> tuple[int, int]:
    ms, _, number = text.partition("-")
    return int(ms), int(number)
