"""How large the row of a lead can become under a model, whatever the lead does.

A row keeps what the model names and no more: of each signal the `keep` latest occurrences, of each rule that remembers
one its latest match, of each profile field a value. So the model bounds the row, and one beyond the limit is refused.

>>> from scoring.shipped import shipped_model
>>> row_bound(shipped_model("b2b-default")) < MAX_ROW_BYTES // 2
True
"""

from __future__ import annotations

from scoring.model import Model, Signal
from scoring.row import MAX_PROFILE_TEXT
from scoring.rules import RuleKind

__all__ = ["MAX_ROW_BYTES", "occurrence_bytes", "row_bound"]

MAX_ROW_BYTES = 16 * 1024

# msgpack: a whole number, the head of a list or map of up to 65,535, the head of a text.
_NUMBER, _LIST, _TEXT = 9, 3, 5
_UTF8 = 4
_NAME = 64
_FRAME = 2 * _NUMBER + 4 * _LIST + 3 * _NUMBER + _TEXT + _NAME
"""Codec byte and due moment, the lists, the lead's time, since when, seq, and the tier's name."""


def row_bound(model: Model) -> int:
    """Bytes that a row can have at most."""
    signals = sum(occurrence_bytes(signal) for signal in model.signals)
    matches = 2 * _NUMBER * sum(type(rule.kind).matcher is not RuleKind.matcher for rule in model.rules)
    fields = {field for rule in model.rules for field in rule.kind.profile_fields()}.union(model.publish)
    profile = sum(
        _TEXT + len(field.encode()) + _LIST + _TEXT + _UTF8 * MAX_PROFILE_TEXT + 2 * _NUMBER for field in fields
    )
    return _FRAME + signals + matches + profile


def occurrence_bytes(signal: Signal) -> int:
    """Bytes of all occurrences that are kept of a signal, at most: its digest, their times, their keys."""
    return _NUMBER + 2 * (_LIST + _NUMBER * signal.keep)
