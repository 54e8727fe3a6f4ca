"""What a broker's answer to a fetch is worth: it was true when it left the broker, and may have been under way since.

aiokafka stamps an answer when it comes. Where a broker is far away, a record may have come there long before that, and
the answer does not say so. All that is certain is that it left after it was asked for.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from math import inf
from typing import Any

from streams.engine.stage import FetchState, TopicPartition

__all__ = ["Answers"]


class Answers:
    """When the last answer for each partition was asked for."""

    def __init__(self) -> None:
        self._asked: dict[TopicPartition, tuple[float, float]] = {}

    def watch(self, fetcher: Any) -> None:
        """From now on, for every fetch of aiokafka's fetcher."""
        fetcher._proc_fetch_request = partial(self._fetch, fetcher._proc_fetch_request)

    async def _fetch(self, fetch: Callable[..., Awaitable[bool]], assignment: Any, node: int, request: Any) -> bool:
        asked = _moment()
        places = [TopicPartition(topic, number) for topic, numbers in request.topics for number, *_ in numbers]
        states = [(place, found) for place in places if (found := assignment.state_value(place)) is not None]
        stamps = [found.timestamp for _, found in states]
        woke = await fetch(assignment, node, request)
        # An answer that is of no use any more is not stamped either.
        changed = (place for (place, found), stamp in zip(states, stamps, strict=True) if found.timestamp != stamp)
        self._asked.update(dict.fromkeys(changed, asked))
        return woke

    def of(self, place: TopicPartition, state: Any) -> FetchState:
        """What is known of a partition, given aiokafka's state of it."""
        asked = self._asked.get(place)
        wall_s, steady_s = _moment()
        answered_s = inf if state.timestamp is None else state.timestamp / 1000
        if asked is None or answered_s > wall_s:
            return FetchState(False, inf, inf)
        at_end = state.highwater is not None and state.position >= state.highwater
        # That the host slept, or that its clock was set, shows in one of the two.
        return FetchState(at_end, max(wall_s - asked[0], steady_s - asked[1]), wall_s - answered_s)


def _moment() -> tuple[float, float]:
    """Seconds by this host's clock, as aiokafka stamps its answers, and by the one that is never set."""
    return time.time(), time.monotonic()  # noqa: TID251
