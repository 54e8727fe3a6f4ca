"""What a lead's row learns of an event, and of another row: occurrences of signals, and profile values."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64
from xxhash import xxh3_64_intdigest

from schemas.log import Profile
from scoring.compiled import CompiledModel
from scoring.evaluators import Evaluator
from scoring.evidence import added, end_of, index_of, is_later
from scoring.row import MAX_PROFILE_TEXT, Row
from scoring.signals import SIGNAL_BYTES, Sighting

__all__ = ["Learning", "profile_growth"]

_OCCURRENCE_BYTES: Final = 20
_PROFILE_BYTES: Final = 128
"""By which a row grows at most with a further occurrence, a profile value (its text comes on top)."""


def profile_growth(event: Profile) -> int:
    """Bytes by which a row grows at most with the values of a profile."""
    return sum(_value_growth(value) for value in event.fields.values())


def _value_growth(value: str | int | bool | None) -> int:
    return _PROFILE_BYTES + (4 * len(value[:MAX_PROFILE_TEXT]) if isinstance(value, str) else 0)


def _kept_value(value: str | int | bool | None) -> str | int | bool | None:
    """A profile value as a row keeps it: text that is empty without its blanks deletes, long text is cut."""
    if isinstance(value, str):
        return value[:MAX_PROFILE_TEXT] if value.strip() else None
    return value


class Learning:
    """Learns under one model.

    Attributes:
        grown: Bytes by which rows have grown with it, at most; whoever reads it sets it back.
    """

    def __init__(self, model: CompiledModel) -> None:
        self._model = model
        self._keep, self._digests = model.keep, model.signal_digests
        self.grown = 0

    def event(self, row: Row, sighting: Sighting) -> bool:
        """Takes an event in as the occurrences that it is; whether that changed anything."""
        time, learnt = sighting.occurred_at_ms, False
        for number in sighting.found.plain:
            if self._occurrence(row, number, time, sighting.key):
                learnt = True
        for number, key in sighting.keys:
            if self._occurrence(row, number, time, key):
                learnt = True
        return learnt

    def is_new_request(self, row: Row, sighting: Sighting) -> bool:
        """Whether the event will be learnt as an occurrence that asks for a person, and its key is not known."""
        keys, evidence = dict(sighting.keys), row.evidence
        for number in sighting.found.requests:
            key, place = keys.get(number, sighting.key), row.places[number]
            if place < 0:
                return True
            end = end_of(evidence, place)
            is_full = end - place >= 2 * self._keep[number]
            if index_of(evidence, place, end, key) < 0 and (
                not is_full or is_later(sighting.occurred_at_ms, key, evidence[place], evidence[place + 1])
            ):
                return True
        return False

    def profile(self, row: Row, event: Profile) -> list[Evaluator]:
        """Takes profile values that are newer than what is known; how the rules are looked at that look at them."""
        feeds = self._model.profile_feeds
        occurred_at = event.occurred_at_ms
        key = xxh3_64_intdigest(event.event_id.encode())
        looks: list[Evaluator] = []
        for field, value in event.fields.items():
            if field not in feeds:
                continue
            known = row.profile.get(field)
            if known is None or (occurred_at, key) > known[1:]:
                row.profile[field] = (_kept_value(value), occurred_at, key)
                self.grown += _value_growth(value)
                looks += feeds[field]
        return looks

    def all_of(self, row: Row, other: Row) -> None:
        """Takes in all that another row has learnt."""
        for number in range(len(other.places)):
            place = other.places[number]
            if place < 0:
                continue
            for at in range(place, end_of(other.evidence, place), 2):
                self._occurrence(row, number, other.evidence[at], other.evidence[at + 1])
        for rule, matcher in self._model.matchers.items():
            row.matches[rule] = max(row.matches[rule], other.matches[rule])
            row.matches[rule] = max(row.matches[rule], matcher.match(row))
        for field, value in other.profile.items():
            known = row.profile.get(field)
            if known is None or value[1:] > known[1:]:
                row.profile[field] = value
                self.grown += _value_growth(value[0])

    def _occurrence(self, row: Row, number: i64, time: i64, key: i64) -> bool:
        """Takes an occurrence of a signal in; whether that changed anything."""
        place = row.places[number]
        if place < 0:
            row.begin(number, self._digests[number], time, key)
            self.grown += SIGNAL_BYTES
            return True
        before: i64 = len(row.evidence)
        row.evidence, is_new = added(row.evidence, place, self._keep[number], time, key)
        if is_new:
            row.latest[number] = row.evidence[end_of(row.evidence, place) - 2]
        if len(row.evidence) > before:
            row.make_room_behind(place)
            self.grown += _OCCURRENCE_BYTES
        return is_new
