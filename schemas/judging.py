"""The slow and careful way: bytes to a JSON object, a JSON object to a contract, and words for what is wrong.

Every refusal of an input is worded here or in `schemas.naming`. Words name the field and the rule; a value is shown
only where it is a number's bound or a closed list.
"""

from __future__ import annotations

import json
import math
import re
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import Refused
from schemas.limits import MAX_DEPTH, MAX_DIGITS
from schemas.reasons import ReasonName

__all__ = ["load_object", "validate"]

T = TypeVar("T")

_BOM = b"\xef\xbb\xbf"
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))
_STEPS = bytes.maketrans(b"[{]}", bytes([1, 1, 255, 255]))
"""One down, or one up: 255 is -1 in a byte with a sign."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


class _HugeNumber:
    """Stands for a number of more digits than are read."""


def load_object(raw: bytes | None, max_bytes: int) -> dict[str, Any]:
    """The JSON object of a record's value or of a line.

    Args:
        raw: The bytes; None where the record has no value.
        max_bytes: What may be that large, brackets and blanks included.

    Raises:
        Refused: This is no JSON object, or has in it what no text or number may be.
    """
    value = _load(_text(raw, max_bytes))
    if not isinstance(value, dict):
        raise Refused("not_an_object", f"the JSON is {_type_name(value)}; send one object")
    _check_texts(value)
    return value


def _text(raw: bytes | None, max_bytes: int) -> str:
    if raw is None:
        raise Refused("null_value", "the record has no value; send an event, or nothing")
    if len(raw) > max_bytes:
        raise Refused("too_large", f"the value has {len(raw):,} bytes; at most {max_bytes:,} are taken")
    if not raw.strip():
        raise Refused("empty_body", "the value is empty or blank; send one JSON object")
    if raw.startswith(_BOM):
        raise Refused("byte_order_mark", "the value begins with a byte order mark; write UTF-8 without it")
    _check_depth(raw)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Refused("bad_utf8", f"the value is not UTF-8 at byte {error.start}") from None


def _check_depth(raw: bytes) -> None:
    """Refuses what is too deep before anything recursive reads it."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return
    steps = array("b", _STRING.sub(b"", raw).translate(_STEPS, _NO_BRACKETS))
    if max(accumulate(steps), default=0) > MAX_DEPTH:
        raise Refused("too_deep", f"objects and arrays lie more than {MAX_DEPTH} deep in one another")


def _load(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise Refused("bad_json", f"not JSON at character {error.pos}: {error.msg}") from None


def _no_number(name: str) -> NoReturn:
    raise Refused("not_finite", f"{name} is no number in JSON; leave the field out where there is none")


def _whole(digits: str) -> int | _HugeNumber:
    return int(digits) if len(digits) <= MAX_DIGITS else _HugeNumber()


def _check_texts(value: Any) -> None:
    """Refuses U+0000 and halves of surrogate pairs in any text, names of members included."""
    if isinstance(value, str):
        if "\0" in value:
            raise Refused("nul_character", "a text contains the character U+0000; take it out before sending")
        if _SURROGATE.search(value):
            raise Refused("lone_surrogate", "a text contains half a surrogate pair; cut text between characters only")
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_texts(name)
            _check_texts(member)
    elif isinstance(value, list):
        for member in value:
            _check_texts(member)


def validate(adapter: TypeAdapter[T], value: dict[str, Any]) -> T:
    """What the contract makes of a JSON object.

    Args:
        adapter: Of a union that is told apart by one member, or of one model.
        value: As `load_object` gives it.

    Raises:
        Refused: It is not what the contract says; of several mistakes the first is told.
    """
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False), value) from None


def _refusal(errors: Sequence[ErrorDetails], value: dict[str, Any]) -> Refused:
    first = errors[0]
    if first["type"].startswith("union_tag"):
        return _wrong_tag(first, value)
    # An alternative that expected another type says nothing about a value of the right one.
    path = _path(first["loc"], value)
    same = [error for error in errors if _path(error["loc"], value) == path]
    error = next((error for error in same if not error["type"].endswith("_type")), first)
    return _worded(error, _shown(path))


def _path(location: tuple[int | str, ...], value: dict[str, Any]) -> tuple[str, ...]:
    """The members that lead to a mistake, without the names of tags and types that pydantic puts in."""
    tagged = location[0] in (value.get("kind"), value.get("type"))
    path = tuple(map(str, location[1:] if tagged else location))
    return path[:2] if path[:1] == ("fields",) else path


def _shown(path: tuple[str, ...]) -> str:
    """How words call a place; a name that a producer made up is shown only if it looks like one."""
    if path[:1] == ("fields",) and len(path) > 1:
        return f"fields.{path[1]}" if _PLAIN_NAME.fullmatch(path[1]) else "a member of fields"
    return ".".join(path) or "the value"


def _wrong_tag(error: ErrorDetails, value: dict[str, Any]) -> Refused:
    tag_name = error["ctx"]["discriminator"].strip("'")
    tag = value.get(tag_name)
    if tag is None:
        return Refused("missing_field", f"{tag_name} is missing")
    if not isinstance(tag, str):
        return Refused("wrong_type", f"{tag_name} is {_type_name(tag)}, not a text")
    known = error["ctx"]["expected_tags"].replace("'", "")
    return Refused("unknown_kind", f"there is no such {tag_name}; known: {known}")


def _worded(error: ErrorDetails, place: str) -> Refused:
    kind, value, limits = error["type"], error["input"], error.get("ctx", {})
    if kind == "missing" or value is None:
        return Refused("missing_field", f"{place} is missing")
    if kind in _CUSTOM:
        return Refused(_CUSTOM[kind], f"{place}: {error['msg']}")
    if kind == "extra_forbidden":
        return Refused("unknown_field", f"{place} is not a field of this message; is one side older?")
    if kind.endswith("_type") or (kind == "literal_error" and not isinstance(value, str)):
        return _wrong_type(value, place)
    if kind in {"literal_error", "string_pattern_mismatch"}:
        expected = limits.get("expected") or f"of the form {limits['pattern']}"
        return Refused("unknown_value", f"{place} is not {str(expected).replace(chr(39), '')}")
    if kind == "string_too_short":
        return Refused("empty_text", f"{place} is empty; leave it out, or send one character at least")
    if kind == "string_too_long":
        at_most = limits["max_length"]
        return Refused("too_long", f"{place} has {len(value):,} characters; at most {at_most:,} are taken")
    if kind == "too_long":
        return Refused(
            "too_many_fields", f"{place} has {len(value):,} members; at most {limits['max_length']} are taken"
        )
    bound = f"at least {limits['ge']}" if "ge" in limits else f"at most {limits.get('le')}"
    return Refused("number_out_of_range", f"{place} must be {bound}")


_CUSTOM: dict[str, ReasonName] = {"bad_time": "bad_time", "time_without_zone": "time_without_zone"}


def _wrong_type(value: Any, place: str) -> Refused:
    if isinstance(value, _HugeNumber):
        return Refused("number_out_of_range", f"{place} has more than {MAX_DIGITS} digits; whole numbers have 64 bits")
    if isinstance(value, float):
        if not math.isfinite(value):
            return Refused("not_finite", f"{place} is a number too large to be one")
        return Refused("fractional_number", f"{place} has a fraction or an exponent; send a whole number, or text")
    return Refused("wrong_type", f"{place} is {_type_name(value)}, which does not belong there")


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, dict):
        return "an object"
    return "an array" if isinstance(value, list) else "a number"
