"""Reading the read model, never half of it.

What is asked is looked up together with the state, in one MULTI: what is being filled is not taken for the whole.
Every answer says how fresh it is: `as_of`, the log time up to which everything is in it, and `stale`: null, or since
when nothing was heard of Kafka (by the clock on the wall).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import redis
import redis.asyncio
from redis.asyncio.client import Pipeline

from schemas.times import iso
from streams.view.cursor import Cursor, read_cursor, write_cursor
from streams.view.fresh import STALE_AFTER_MS, Fresh, NotWhole, RedisAway, State
from streams.view.keys import NOBODY, Keys

__all__ = ["Fresh", "Lead", "NotWhole", "Owner", "Page", "ReadModel", "RedisAway", "State"]

_FIELDS = ("state", "epoch", "as_of", "seen_at", "progress")
_PAGE = 500


class Lead(msgspec.Struct):
    """A lead: the records of `lead-scores` and `lead-assignments`; of an alias, the lead that it is."""

    lead_id: str
    merged_into: str | None
    score: msgspec.Raw | None
    assignment: msgspec.Raw | None


class Owner(msgspec.Struct):
    """An owner: leads, open clocks, those of them that are over their due time at `as_of`; null: nobody yet."""

    owner: str | None
    leads: int
    open: int
    overdue: int
    next_due_at: str | None


class Page(NamedTuple):
    """A part of a list, how long the list is, and where it goes on (None: it does not)."""

    leads: list[Lead]
    length: int
    cursor: str | None


class _Alias(msgspec.Struct):
    merged_into: str | None = None


_alias = msgspec.json.Decoder(_Alias).decode


class ReadModel:
    """Reads what a view writes.

    Args:
        client: Connected to Redis; answers are bytes.
        keys: Names of the keys.
        now_ms: The clock on the wall, to know whether what is read is stale.
    """

    def __init__(self, client: redis.asyncio.Redis, keys: Keys, now_ms: Callable[[], int]) -> None:
        self._redis, self._keys, self._now_ms = client, keys, now_ms
        self._last: tuple[int, int] = (0, now_ms())

    @property
    def fresh(self) -> Fresh:
        """How fresh the last thing is that was read."""
        as_of_ms, seen_ms = self._last
        stale = self._now_ms() - seen_ms > STALE_AFTER_MS
        return Fresh(iso(as_of_ms) if as_of_ms else None, iso(seen_ms) if stale else None)

    async def lead(self, lead_id: str) -> tuple[Fresh, Lead | None]:
        """One lead; None: nobody heard of it.

        Raises:
            NotWhole: Redis is being filled.
            RedisAway: Redis does not answer.
        """
        state, (found,) = await self.ask(lambda pipe: pipe.hmget(self._keys.lead(lead_id), ["score", "assignment"]))
        return state.fresh, _lead(lead_id, found)

    async def page(
        self, order: str, tier: str = "", owner: str | None = "", limit: int = 50, cursor: str | None = None
    ) -> tuple[Fresh, Page]:
        """Leads by due time (`due`: those whose clock runs or is breached) or by total (`total`: the highest first).

        Args:
            order: `due` or `total`.
            tier: Of these leads alone.
            owner: Of these leads alone; None: of those that wait for one.
            limit: At most so many.
            cursor: Where an earlier page ended.

        Raises:
            BadCursor: There was no such page.
            NotWhole: Redis is being filled.
            RedisAway: Redis does not answer.
        """
        key = self._keys.order(order, tier, NOBODY if owner is None else owner)
        start = 0 if cursor is None else await self._place(key, read_cursor(cursor), down=order == "total")
        first, (places, count) = await self.ask(
            lambda pipe: pipe.zrange(key, start, start + limit, desc=order == "total", withscores=True),
            lambda pipe: pipe.zcard(key),
        )
        names = [name.decode() for name, _ in places[:limit]]
        state, found = await self.ask(
            *[lambda pipe, name=name: pipe.hmget(self._keys.lead(name), ["score", "assignment"]) for name in names]
        )
        if state.epoch != first.epoch:
            raise NotWhole(state.fresh, "Redis was filled anew meanwhile")
        leads = [lead for name, parts in zip(names, found, strict=True) if (lead := _lead(name, parts)) is not None]
        more = len(places) > limit
        last = write_cursor((int(places[limit - 1][1]), names[-1])) if more else None
        # The older of the two: what it says holds for both.
        return first.fresh, Page(leads, count, last)

    async def owners(self) -> tuple[Fresh, list[Owner]]:
        """Everybody who has a lead, by name; those that wait for somebody come last.

        Raises:
            NotWhole: Redis is being filled.
            RedisAway: Redis does not answer.
        """
        state, (members,) = await self.ask(lambda pipe: pipe.smembers(self._keys.owners))
        names = [*sorted(member.decode() for member in members), NOBODY]
        counts = [count for name in names for count in self._counts(name, state.as_of_ms)]
        last, found = await self.ask(*counts)
        if last.epoch != state.epoch:
            raise NotWhole(last.fresh, "Redis was filled anew meanwhile")
        owners = []
        for place, name in enumerate(names):
            leads, open_, overdue, due = found[4 * place : 4 * place + 4]
            if leads or open_:
                due_at = iso(int(due[0][1])) if due else None
                owners.append(Owner(None if name == NOBODY else name, leads or open_, open_, overdue, due_at))
        return state.fresh, owners

    async def report(self) -> tuple[Fresh, msgspec.Raw]:
        """The report of sales.

        Raises:
            NotWhole: Redis is being filled, or log time is not known yet.
            RedisAway: Redis does not answer.
        """
        state, (found,) = await self.ask(lambda pipe: pipe.get(self._keys.report))
        if found is None:
            raise NotWhole(state.fresh, "there is no report before log time is known: score has told none yet")
        return state.fresh, msgspec.Raw(found)

    async def ask(self, *commands: Callable[[Pipeline], Any]) -> tuple[State, Sequence[Any]]:
        """What commands say, together with the state.

        Raises:
            NotWhole: Redis is being filled.
            RedisAway: Redis does not answer.
        """
        try:
            async with self._redis.pipeline() as pipe:
                pipe.hmget(self._keys.meta, list(_FIELDS))
                for command in commands:
                    command(pipe)
                meta, *found = await pipe.execute()
        except redis.RedisError as error:
            raise RedisAway(self.fresh, error) from error
        state, epoch, as_of, seen_at, progress = (None if value is None else value.decode() for value in meta)
        if as_of is not None and seen_at is not None:
            self._last = (int(as_of), int(seen_at))
        if state != "whole" or epoch is None:
            filling = f"Redis is being filled from Kafka: {progress} % of what Kafka holds are there"
            raise NotWhole(
                self.fresh,
                filling
                if progress
                else "nobody fills Redis: is a view worker running? Start one: `leadstream worker view`",
            )
        return State(self.fresh, epoch, self._last[0]), found

    async def _place(self, key: str, cursor: Cursor, *, down: bool) -> int:
        """Where the list goes on behind a cursor, also when its lead has moved or left meanwhile."""
        by, name = cursor
        _, (score, rank, before) = await self.ask(
            lambda pipe: pipe.zscore(key, name),
            lambda pipe: pipe.zrevrank(key, name) if down else pipe.zrank(key, name),
            lambda pipe: pipe.zcount(key, f"({by}", "+inf") if down else pipe.zcount(key, "-inf", f"({by}"),
        )
        if score is not None and int(score) == by:
            return int(rank) + 1
        start: int = int(before)
        raw = name.encode()
        while True:
            _, (some,) = await self.ask(
                lambda pipe, at=start: pipe.zrange(key, at, at + _PAGE - 1, desc=down, withscores=True)  # type: ignore[misc]
            )
            passed = sum(int(other) == by and (member > raw if down else member < raw) for member, other in some)
            start += passed
            if passed < _PAGE:
                return start

    def _counts(self, owner: str, as_of_ms: int) -> list[Callable[[Pipeline], Any]]:
        due, total = self._keys.order("due", "", owner), self._keys.order("total", "", owner)
        return [
            lambda pipe: pipe.zcard(total),
            lambda pipe: pipe.zcard(due),
            lambda pipe: pipe.zcount(due, "-inf", as_of_ms),
            lambda pipe: pipe.zrange(due, 0, 0, withscores=True),
        ]


def _lead(lead_id: str, parts: Sequence[bytes | None]) -> Lead | None:
    score, assignment = parts
    if score is None and assignment is None:
        return None
    merged_into = _alias(score).merged_into if score is not None else None
    return Lead(
        lead_id,
        merged_into,
        msgspec.Raw(score) if score is not None and merged_into is None else None,
        msgspec.Raw(assignment) if assignment is not None else None,
    )
