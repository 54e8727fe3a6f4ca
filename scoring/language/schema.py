"""The JSON Schema of the model file, from the same words and annotations as the reader's.

Editors complete and check with it while somebody types; `leadstream model check` knows more (names of other sections,
thresholds, what no event can match).
"""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from scoring.fields import EVENT_KINDS
from scoring.language.kinds import KINDS, Key, keys_of
from scoring.language.rules import AGE_KEYS, MAX_POINTS
from scoring.language.score import MAX_THRESHOLD
from scoring.language.values import (
    DURATION_PATTERN,
    MAX_TEXT,
    MODEL_NAME_PATTERN,
    NAME_PATTERN,
    RESERVED_NAMES,
)
from scoring.model import DIMENSIONS, MAX_KEEP, MAX_VERSION
from scoring.rules import RuleKind
from scoring.rules.base import Conditions, Duration, SignalNames, Times

__all__ = ["json_schema"]

Json = dict[str, Any]


def _ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


def _object(properties: Json, required: list[str] | None = None, **more: Any) -> Json:
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required
    return schema | more


def _named(values: Json, **more: Any) -> Json:
    """A mapping of the model's own names."""
    return {"type": "object", "propertyNames": _ref("name"), "additionalProperties": values} | more


def _one_or_more(item: Json) -> Json:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def _not_both(*keys: str) -> Json:
    return {"not": {"required": list(keys)}}


def json_schema() -> Json:
    """The schema, draft 2020-12."""
    properties = {
        "model": {"type": "string", "pattern": f"^{MODEL_NAME_PATTERN}$"},
        "version": {"type": "integer", "minimum": 1, "maximum": MAX_VERSION},
        "owner": _ref("text"),
        "review_every": _ref("duration"),
        "publish": {"anyOf": [_ref("text"), {"type": "array", "items": _ref("text"), "uniqueItems": True}]},
        "signals": _named(_ref("signal")),
        "rules": _object({dimension: _named(_ref("rule")) for dimension in DIMENSIONS}),
        "score": _object({dimension: _ref("bounds") for dimension in DIMENSIONS} | {"total": _ref("total")}),
        "tiers": _named(_ref("tier"), minProperties=1),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "leadstream scoring model",
        **_object(properties, ["model", "version", "rules", "tiers"]),
        "$defs": _definitions(),
    }


def _definitions() -> Json:
    threshold = {"type": "integer", "minimum": -MAX_THRESHOLD, "maximum": MAX_THRESHOLD}
    bounds = {"min": threshold, "max": threshold}
    scalar = {"type": ["string", "integer", "boolean"], "minLength": 1, "maxLength": MAX_TEXT}
    kinds = {f"rule_{kind.KIND}": _rule(kind) for kind in KINDS.values()}
    return {
        "name": {"type": "string", "pattern": f"^{NAME_PATTERN}$", "not": {"enum": sorted(RESERVED_NAMES)}},
        "text": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT},
        "duration": {"type": "string", "pattern": f"^{DURATION_PATTERN}$"},
        "signal_names": _one_or_more(_ref("name")),
        "conditions": {"type": "object", "additionalProperties": _one_or_more(scalar), "minProperties": 1},
        "bounds": _object(bounds),
        "total": _object({"of": _one_or_more({"enum": list(DIMENSIONS)}), **bounds}),
        "signal": _signal(),
        "rule": {"oneOf": [_ref(name) for name in kinds]},
        **kinds,
        "tier": _tier(threshold),
    }


def _signal() -> Json:
    properties = {
        "on": _one_or_more({"enum": list(EVENT_KINDS)}),
        "where": _ref("conditions"),
        "except": _ref("conditions"),
        "distinct": _ref("text"),
        "keep": {"type": "integer", "minimum": 1, "maximum": MAX_KEEP},
        "request": {"type": "boolean"},
    }
    return _object(properties, ["on"])


def _tier(threshold: Json) -> Json:
    numbers = ("at_least", "above", "leave_below", "fit_at_least", "engagement_at_least")
    properties = dict.fromkeys(numbers, threshold)
    properties |= {"requires_any": _one_or_more(_ref("name")), "stay_at_least": _ref("duration")}
    return _object(properties, **_not_both("at_least", "above"))


def _rule(kind: type[RuleKind]) -> Json:
    keys = keys_of(kind)
    points = {"type": "integer", "minimum": -MAX_POINTS, "maximum": MAX_POINTS, "not": {"const": 0}}
    properties: Json = {key.name: _key(key) for key in keys} | {"points": points, "group": _ref("name")}
    required = [key.name for key in keys if key.required] + ["points"]
    more = {"description": inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")}
    if not kind.AGES:
        return _object(properties, required, **more)
    properties |= dict.fromkeys(AGE_KEYS, _ref("duration"))
    return _object(properties, required, **_not_both("fade", "halve"), **more)


def _key(key: Key) -> Json:
    schema = _form(key)
    if key.default not in (dataclasses.MISSING, None):
        schema = schema | {"default": list(key.default) if isinstance(key.default, tuple) else key.default}
    return schema


def _form(key: Key) -> Json:
    if key.form is int:
        times = key.times or Times(1, MAX_KEEP)
        return {"type": "integer", "minimum": times.low, "maximum": times.high}
    if key.form == SignalNames and key.default == ():
        return {"anyOf": [_ref("name"), {"type": "array", "items": _ref("name")}]}
    if key.form == tuple[SignalNames, ...]:
        return {"type": "array", "items": _ref("signal_names"), "minItems": 2}
    return {
        SignalNames: _ref("signal_names"),
        Conditions: _ref("conditions"),
        Duration: _ref("duration"),
        bool: {"type": "boolean"},
    }[key.form]
