"""People who go on behaving while the demo is watched: the same stories, told at the pace of a viewer."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from schemas.times import iso
from streams.demo.behaviour import STORIES, Event, Person

__all__ = ["Crowd"]


class Crowd:
    """A handful of people in the middle of their stories; whoever comes to an end is replaced by a new one."""

    def __init__(self, seed: int, first_number: int, size: int = 8) -> None:
        self._chance = Random(seed)
        self._number = first_number
        self._stories: list[Iterator[Event]] = [self._begin() for _ in range(size)]

    def _begin(self) -> Iterator[Event]:
        story, _, fit = self._chance.choices(STORIES, [weight for _, weight, _ in STORIES])[0]
        own = Random(self._chance.randrange(1 << 60))
        person = Person(f"lead-{self._number:04d}", own, 0, own.random() < fit)
        self._number += 1
        yield from person.profile()
        yield from story(person)

    def next_event(self, now_ms: int) -> dict[str, Any]:
        """What happens now, to one of them."""
        while True:
            place = self._chance.randrange(len(self._stories))
            told = next(self._stories[place], None)
            if told is not None:
                return told[1] | {"occurred_at": iso(now_ms)}
            self._stories[place] = self._begin()
