"""What the scalars of a model mean, and whether a value of an event is what the model asks for.

A model comes as the plain dict that its YAML spells: text, whole numbers, `True`/`False`, lists and dicts. A range
such as `50..500` and a duration such as `7d` are text there.
"""

import re
from typing import Any
from urllib.parse import unquote

UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}

# Kinds of event whose contract has the flag `machine`; a producer that leaves it out says `false`.
KINDS_WITH_MACHINE = frozenset(
    {"email_open", "email_sent", "email_click", "email_reply", "unsubscribe", "resubscribe", "complaint"}
)


def duration_ms(text: str) -> int:
    """Milliseconds of `24h`, `7d`, `500ms`.

    >>> duration_ms("24h")
    86400000
    """
    found = re.fullmatch(r"(\d+)(ms|s|m|h|d|w)", text)
    if found is None:
        raise ValueError(f"{text!r} is no duration")
    return int(found[1]) * UNIT_MS[found[2]]


def number_in(value: Any) -> int | None:
    """The whole number that a value is or, being text of digits only, spells; else None.

    Blanks around the digits do not count, as nowhere in comparing text.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]+", value.strip()):
        return int(value.strip())
    return None


def is_asked_for(asked: Any, value: Any) -> bool:
    """Whether one value is what the model asks for: a flag, a number, a range, a text with `*`, or any of a list."""
    if value is None:
        return False
    if isinstance(asked, list):
        return any(is_asked_for(one, value) for one in asked)
    if isinstance(asked, bool):
        return isinstance(value, bool) and value == asked
    if isinstance(asked, int):
        return number_in(value) == asked
    span = re.fullmatch(r"(-?\d+)?\.\.(-?\d+)?", asked)
    if span is not None and (span[1] or span[2]):
        number = number_in(value)
        return (
            number is not None
            and (span[1] is None or int(span[1]) <= number)
            and (span[2] is None or number <= int(span[2]))
        )
    return isinstance(value, str) and text_fits(plain(asked), plain(value))


def plain(text: str) -> str:
    """Text as it is compared: without case and surrounding blanks."""
    return text.strip().casefold()


def text_fits(pattern: str, text: str) -> bool:
    """Whether `text` is `pattern`, where each `*` stands for anything, also nothing."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first):
        return False
    text = text[len(first) :]
    for part in middle:
        place = text.find(part)
        if place < 0:
            return False
        text = text[place + len(part) :]
    return text.endswith(last)


def host_and_path(url: str) -> tuple[str | None, str | None]:
    """The host and the path of an address, as the model sees them; None for what it does not have.

    >>> host_and_path("https://Shop.example:8443/Pricing/?a=1")
    ('shop.example', '/Pricing')
    >>> host_and_path("/pricing")
    (None, '/pricing')
    """
    address = url.strip().split("#")[0].split("?")[0]
    found = re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://([^/]*)(.*)", address, re.DOTALL)
    if found is not None:
        host = re.sub(r":\d*$", "", found[1].rpartition("@")[2]).lower()
        return host or None, plain_path(found[2] or "/")
    if address.startswith("/"):
        return None, plain_path(address)
    return None, None


def plain_path(path: str) -> str:
    """A path percent-decoded once, without one last `/` unless that is all there is."""
    decoded = unquote(path)
    return decoded[:-1] if len(decoded) > 1 and decoded.endswith("/") else decoded


def field_of(event: dict[str, Any], field: str) -> Any:
    """The value of a field as signals see it; None where the event does not have it."""
    if field in ("host", "path"):
        url = event.get("url")
        if not isinstance(url, str):
            return None
        host, path = host_and_path(url)
        return host if field == "host" else path
    if field.startswith("fields."):
        return (event.get("fields") or {}).get(field.removeprefix("fields."))
    value = event.get(field)
    if field == "machine" and value is None and event["kind"] in KINDS_WITH_MACHINE:
        return False
    return value
