"""Links that events bring: who is who, as far as it was not said before.

What was said is remembered, bounded; the memory is lost with the process. A link that is said again changes nothing.
"""

from __future__ import annotations

from schemas.log import Link
from schemas.naming import HOUR_MS, links_of

__all__ = ["Links"]

_MOST = 100_000

Names = tuple[str | None, str | None, str | None]
"""As an event has them: `lead_id`, `email`, `anonymous_id`."""


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
        most: So many combinations of names are remembered; then all are forgotten.
    """

    def __init__(self, id_key: bytes, most: int = _MOST) -> None:
        self._id_key = id_key
        self._most = most
        # The end of the latest hour for which it was said that these names are one.
        self._said_to: dict[Names, int] = {}
        self._new: list[Link] = []

    def note(
        self, lead_id: str | None, email: str | None, anonymous_id: str | None, received_ms: int, occurred_ms: int
    ) -> None:
        """An event that may be used has these names."""
        names = (lead_id, email, anonymous_id)
        if occurred_ms < self._said_to.get(names, -1):
            return
        if len(self._said_to) >= self._most:
            self._said_to.clear()
        self._said_to[names] = occurred_ms - occurred_ms % HOUR_MS + HOUR_MS
        self._new += links_of(lead_id, email, anonymous_id, self._id_key, received_ms, occurred_ms)

    def taken(self) -> list[Link]:
        """Takes away what is new since the last time."""
        if not self._new:
            return []
        taken, self._new = self._new, []
        return taken
