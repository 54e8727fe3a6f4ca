"""The race's input: raw events of about 300 bytes, each lead's in order, the same for the same seed.

Half of the events touch a rule. Busy leads are busier than a real site's, so that tiers move both ways.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from schemas.times import iso

__all__ = ["DAY_MS", "PARTITIONS", "Raw", "Town", "partition_of", "turning"]

PARTITIONS = 4
DAY_MS = 86_400_000
SPAN_MS = 60 * DAY_MS

_KINDS = ("page_view", "email_open", "form_fill", "bounce", "profile")
_WEIGHTS = (50, 25, 10, 5, 10)
_PATHS = ("/", "/blog/a", "/blog/b", "/product", "/product/api", "/customers", "/careers", "/pricing", "/pricing/teams")
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
_SENIORITY = ("c_level", "vp", "director", "manager", "specialist", "assistant")


class Raw(NamedTuple):
    """One record: its number in the input, its lead, where it goes, and its JSON."""

    number: int
    lead: str
    partition: int
    value: bytes

    @property
    def event(self) -> str:
        """Its id."""
        return _event_id(self.number)


def partition_of(lead: str) -> int:
    """As librdkafka's `consistent` has it: leadstream's way, and no worse than any other."""
    return zlib.crc32(lead.encode()) % PARTITIONS


class Town(NamedTuple):
    """A number of leads and what they do.

    Attributes:
        leads: How many.
        events: How many of theirs are in `past()`.
        end_ms: When the past ends; it begins 60 days earlier.
        seed: Of chance.
    """

    leads: int
    events: int
    end_ms: int
    seed: int = 1

    def past(self) -> Iterator[Raw]:
        """A backlog, spread over 60 days; later events are later by at least 1 ms."""
        begin = self.end_ms - SPAN_MS
        return self._events(0, self.events, begin, SPAN_MS / max(self.events, 1))

    def live(self, count: int, each_ms: float) -> Iterator[Raw]:
        """What comes after the past, at a steady rate of event time."""
        return self._events(self.events, count, self.end_ms, each_ms)

    def filling(self) -> Iterator[Raw]:
        """Two events of every lead, then `probe` leads, all cold, and at last the `filled`: warm."""
        each_ms = SPAN_MS / (2 * self.leads)
        for number in range(2 * self.leads):
            lead = f"lead-{number // 2:07d}"
            kind, fields = ("form_fill", _form()) if number % 2 else ("page_view", _visit(lead))
            yield _raw(number, kind, lead, iso(self.end_ms - SPAN_MS + int(number * each_ms)), fields)
        yield from turning("probe", 2 * self.leads, self.end_ms, part=slice(2))
        yield from turning("filled", 2 * self.leads + 2 * PARTITIONS, self.end_ms)

    def _events(self, first: int, count: int, begin_ms: int, each_ms: float) -> Iterator[Raw]:
        chance = random.Random(f"{self.seed}-{first}")
        kinds = chance.choices(_KINDS, _WEIGHTS, k=count)
        for number, kind in enumerate(kinds, first):
            lead = f"lead-{int(self.leads * chance.random() ** 2):07d}"
            at = iso(begin_ms + int((number - first) * each_ms))
            yield _raw(number, kind, lead, at, _fields(kind, lead, number, chance))


def turning(name: str, first: int, at_ms: int, *, part: slice = slice(None)) -> Iterator[Raw]:
    """For each partition, one lead that turns warm by the last of its three events, if the others are remembered.

    Args:
        name: What their names begin with.
        first: Number of the first event.
        at_ms: Time of the first event.
        part: Which of the three events.
    """
    number = first
    for partition in range(PARTITIONS):
        lead = next(found for tail in range(1000) if partition_of(found := f"{name}-{tail}") == partition)
        steps = [("page_view", _visit(lead)), ("form_fill", _form()), ("profile", _profile("vp"))]
        for kind, fields in steps[part]:
            yield _raw(number, kind, lead, iso(at_ms + number - first), fields)
            number += 1


def _event_id(number: int) -> str:
    return f"{number:08x}-5b1e-4c3a-9f60-a1b2c3d4e5f6"


def _raw(number: int, kind: str, lead: str, at: str, fields: str) -> Raw:
    text = (
        f'{{"event_id":"{_event_id(number)}","kind":"{kind}","occurred_at":"{at}",'
        f'"source":"race","lead":{{"lead_id":"{lead}"}},{fields}}}'
    )
    return Raw(number, lead, partition_of(lead), text.encode())


def _fields(kind: str, lead: str, number: int, chance: random.Random) -> str:
    match kind:
        case "page_view":
            url = f"https://www.acme.example{chance.choice(_PATHS)}?utm={number % 50}"
            session = f"s-{lead}-{chance.randrange(4)}"
            return f'"url":"{url}","session_id":"{session}","user_agent":"{_AGENT}","dwell_ms":{number % 90_000}'
        case "email_open":
            machine = "true" if chance.random() < 0.3 else "false"
            mail = f'"message_id":"m-{lead}-{chance.randrange(6)}","campaign_id":"autumn"'
            return f'{mail},"user_agent":"{_AGENT}","machine":{machine}'
        case "form_fill":
            return _form()
        case "bounce":
            hard = chance.choice(("hard", "soft"))
            return f'"message_id":"m-{lead}-{number}","bounce_type":"{hard}","reason":"550 5.1.1 mailbox unavailable"'
    return _profile(chance.choice(_SENIORITY))


def _visit(lead: str) -> str:
    return f'"url":"https://www.acme.example/pricing","session_id":"s-{lead}","user_agent":"{_AGENT}"'


def _form() -> str:
    return '"form_id":"f1","form_type":"contact","fields":{"topic":"price","team":"sales","seats":25}'


def _profile(seniority: str) -> str:
    company = '"company":"Orchard Works","company_size":120,"industry":"saas","country":"DE"'
    return f'"fields":{{"seniority":"{seniority}",{company}}}'
