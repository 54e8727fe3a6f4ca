"""One node to one value: text, whole numbers, durations, names, conditions.

Each reader returns the value, or None after it has noted what is wrong; for what was reported already (`Broken`) it
returns None and says nothing.
"""

from __future__ import annotations

import re

from scoring.conditions import Allowed, Condition, Conditions, Pattern, Range
from scoring.language.nodes import Broken, Mapping, Node, Scalar, Sequence
from scoring.language.problems import Problems, quoted
from scoring.rules.base import Duration

__all__ = [
    "DURATION_PATTERN",
    "MAX_DURATION_MS",
    "MAX_TEXT",
    "MODEL_NAME_PATTERN",
    "NAME_PATTERN",
    "RANGE_PATTERN",
    "RESERVED_NAMES",
    "described",
    "read_bool",
    "read_conditions",
    "read_duration",
    "read_int",
    "read_list",
    "read_model_name",
    "read_name",
    "read_text",
    "shown_duration",
]

NAME_PATTERN = r"[a-z][a-z0-9_]{0,63}"
MODEL_NAME_PATTERN = r"[a-z][a-z0-9_-]{0,63}"
DURATION_PATTERN = r"[0-9]{1,12}(ms|s|m|h|d|w)"
RANGE_PATTERN = r"(-?[0-9]{1,18})?\.\.(-?[0-9]{1,18})?"

RESERVED_NAMES = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Words that other YAML readers take for something else than text; as names they would ask for trouble."""

_NAME = re.compile(NAME_PATTERN)
_MODEL_NAME = re.compile(MODEL_NAME_PATTERN)
_DURATION = re.compile(r"([0-9]{1,12})(ms|s|m|h|d|w)")
_RANGE = re.compile(RANGE_PATTERN)
_UNIT_MS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}

MAX_DURATION_MS = 400 * _UNIT_MS["d"]
MAX_TEXT = 1_000
"""Characters of a text in the file."""


def described(node: Node) -> str:
    """What stands there, for messages."""
    if isinstance(node, Scalar):
        return quoted(node.text) if node.text else "empty"
    return {Sequence: "a list", Mapping: "a mapping"}.get(type(node), "unreadable")


def shown_duration(ms: int) -> str:
    """Milliseconds as the model file writes them, in the largest unit that has no remainder.

    >>> shown_duration(86_400_000), shown_duration(1_500), shown_duration(0)
    ('1d', '1500ms', '0ms')
    """
    # Weeks are left out: people say 14 days.
    for unit, size in list(_UNIT_MS.items())[1:]:
        if ms and ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms"


def read_text(node: Node, what: str, problems: Problems) -> str | None:
    """Text that is not blank."""
    if isinstance(node, Broken):
        return None
    if isinstance(node, Scalar) and node.text.strip() and len(node.text) <= MAX_TEXT:
        return node.text.strip()
    problems.add(node.place, f"{what} is {described(node)}", f"write a text of 1 to {MAX_TEXT} characters")
    return None


def read_name(node: Node, what: str, problems: Problems) -> str | None:
    """A name of the model's own, `[a-z][a-z0-9_]{0,63}`."""
    if isinstance(node, Broken):
        return None
    if isinstance(node, Scalar) and _NAME.fullmatch(node.text):
        if node.text not in RESERVED_NAMES:
            return node.text
        problems.add(
            node.place, f"{node.text} is no name for {what}", "YAML has another meaning for it: choose another"
        )
        return None
    remedy = "a name has 1 to 64 of a-z, 0-9 and _, and begins with a letter"
    problems.add(node.place, f"{described(node)} is no name for {what}", remedy)
    return None


def read_model_name(node: Node, problems: Problems, kind: str = "model") -> str | None:
    """The name of a model or a policy: as other names, and with `-`, because it is also the name of a file."""
    if isinstance(node, Broken):
        return None
    if isinstance(node, Scalar) and _MODEL_NAME.fullmatch(node.text):
        return node.text
    remedy = "write 1 to 64 of a-z, 0-9, _ and -, beginning with a letter, such as b2b-default"
    problems.add(node.place, f"{kind} is {described(node)}", remedy)
    return None


