"""Who is who: which names are one person, as far as one lead's row knows.

A visitor's name is weaker than an address's, that is weaker than an id. A *link* says that a weaker name, the alias,
belongs to a stronger one, the owner, from some hour on; the alias belongs to the owner with the greatest (hour, owner),
so doubled, late and disordered links change nothing. What the alias had learnt goes to its owner as a *merge*; what
comes for it later is forwarded there. An alias that too many different owners claimed (an office's one browser, a test
id) is *shared*: it belongs to nobody any more, and is a lead of its own again.

>>> alias = Identity()
>>> [alias.claimed("crm-1", 7), alias.claimed("crm-1", 7), alias.claimed("crm-2", 6), alias.claimed("crm-2", 8)]
[<Claim.MOVED: 3>, <Claim.KNOWN: 0>, <Claim.NOTED: 1>, <Claim.MOVED: 3>]
>>> alias.owner
'crm-2'
"""

from __future__ import annotations

from enum import IntEnum
from itertools import islice

import msgspec
from xxhash import xxh3_64_intdigest

__all__ = ["MAX_NAMES", "MAX_NAMES_BYTES", "MAX_OWNERS", "Claim", "Identity"]

MAX_OWNERS = 8
"""An alias that more different owners than these have claimed is shared."""

MAX_NAMES, MAX_NAMES_BYTES = 16, 1_000
"""A lead remembers so many of its names, and so many bytes of them; the latest."""


class Claim(IntEnum):
    """What a link made of an alias."""

    KNOWN = 0
    """Nothing new."""
    NOTED = 1
    """Remembered; the alias belongs to whom it belonged."""
    SHARED = 2
    """One owner too many: from now on it belongs to nobody."""
    MOVED = 3
    """It belongs to this owner now."""


class Identity(msgspec.Struct, array_like=True):
    """What a row knows of names.

    Attributes:
        names: Aliases that came to this lead, the latest last, each with the greatest number of its merges.
        owner: Where this alias went; empty for a lead of its own.
        hour_ms: Since when the owner is its owner.
        owners: Digests of all who have claimed it.
        sent: How many merges it has sent: what numbers them.
        shared: Too many have claimed it.
    """

    names: dict[str, int] = {}
    owner: str = ""
    hour_ms: int = 0
    owners: list[int] = []
    sent: int = 0
    shared: bool = False

    def claimed(self, owner: str, hour_ms: int) -> Claim:
        """Takes a link of this alias."""
        if self.shared:
            return Claim.KNOWN
        claim = Claim.KNOWN
        digest = xxh3_64_intdigest(owner.encode())
        if digest not in self.owners:
            if len(self.owners) >= MAX_OWNERS:
                self.owner, self.hour_ms, self.shared = "", 0, True
                return Claim.SHARED
            self.owners.append(digest)
            claim = Claim.NOTED
        if (hour_ms, owner) > (self.hour_ms, self.owner):
            claim = Claim.NOTED if owner == self.owner else Claim.MOVED
            self.owner, self.hour_ms = owner, hour_ms
        return claim

    def named(self, name: str, number: int) -> bool:
        """Takes an alias in, the latest last; whether the merge with this number is new."""
        if number <= self.names.get(name, 0):
            return False
        self.names.pop(name, None)
        self.names[name] = number
        return True

    def trim(self) -> None:
        """Forgets the oldest names where there are too many."""
        names = self.names
        size = sum(len(name.encode()) for name in names)
        if len(names) <= MAX_NAMES and size <= MAX_NAMES_BYTES:
            return
        for name in list(islice(names, len(names) - 1)):
            if len(names) <= MAX_NAMES and size <= MAX_NAMES_BYTES:
                return
            size -= len(name.encode())
            del names[name]
