"""Signals, compiled: from a row of the log to the occurrences that it is.

Most events repeat what others said: the same page, the same form. So what a kind's signals look at is read once per
distinct combination of values, and after that found in a bounded cache.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, NamedTuple

from librt.strings import read_i64_be
from mypy_extensions import i64, mypyc_attr
from xxhash import xxh3_64_digest

from schemas.log import EVENT_ROWS, EventRow, LeadRow
from scoring.conditions import Condition
from scoring.evaluators import Evaluator
from scoring.matchers import Matcher
from scoring.matching import fits, host_and_path
from scoring.model import Signal

__all__ = [
    "SIGNAL_BYTES",
    "UNSEEN",
    "Fed",
    "Finder",
    "Found",
    "Keys",
    "Sighting",
    "compile_signals",
    "distinct_key",
    "key_of",
]

_CACHE_SIZE: Final = 50_000
_MADE_OF_URL = ("host", "path")
_FREE = "fields."
_WHOLE = ("profile", "sales_activity")

SIGNAL_BYTES: Final = 34
"""By which a row grows at most with a signal that the lead had not shown before."""

Reader = Callable[[EventRow], Any]


class Fed(NamedTuple):
    """The rules that some signals feed. Sets of rules are bits: rule 0 is the lowest.

    Attributes:
        looks: Rules that must be looked at, in the order of the file.
        matchers: How those among them that remember a match find it.
        postponed: Rules that need no look while they give nothing and wait for a moment: it only moves on.
        prevented: Rules that need no look while they give nothing.
    """

    looks: list[Evaluator]
    matchers: list[Matcher]
    postponed: int
    prevented: int


class Found:
    """What an event is to a model.

    Attributes:
        kind: Of the event.
        whole: Whether the kernel needs more of the event than what is found here.
        growth: Bytes by which the lead's row grows at most with its occurrences.
        any: Whether it is any signal at all.
        plain: Numbers of the signals whose key is the event itself.
        keyed: Numbers of those whose key is known already, with the key.
        distinct: Numbers of the others, each with the name of its field and how the field is read.
        requests: Numbers of those that ask for a person, `distinct` and `keyed` among them.
        looks, matchers, postponed, prevented: See `Fed`.
        spared: Rules that are postponed or prevented.
    """

    __slots__ = (
        "any",
        "distinct",
        "growth",
        "keyed",
        "kind",
        "looks",
        "matchers",
        "plain",
        "postponed",
        "prevented",
        "requests",
        "spared",
        "whole",
    )

    def __init__(
        self,
        kind: str,
        hits: list[tuple[int, Signal]],
        keyed: list[tuple[int, int]],
        distinct: list[tuple[int, str, Reader]],
        fed: Fed,
    ) -> None:
        self.kind, self.whole = kind, kind in _WHOLE
        self.growth = SIGNAL_BYTES * len(hits)
        self.any = bool(hits)
        self.plain = tuple(number for number, signal in hits if signal.distinct is None)
        self.keyed, self.distinct = tuple(keyed), tuple(distinct)
        self.requests = tuple(number for number, signal in hits if signal.request)
        self.looks, self.matchers, self.postponed, self.prevented = fed
        self.spared = fed.postponed | fed.prevented


UNSEEN = Found("", [], [], [], Fed([], [], 0, 0))
"""What a row of the log that is no event is to every model."""

Finder = Callable[[EventRow], Found]

Feeds = Callable[[tuple[int, ...]], Fed]
"""From numbers of signals to the rules that they feed."""

Keys = tuple[tuple[int, int], ...]
"""Numbers of signals, each with the key of the occurrence."""


@mypyc_attr(acyclic=True)
class Sighting:
    """What an event of a lead is to a model, read while the event is at hand. Of a batch of many, little is kept.

    Attributes:
        number: What the caller gives.
        received_at_ms, occurred_at_ms, event_id: Of the event.
        key: Of the occurrences that are the event itself.
        found: What it is.
        keys: The keys of its `keyed` and `distinct` signals.
        whole: The event itself, where more of it is needed.
    """

    __slots__ = ("event_id", "found", "key", "keys", "number", "occurred_at_ms", "received_at_ms", "whole")

    def __init__(
        self,
        number: i64,
        received_at_ms: i64,
        occurred_at_ms: i64,
        key: i64,
        found: Found,
        keys: Keys,
        event_id: str,
        whole: LeadRow | None,
    ) -> None:
        self.number, self.received_at_ms, self.occurred_at_ms, self.key = number, received_at_ms, occurred_at_ms, key
        self.found, self.keys, self.event_id, self.whole = found, keys, event_id, whole


def field_reader(field: str) -> Reader:
    """How a field of an event is read; None where the event does not have it."""
    if field in _MADE_OF_URL:
        place = _MADE_OF_URL.index(field)

        def read_url(row: Any) -> str | None:
            url = row.url
            return None if url is None else host_and_path(url)[place]

        return read_url
    if field.startswith(_FREE):
        name = field.removeprefix(_FREE)
        return lambda row: row.fields.get(name)  # type: ignore[attr-defined]
    if field == "source":
        return lambda row: row.source or None
    return attrgetter(field)


def compile_signals(signals: tuple[Signal, ...], feeds: Feeds) -> dict[type[EventRow], Finder]:
    """For each type of row, how its signals are found."""
    return {
        row_type: _compile_kind(
            [(number, signal) for number, signal in enumerate(signals) if kind in signal.on], kind, feeds
        )
        for kind, row_type in EVENT_ROWS.items()
    }


def _compile_kind(signals: list[tuple[int, Signal]], kind: str, feeds: Feeds) -> Finder:
    """The signals of one kind of event."""
    conditions = [condition for _, signal in signals for condition in (*signal.where, *signal.excepted)]
    fields = tuple(dict.fromkeys(condition.field for condition in conditions))
    inputs = tuple(dict.fromkeys("url" if field in _MADE_OF_URL else field for field in fields))
    if not inputs:
        constant = _found(signals, {}, kind, feeds)
        return lambda row: constant
    readers = {field: _reader_of(field, kind) for field in fields}
    read_inputs = _inputs_reader(inputs, kind)
    cache: dict[Any, Found] = {}

    def match(row: EventRow) -> Found:
        values = read_inputs(row)
        found = cache.get(values)
        if found is None:
            found = _found(signals, {field: read(row) for field, read in readers.items()}, kind, feeds)
            if len(cache) >= _CACHE_SIZE:
                cache.clear()
            cache[values] = found
        return found

    return match


def _inputs_reader(inputs: tuple[str, ...], kind: str) -> Reader:
    """What the cache is asked by. In free fields, flags and numbers are told apart: `True` and `1` are one key."""
    readers = [_reader_of(name, kind) for name in inputs]
    known = EVENT_ROWS[kind].__struct_fields__
    if all(name in known and name != "source" for name in inputs):
        return attrgetter(*inputs)
    return lambda row: tuple((value, value.__class__) for value in [read(row) for read in readers])


def _reader_of(field: str, kind: str) -> Reader:
    """The reader of a field, or one that finds nothing where the kind does not have the field."""
    known = EVENT_ROWS[kind].__struct_fields__
    base = "url" if field in _MADE_OF_URL else "fields" if field.startswith(_FREE) else field
    if base not in known:
        return lambda row: None
    return field_reader(field)


def _found(signals: list[tuple[int, Signal]], values: dict[str, Any], kind: str, feeds: Feeds) -> Found:
    """Which signals an event with these values is an occurrence of."""

    def hold(conditions: tuple[Condition, ...]) -> bool:
        return all(fits(condition.allowed, values[condition.field]) for condition in conditions)

    hits = [
        (number, signal)
        for number, signal in signals
        if hold(signal.where) and not (signal.excepted and hold(signal.excepted))
    ]
    keyed, distinct = [], []
    for number, signal in hits:
        field = signal.distinct
        if field is None:
            continue
        if values.get(field) is not None:
            keyed.append((number, distinct_key(field, values[field], 0)))
        else:
            distinct.append((number, field, _reader_of(field, kind)))
    return Found(kind, hits, keyed, distinct, feeds(tuple(number for number, _ in hits)))


def key_of(text: str) -> i64:
    """The key of an occurrence: the bits of the XXH3-64 of a text."""
    return read_i64_be(xxh3_64_digest(text.encode()), 0)


def distinct_key(field: str, value: Any, event_key: i64) -> i64:
    """The key of an occurrence that is told apart by a field: the event itself where the field is missing."""
    return event_key if value is None else key_of(f"{field}\0{value}")
