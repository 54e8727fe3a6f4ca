"""Digests of definitions: state that was made under one definition is never read under another.

XXH3-64 of a canonical text, as an unsigned number: the same definition gives the same digest in whatever order the
file lists kinds, fields and values. Names are no part of it, nor is what does not change which events count and when:
`keep` (how much is remembered) and `request` (a wish to the routing) of a signal, points, group and ageing of a rule.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import xxhash

from scoring.conditions import Allowed, Conditions, Pattern, Range
from scoring.model import Rule, Signal

__all__ = ["rule_digest", "signal_digest"]


def signal_digest(signal: Signal) -> int:
    """Digest of which events are occurrences of a signal, and which of them are the same one."""
    definition = {
        "on": sorted(set(signal.on)),
        "where": _canonical(signal.where),
        "except": _canonical(signal.excepted),
        "distinct": signal.distinct,
    }
    return _digest(definition)


def rule_digest(rule: Rule, signals: Mapping[str, Signal]) -> int:
    """Digest of when a rule is fulfilled: its kind, the digests of its signals, and its other keys.

    Args:
        rule: Of any kind; a row needs it for those that remember a match.
        signals: By name; their `digest` is already set.
    """
    kind: Any = rule.kind
    definition: dict[str, Any] = {"kind": kind.KIND}
    ordered = getattr(kind, "in_order", True)
    for field in dataclasses.fields(kind):
        definition[field.name] = _canonical_key(getattr(kind, field.name), signals, ordered=ordered)
    return _digest(definition)


def _canonical_key(value: Any, signals: Mapping[str, Signal], *, ordered: bool) -> Any:
    """One key of a kind: names of signals become their digests, the order of a union is forgotten."""
    if not isinstance(value, tuple) or not value:
        return value
    if isinstance(value[0], str):
        return sorted({signals[name].digest for name in value})
    if isinstance(value[0], tuple):
        members = [_canonical_key(member, signals, ordered=True) for member in value]
        return members if ordered else sorted(members)
    return _canonical(value)


def _canonical(conditions: Conditions) -> list[list[Any]]:
    return sorted([condition.field, sorted({_token(one) for one in condition.allowed})] for condition in conditions)


def _token(allowed: Allowed) -> str:
    if isinstance(allowed, Pattern):
        return f"text {allowed.text}"
    if isinstance(allowed, Range):
        return f"range {allowed.low}..{allowed.high}"
    return f"flag {allowed}" if isinstance(allowed, bool) else f"number {allowed}"


def _digest(definition: dict[str, Any]) -> int:
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return xxhash.xxh3_64_intdigest(text.encode())
