"""Seeded, believable B2B behaviour: thirty days of some hundred leads, and how their stories go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from schemas.times import iso
from streams.demo.person import DAY, Event, Person
from streams.demo.stories import STORIES, Story

__all__ = ["Behaviour", "Crowd", "behaviour"]

_STAGE_END_MS = 1_772_550_000_000
"""A Tuesday afternoon on which every story's thirty days end, before they are moved to the viewer's days.

Nights and weekends are those of the stories, so that the same seed has the same outcome whenever it is told.
"""

_ON_STAGE = 8


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What leads did, and what they were about to do.

    Attributes:
        past: (Milliseconds of `occurred_at`, event as it goes to its raw topic), in order of time.
        unfinished: For each lead whose story is not over, the rest of it, without times.
    """

    past: list[Event]
    unfinished: list[list[dict[str, Any]]]


def behaviour(seed: int, people: int, days: int, end_ms: int) -> Behaviour:
    """What `people` leads do in the `days` before a moment.

    Args:
        seed: The same seed gives the same stories, each as long before `end_ms`.
        people: How many leads.
        days: How long the past is.
        end_ms: Its end; nothing happens at or after this.
    """
    chance = Random(seed)
    span_ms = days * DAY
    stories = chance.choices(STORIES, [weight for _, weight, _ in STORIES], k=people)
    past: list[Event] = []
    unfinished = []
    for number, (story, _, fit) in enumerate(stories, 1):
        own = Random(chance.randrange(1 << 60))
        begin_ms = _STAGE_END_MS - span_ms + own.randrange(max(1, span_ms * 9 // 10))
        rest = []
        for at_ms, event in _told(story, fit, own, number, begin_ms):
            if at_ms < _STAGE_END_MS:
                moved_ms = at_ms - _STAGE_END_MS + end_ms
                past.append((moved_ms, event | {"occurred_at": iso(moved_ms)}))
            else:
                rest.append(event)
        if rest:
            unfinished.append(rest)
    past.sort(key=lambda event: event[0])
    return Behaviour(past, unfinished)


def _told(story: Story, fit: float, own: Random, number: int, begin_ms: int) -> Iterator[Event]:
    """A whole story, from what the CRM knows of its hero on."""
    person = Person(f"lead-{number:04d}", own, begin_ms, own.random() < fit)
    person.wait(0, 1)
    if own.random() < 0.85:
        yield from person.profile()
    yield from story(person)


class Crowd:
    """Those who act while somebody watches: the stories go on at the pace of a viewer, and new leads come.

    Args:
        seed: The same seed gives the same order.
        unfinished: The rest of the stories of the past.
        first_number: Of the first new lead.
    """

    def __init__(self, seed: int, unfinished: list[list[dict[str, Any]]], first_number: int) -> None:
        self._chance = Random(seed)
        self._unfinished = list(unfinished)
        self._chance.shuffle(self._unfinished)
        self._number = first_number
        self._on_stage = [self._next_story() for _ in range(_ON_STAGE)]

    def _next_story(self) -> Iterator[dict[str, Any]]:
        """A known lead as often as a new one, while there are any."""
        if self._unfinished and self._chance.random() < 0.5:
            return iter(self._unfinished.pop())
        story, _, fit = self._chance.choices(STORIES, [weight for _, weight, _ in STORIES])[0]
        own = Random(self._chance.randrange(1 << 60))
        self._number += 1
        return (event for _, event in _told(story, fit, own, self._number - 1, _STAGE_END_MS))

    def next_event(self, now_ms: int) -> dict[str, Any]:
        """What happens now, to one of them."""
        while True:
            place = self._chance.randrange(len(self._on_stage))
            event = next(self._on_stage[place], None)
            if event is not None:
                return event | {"occurred_at": iso(now_ms)}
            self._on_stage[place] = self._next_story()

    def next_pause_s(self, mean_s: float) -> float:
        """How long nothing happens: as irregular as people are."""
        return min(self._chance.expovariate(1 / mean_s), 4 * mean_s)