def read_bool(node: Node, what: str, problems: Problems) -> bool | None:
    """`true` or `false`."""
    if isinstance(node, Broken):
        return None
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    problems.add(node.place, f"{what} is {described(node)}", "write true or false, without quotes")
    return None


def read_int(node: Node, what: str, low: int, high: int, problems: Problems) -> int | None:
    """A whole number from `low` to `high`."""
    if isinstance(node, Broken):
        return None
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    remedy = f"write a whole number from {low} to {high}"
    if isinstance(value, str) and value.isdecimal():
        problems.add(node.place, f"{what} is the text {quoted(value)}", f"{remedy}, without quotes and leading zeros")
    else:
        problems.add(node.place, f"{what} is {described(node)}", remedy)
    return None


def read_duration(node: Node, what: str, problems: Problems) -> Duration | None:
    """A duration such as `24h`, in milliseconds."""
    if isinstance(node, Broken):
        return None
    found = _DURATION.fullmatch(node.text) if isinstance(node, Scalar) else None
    if found is None:
        remedy = "write a whole number and a unit of ms, s, m, h, d, w, such as 24h or 7d"
        problems.add(node.place, f"{what} is {described(node)}", remedy)
        return None
    ms = int(found[1]) * _UNIT_MS[found[2]]
    if 1 <= ms <= MAX_DURATION_MS:
        return Duration(ms)
    problems.add(node.place, f"{what} is {described(node)}", "write 1ms to 400d")
    return None


def read_list(node: Node, what: str, problems: Problems, *, empty: bool = False) -> tuple[Node, ...] | None:
    """The items of a list; one value alone is a list of one."""
    if isinstance(node, Scalar):
        return (node,)
    if isinstance(node, Sequence) and (node.items or empty):
        return node.items
    if not isinstance(node, Broken):
        problems.add(node.place, f"{what} is {_shape(node)}", "write one value or a list such as [a, b]")
    return None


def _shape(node: Node) -> str:
    return "an empty list" if isinstance(node, Sequence) else described(node)


def read_conditions(node: Node, what: str, problems: Problems) -> Conditions | None:
    """Fields and what they may be: `where`, `except` and the matter of `profile`."""
    if isinstance(node, Broken):
        return None
    if not isinstance(node, Mapping) or not node.entries:
        shape = "an empty mapping" if isinstance(node, Mapping) else described(node)
        problems.add(node.place, f"{what} is {shape}", "write {FIELD: VALUE} or {FIELD: [VALUE, VALUE]}")
        return None
    conditions = []
    for name, entry in node.entries.items():
        field = f"{quoted(name)} in {what}"
        items = read_list(entry.value, field, problems)
        allowed = [_allowed(item, field, problems) for item in items or ()]
        if items is not None and None not in allowed:
            conditions.append(Condition(name, tuple(one for one in allowed if one is not None)))
    return tuple(conditions) if len(conditions) == len(node.entries) else None


def _allowed(node: Node, what: str, problems: Problems) -> Allowed | None:
    if isinstance(node, Broken):
        return None
    if not isinstance(node, Scalar):
        problems.add(
            node.place, f"{what} is {described(node)}", "a value is text, a whole number, true, false or a range"
        )
        return None
    if not isinstance(node.value, str):
        return node.value
    span = _RANGE.fullmatch(node.text)
    if span is None:
        return _pattern(node, what, problems)
    low, high = (None if end is None else int(end) for end in span.groups())
    if low is None and high is None:
        problems.add(node.place, f"{what} is the range .. without ends", "write 50.., ..500 or 50..500")
        return None
    if low is not None and high is not None and low > high:
        problems.add(node.place, f"{what} is the empty range {node.text}", f"write {high}..{low}")
        return None
    return Range(low, high)


def _pattern(node: Scalar, what: str, problems: Problems) -> Pattern | None:
    if not node.text.strip() or len(node.text) > MAX_TEXT:
        problems.add(node.place, f"{what} is {described(node)}", f"write a text of 1 to {MAX_TEXT} characters")
        return None
    return Pattern(node.text.strip().casefold())
