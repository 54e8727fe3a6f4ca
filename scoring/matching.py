"""Whether a value is what a condition allows, and the host and path of an address.

>>> fits((Pattern("/pricing*"),), "/Pricing/teams")
True
>>> host_and_path("https://Shop.example:8443/Pricing/?a=1")
('shop.example', '/Pricing')
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from scoring.conditions import Allowed, Conditions, Pattern, Range

__all__ = ["all_fit", "fits", "host_and_path", "text_fits"]

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/]*)(.*)", re.DOTALL)
_PORT = re.compile(r":\d*$")


def fits(allowed: tuple[Allowed, ...], value: Any) -> bool:
    """Whether a value is any of what is allowed; a missing value (None) never is."""
    return value is not None and any(_fits_one(one, value) for one in allowed)


def all_fit(conditions: Conditions, values: dict[str, Any]) -> bool:
    """Whether every condition holds for values by field."""
    return all(fits(condition.allowed, values.get(condition.field)) for condition in conditions)


def _fits_one(allowed: Allowed, value: Any) -> bool:
    if isinstance(allowed, Pattern):
        return isinstance(value, str) and text_fits(allowed.text, value.strip().casefold())
    if isinstance(allowed, bool):
        return value is allowed
    number = _number(value)
    if number is None:
        return False
    if isinstance(allowed, Range):
        return (allowed.low is None or allowed.low <= number) and (allowed.high is None or number <= allowed.high)
    return number == allowed


def _number(value: Any) -> int | None:
    """The whole number that a value is or, being text of digits only, spells."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    text = value.strip()
    return int(text) if text.isascii() and text.isdigit() else None


def text_fits(pattern: str, text: str) -> bool:
    """Whether folded text is a folded pattern, where each `*` stands for anything, also nothing; linear in both."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == first
    if not text.startswith(first):
        return False
    place = len(first)
    for part in rest[:-1]:
        found = text.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return len(text) - place >= len(rest[-1]) and text.endswith(rest[-1])


def host_and_path(url: str) -> tuple[str | None, str | None]:
    """Host (lower case, without port and user) and path of an address; None for what it does not have.

    The path is percent-decoded once, without query and fragment, without one last `/` unless it is the whole path.
    """
    address = url.strip().partition("#")[0].partition("?")[0]
    found = _ADDRESS.fullmatch(address)
    if found is not None:
        host = _PORT.sub("", found[1].rpartition("@")[2]).lower()
        return host or None, _plain_path(found[2] or "/")
    if address.startswith("/"):
        return None, _plain_path(address)
    return None, None


def _plain_path(path: str) -> str:
    decoded = unquote(path)
    return decoded[:-1] if len(decoded) > 1 and decoded.endswith("/") else decoded
