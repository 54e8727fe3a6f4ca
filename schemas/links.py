"""Links that events bring: who is who, as far as it was not said before.

What was said is remembered, bounded; the memory is lost with the process. A link that is said again changes nothing.
"""

from __future__ import annotations

from schemas.log import Link
from schemas.naming import HOUR_MS, lead_name

__all__ = ["Links"]

_MOST = 100_000
_NEVER_MS = 1 << 62


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
        # By owner: address and visitor of its latest event, and until when there is nothing new to say of them.
        self._said: dict[str, tuple[str | None, str | None, int]] = {}
        self._new: list[Link] = []

    def knows(self, owner: str, email: str | None, anonymous_id: str | None, occurred_ms: int) -> bool:
        """Whether the owner's latest event had the same names, and nobody has said anything else of them since.

        They were looked at then: there is nothing wrong with them, and nothing to say.
        """
        said = self._said.get(owner)
        return said is not None and occurred_ms < said[2] and anonymous_id == said[1] and email == said[0]

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
        if len(self._said) >= self._most:
            self._said.clear()
        self._said[owner] = email, anonymous_id, until

    def _say(self, memory: dict[str, tuple[str, int]], name: str, link: Link) -> tuple[str, int]:
        if len(memory) >= self._most:
            memory.clear()
            self._said.clear()
        elif (before := memory.get(name)) is not None:
            self._said.pop(before[0], None)
        said = memory[name] = link.owner, link.hour_ms + HOUR_MS
        self._new.append(link)
        return said

    def taken(self) -> list[Link]:
        """Takes away what is new since the last time."""
        if not self._new:
            return []
        taken, self._new = self._new, []
        return taken


def _hour(ms: int) -> int:
    return ms - ms % HOUR_MS
