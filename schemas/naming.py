"""How an event's lead is named, and where its rows go.

The strongest name counts: `lead_id`, else `e:` + keyed hash of the address, else `a:` + anonymous id. No address ever
leaves ingest.

>>> lead_name("crm-17", "ann@example.com", None, b"key")
'crm-17'
>>> lead_name(None, " Ann@Example.com", None, b"key") == lead_name(None, "ann@example.com", "browser-1", b"key")
True
>>> lead_name(None, None, "browser-1", b"key")
'a:browser-1'
>>> partition_of("crm-17", 8)
0
"""

from __future__ import annotations

import re
import zlib
from hashlib import blake2b

from schemas.errors import Refused
from schemas.limits import MAX_EMAIL

__all__ = ["HOUR_MS", "RESERVED_PREFIXES", "check_email", "is_weaker", "lead_name", "partition_of"]

RESERVED_PREFIXES = ("a:", "e:")
"""What names of unknown visitors and of addresses begin with; a given `lead_id` must not."""

HOUR_MS = 3_600_000
"""Links say since when to the hour: a visitor who goes on for days is one link an hour, not one an event."""

_EMAIL = re.compile(r"\s*[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+\s*")
_HASH_BYTES = 16
_LONGEST_KEY = 64

_CACHE_SIZE = 100_000
_names_by_key: dict[bytes, dict[str, str]] = {}


def lead_name(lead_id: str | None, email: str | None, anonymous_id: str | None, key: bytes) -> str:
    """The name of the lead that an event is about.

    Args:
        lead_id: The producer's own id.
        email: An address; hashed after trimming and lower-casing, checked even where `lead_id` names the lead.
        anonymous_id: A visitor's id.
        key: Key of the hash, not empty.

    Raises:
        Refused: `no_lead_name`, `reserved_lead_id` or `bad_email`.
    """
    if email is not None:
        hashed = _hashed(email, key) if lead_id is None else check_email(email)
    if lead_id is not None:
        if lead_id.startswith(RESERVED_PREFIXES):
            raise Refused("reserved_lead_id", "lead.lead_id begins with a: or e:; send another id")
        return lead_id
    if email is not None:
        return hashed
    if anonymous_id is not None:
        return "a:" + anonymous_id
    raise Refused("no_lead_name", "lead has no lead_id, no email and no anonymous_id; send at least one of them")


def is_weaker(name: str, other: str) -> bool:
    """Whether a name is of a weaker kind than another: a visitor's than an address's, that than an id.

    >>> is_weaker("a:browser-1", "e:00"), is_weaker("a:browser-1", "crm-17"), is_weaker("crm-17", "e:00")
    (True, True, False)
    """
    return _rank(name) < _rank(other)


def _rank(name: str) -> int:
    return 0 if name.startswith("a:") else 1 if name.startswith("e:") else 2


def check_email(email: str) -> str:
    """The address as it is, if it is one: one `@`, text before and behind it, no blanks inside.

    Raises:
        Refused: `bad_email`, or `too_long`.
    """
    if len(email) > MAX_EMAIL:
        raise Refused("too_long", f"lead.email has {len(email)} characters; at most {MAX_EMAIL} are taken")
    if not _EMAIL.fullmatch(email):
        raise Refused("bad_email", "lead.email is no address: one @, text before and behind it, no blanks inside")
    return email


def partition_of(lead_id: str, count: int) -> int:
    """The partition of a lead among `count`; what librdkafka calls `consistent`."""
    return zlib.crc32(lead_id.encode()) % count


def _hashed(email: str, key: bytes) -> str:
    """`e:` and the keyed hash of an address; known addresses are looked up."""
    names = _names_by_key.get(key)
    if names is None:
        if not key:
            message = "the key of the e-mail hash is empty; set LEADSTREAM_ID_KEY"
            raise ValueError(message)
        names = _names_by_key[key] = {}
    name = names.get(email)
    if name is None:
        text = check_email(email).strip().lower()
        short_key = key if len(key) <= _LONGEST_KEY else blake2b(key).digest()
        name = "e:" + blake2b(text.encode(), digest_size=_HASH_BYTES, key=short_key).hexdigest()
        if len(names) >= _CACHE_SIZE:
            names.clear()
        names[email] = name
    return name
