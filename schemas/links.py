"""Links that events bring: who is who, as far as it was not said before.

What was said is remembered, bounded; the memory is lost with the process. A link that is said again changes nothing.
"""

from __future__ import annotations

from typing import Final

from librt.vecs import vec
from mypy_extensions import i64

from schemas.log import Link
from schemas.naming import HOUR_MS, lead_name

__all__ = ["Links"]

_MOST: Final = 100_000
_NEVER_MS: Final = 1 << 62

_PLACES: Final = 1 << 17
"""A power of two. Of owners that share a place, the latest is known; another one is looked at again."""


class Links:
    """Links of the events that it is told of.

    >>> links = Links(b"key")
    >>> for occurred_ms in (0, 5, 3_600_000, 0):
    ...     links.note("crm-1", None, "browser-1", 7, occurred_ms)
    >>> [(link.lead_id, link.owner, link.hour_ms) for link in links.taken()]
    [('a:browser-1', 'crm-1', 0), ('a:browser-1', 'crm-1', 3600000)]
    >>> links.taken()
    []

    Args:
        id_key: Key of the e-mail hash, not empty.
        most: So many visitors, and so many addresses, are remembered; then all are forgotten.
    """

    def __init__(self, id_key: bytes, most: int = _MOST) -> None:
        self._id_key = id_key
        self._most = most
        # By visitor and by address: the owner that was said last, and the end of the latest hour for which it was.
        self._visitors: dict[str, tuple[str, int]] = {}
        self._addresses: dict[str, tuple[str, int]] = {}
        # By place of the owner: the hash of all names of the latest event there, and until when there is nothing new to
        # say of them. Numbers side by side: to go from name to name through memory takes longer than all else.
        self._known = vec[i64]()
        self._new: list[Link] = []

    def knows(self, owner: str, email: str | None, anonymous_id: str | None, occurred_ms: int) -> bool:
        """Whether the owner's latest event had the same names, and nobody has said anything else of them since.

        They were looked at then: there is nothing wrong with them, and nothing to say.
        """
        known = self._known
        if not len(known):  # a vec has no truth of its own
            return False
        place: i64 = hash(owner)
        place = (place & (_PLACES - 1)) * 2
        names: i64 = hash((owner, email, anonymous_id))
        return known[place] == names and occurred_ms < known[place + 1]

    def note(self, owner: str, email: str | None, anonymous_id: str | None, received_ms: int, occurred_ms: int) -> None:
        """An event that may be used has these names: the owner's, and weaker ones.

        Args:
            owner: The strongest name, as `lead_name` gives it.
            email: An address, where that is a weaker name.
            anonymous_id: A visitor.
            received_ms: Broker time of the raw record.
            occurred_ms: Event time.
        """
        until = _NEVER_MS
        if anonymous_id is not None:
            said = self._visitors.get(anonymous_id)
            if said is None or occurred_ms >= said[1] or said[0] != owner:
                alias = "a:" + anonymous_id
                said = self._say(self._visitors, anonymous_id, Link(alias, received_ms, owner, _hour(occurred_ms)))
            until = said[1]
        if email is not None:
            said = self._addresses.get(email)
            if said is None or occurred_ms >= said[1] or said[0] != owner:
                alias = lead_name(None, email, None, self._id_key)
                said = self._say(self._addresses, email, Link(alias, received_ms, owner, _hour(occurred_ms)))
            until = min(until, said[1])
        place = _place(owner)
        known = self._known
        if not len(known):
            known = self._known = vec[i64]([0] * (2 * _PLACES))
        known[place] = hash((owner, email, anonymous_id))
        known[place + 1] = until

    def _say(self, memory: dict[str, tuple[str, int]], name: str, link: Link) -> tuple[str, int]:
        if len(memory) >= self._most:
            memory.clear()
            self._known = vec[i64]()
        elif len(self._known) and (before := memory.get(name)) is not None:
            self._known[_place(before[0]) + 1] = 0
        said = memory[name] = link.owner, link.hour_ms + HOUR_MS
        self._new.append(link)
        return said

    def taken(self) -> list[Link]:
        """Takes away what is new since the last time."""
        if not self._new:
            return []
        taken, self._new = self._new, []
        return taken


def _place(owner: str) -> i64:
    place: i64 = hash(owner)
    return (place & (_PLACES - 1)) * 2


def _hour(ms: int) -> int:
    return ms - ms % HOUR_MS
