"""What lies where in Redis. Every key begins with `REDIS_PREFIX`.

| key | type | what |
|---|---|---|
| `meta` | hash | state, log time, and the Kafka position of every partition (`p:TOPIC:PARTITION`) |
| `lead:ID` | hash | `score` and `assignment`: the records of `lead-scores` and `lead-assignments` as they are |
| `index` | hash | by lead: what its places in the lists are, and what was told of it (`streams.view.entry`) |
| `total:TIER:OWNER` | sorted set | leads by total; an empty tier or owner stands for all |
| `due:TIER:OWNER` | sorted set | leads whose clock runs or is breached, by due time; owner `-`: nobody yet |
| `owners` | set | names that an assignment ever had |
| `feed` | stream | the latest tier changes and SLA events |
| `facts` | hash | by lead: what the report is made of (`streams.view.facts`) |
| `report` | string | the report, JSON |

All of a batch changes in one MULTI/EXEC, the positions with it. In a Redis cluster put the prefix in braces, so that
one slot holds everything: `{leadstream}:`.
"""

from __future__ import annotations

__all__ = ["FEED_LENGTH", "LAYOUT", "NOBODY", "Keys"]

LAYOUT = "1"
"""Changes with what is written here; another one is cleared away and filled anew."""

FEED_LENGTH = 10_000
"""About so many of the latest tier changes and SLA events are kept for readers that were away."""

NOBODY = "-"
"""The owner of leads that wait for one, in the lists."""


class Keys:
    """The names of the keys.

    Args:
        prefix: Of all of them.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.meta = f"{prefix}meta"
        self.index = f"{prefix}index"
        self.owners = f"{prefix}owners"
        self.feed = f"{prefix}feed"
        self.facts = f"{prefix}facts"
        self.report = f"{prefix}report"

    def lead(self, lead_id: str) -> str:
        """The hash of a lead."""
        return f"{self.prefix}lead:{lead_id}"

    def order(self, order: str, tier: str, owner: str) -> str:
        """A list: `order` is `total` or `due`."""
        return f"{self.prefix}{order}:{tier}:{owner}"
