"""What a rule sees of a lead: packed whole numbers, so that a lead lies in few cache lines.

A `vec[i64]` holds numbers of 8 bytes with a sign, side by side. Compiled code reads and writes them without making
objects. Plain Python reads and writes them by their places too, but it is no `Sequence`: `bisect` does not take it.
"""

from __future__ import annotations

from typing import Final

from librt.vecs import vec
from mypy_extensions import i64, mypyc_attr

__all__ = ["NO_MATCH", "Known", "ProfileValue", "filled"]

ProfileValue = tuple[str | int | bool | None, int, int]
"""Value (None: deleted), `occurred_at` in milliseconds, digest of `event_id`."""

NO_MATCH: Final = -(1 << 62)
"""The time of a match that never was."""


def filled(count: int, number: int) -> vec[i64]:
    """The same number so many times."""
    return vec[i64]([number] * count)


@mypyc_attr(acyclic=True)
class Known:
    """What a rule sees of a lead.

    Attributes:
        evidence: See `scoring.evidence`.
        places: By number of the signal: where its first time stands in `evidence`; -1: nowhere.
        latest: By number of the signal: time of its latest occurrence, or `NO_MATCH`.
        matches: By number of the rule: time of its latest match, or `NO_MATCH`.
        profile: By name of the field.
    """

    __slots__ = ("evidence", "latest", "matches", "places", "profile")

    def __init__(self, places: vec[i64], latest: vec[i64], matches: vec[i64]) -> None:
        self.evidence = vec[i64]()
        self.places, self.latest, self.matches = places, latest, matches
        self.profile: dict[str, ProfileValue] = {}
