"""What ingest remembers of the links that it sent: the same link again is not sent.

The memory is bounded, and lost with the process: a link that is sent again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.log import Link

__all__ = ["SentLinks"]

_MOST = 100_000


class SentLinks:
    """The latest link of each alias.

    >>> sent = SentLinks()
    >>> [len(sent.new([Link("a:1", 5, "crm-1", hour)])) for hour in (0, 0, 3_600_000, 0)]
    [1, 0, 1, 0]

    Args:
        most: So many aliases are remembered; then all are forgotten.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._latest: dict[str, tuple[int, str]] = {}

    def new(self, links: Iterable[Link]) -> list[Link]:
        """Those that may tell the alias's row something new."""
        latest = self._latest
        found = []
        for link in links:
            known = latest.get(link.lead_id)
            if known is not None and known[1] == link.owner and link.hour_ms <= known[0]:
                continue
            if len(latest) >= self._most:
                latest.clear()
            latest[link.lead_id] = (link.hour_ms, link.owner)
            found.append(link)
        return found
