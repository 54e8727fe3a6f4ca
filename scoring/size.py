"""How large the row of a lead can become under a model, whatever the lead does.

A row keeps what the model names and no more: of each signal the `keep` latest occurrences, of each rule that remembers
one its latest match, of each profile field a value. So the model bounds the row, and one beyond the limit is refused.

>>> from scoring.shipped import shipped_model
>>> row_bound(shipped_model("b2b-default")) < MAX_ROW_BYTES // 2
True
"""

from __future__ import annotations

from schemas.limits import MAX_ID
from scoring.identity import MAX_NAMES, MAX_NAMES_BYTES, MAX_OWNERS
from scoring.model import Model, Signal
from scoring.row import MAX_PROFILE_TEXT
from scoring.rules import RuleKind

__all__ = ["IDENTITY_BYTES", "MAX_ROW_BYTES", "occurrence_bytes", "row_bound"]

MAX_ROW_BYTES = 16 * 1024

_NUMBER = 9
"""A whole number in msgpack, where it is a large one: a time, a digest."""
_FLAT = 8
"""A number of the evidence."""
_UTF8 = 4
_TIER_NAME = 64
_HEAD = 9
"""Codec byte and due moment."""


def _list_head(items: int) -> int:
    """What msgpack writes before the items of a list; before those of a map too."""
    return 1 if items < 16 else 3


def _bytes(size: int) -> int:
    """So many bytes, with what msgpack writes before them."""
    return size + (2 if size < 256 else 3)


def _text(size: int) -> int:
    """A text of so many bytes, with what msgpack writes before it."""
    return size + (1 if size < 32 else 2 if size < 256 else 3)


IDENTITY_BYTES = (
    _list_head(6)
    + (_list_head(MAX_NAMES) + MAX_NAMES_BYTES + MAX_NAMES * (2 + _NUMBER))
    + (_text(_UTF8 * (MAX_ID + len("a:"))) + _NUMBER + _list_head(MAX_OWNERS) + MAX_OWNERS * _NUMBER + _NUMBER + 1)
)
"""Of other names of a lead, where an alias went, and all who claimed it; beside what the model bounds."""


def row_bound(model: Model) -> int:
    """Bytes that a row can have at most, without other names of the lead (`IDENTITY_BYTES`)."""
    signals = sum(occurrence_bytes(signal) for signal in model.signals)
    matches = sum(type(rule.kind).matcher is not RuleKind.matcher for rule in model.rules)
    fields = {field for rule in model.rules for field in rule.kind.profile_fields()}.union(model.publish)
    parts = (
        _HEAD + _list_head(8) + 1,  # no other names
        3 * _NUMBER + _text(_TIER_NAME),  # the lead's time, since when, seq; the tier
        _bytes(signals),
        _list_head(2 * matches) + 2 * _NUMBER * matches,
        _list_head(len(fields)) + sum(_field_bytes(field) for field in fields),
    )
    return sum(parts)


def occurrence_bytes(signal: Signal) -> int:
    """Bytes of all occurrences that are kept of a signal, at most: its digest, their times, their keys."""
    return _FLAT * (1 + 2 * signal.keep)


def _field_bytes(field: str) -> int:
    """A profile field: name, value, when, which event."""
    value = _text(_UTF8 * MAX_PROFILE_TEXT)
    return _text(len(field.encode())) + _list_head(3) + value + 2 * _NUMBER
