"""Which fields events have, and what can stand in them, as the contracts say (`schemas`).

A signal may ask for the fields of the event contract, for `fields.NAME` of what carries free fields, and, for anything
with a `url`, for the `host` and `path` that are made of it.
"""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from functools import cache
from typing import Any

from schemas.events import EVENTS
from schemas.log import EVENT_ROWS, EventRow

__all__ = ["EVENT_KINDS", "FREE_FIELDS", "FieldForm", "field_form", "field_names", "has_free_fields"]

EVENT_KINDS: tuple[str, ...] = tuple(EVENT_ROWS)

FREE_FIELDS = "fields"
"""The field that holds free ones; a signal asks for them as `fields.NAME`."""

_NOT_ASKED_FOR = frozenset({"lead_id", "received_at_ms", "occurred_at_ms", FREE_FIELDS})


@dataclass(frozen=True, slots=True)
class FieldForm:
    """What can stand in a field.

    Attributes:
        types: Some of `str`, `int`, `bool`.
        closed: The only texts that there are, or None.
        begins: What every text begins with.
    """

    types: frozenset[type]
    closed: tuple[str, ...] | None = None
    begins: str = ""


_TEXT = FieldForm(frozenset({str}))
_MADE_OF_URL = {"host": _TEXT, "path": FieldForm(frozenset({str}), begins="/")}
_FREE = FieldForm(frozenset({str, int, bool}))


def has_free_fields(kind: str) -> bool:
    """Whether `fields.NAME` may be asked of a kind."""
    return FREE_FIELDS in _annotations(kind)


def field_names(kind: str) -> tuple[str, ...]:
    """The fields of a kind that a signal may ask for, without the free ones."""
    return tuple(_forms(kind))


def field_form(kind: str, field: str) -> FieldForm | None:
    """What can stand in a field of a kind; None if the kind does not have it.

    >>> field_form("bounce", "bounce_type").closed
    ('hard', 'soft', 'blocked')
    >>> field_form("bounce", "path") is None
    True
    """
    prefix, dot, name = field.partition(".")
    if dot:
        return _FREE if prefix == FREE_FIELDS and name and has_free_fields(kind) else None
    return _forms(kind).get(field)


@cache
def _annotations(kind: str) -> dict[str, Any]:
    row: type[EventRow] = EVENT_ROWS[kind]
    hints = typing.get_type_hints(row)
    return {name: hints[name] for name in row.__struct_fields__}


@cache
def _forms(kind: str) -> dict[str, FieldForm]:
    forms = {}
    for name, hint in _annotations(kind).items():
        if name not in _NOT_ASKED_FOR:
            forms[name] = FieldForm(frozenset(_plain_types(hint)), _closed(kind, name))
    if "url" in forms:
        forms |= _MADE_OF_URL
    return forms


def _plain_types(hint: Any) -> list[type]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return [option for option in typing.get_args(hint) if option is not type(None)]
    return [hint]


def _closed(kind: str, name: str) -> tuple[str, ...] | None:
    """The only texts that the contract lets into a field."""
    hint = EVENTS[kind].model_fields[name].annotation
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else None
