"""A lead's row: what is remembered of it, and what follows from that."""

from __future__ import annotations

from librt.vecs import append
from mypy_extensions import i64, mypyc_attr

from scoring.compiled import CompiledModel
from scoring.identity import Identity
from scoring.known import Known
from scoring.points import NEVER
from scoring.tiers import Scores

__all__ = ["MAX_PROFILE_TEXT", "Row"]

MAX_PROFILE_TEXT = 200
"""Of a text in the profile a row keeps the first so many characters: whatever a lead sends, its row stays small."""


@mypyc_attr(acyclic=True)
class Row(Known):
    """A lead under one model. Its profile is kept as far as the model names it.

    Attributes:
        identity: Its other names, or where it went; None for a lead with one name, as most are.
        at: The lead's time: of its latest row or fired deadline. It never runs backwards.
        tier: Number of the tier.
        tier_name: Its name; what a row of an older model says may name no tier of this one.
        tier_since: When it was entered; None for a lead that was never in another tier.
        seq: Number of its latest tier change.
        points, since, changes: What each rule gives, since when, and when time changes it next.
        giving: Bits of the rules that give points.
        waiting: Bits of the rules whose points time will change.
        stale: Bits of rules that give nothing and whose next change may be later than `changes` says.
        seen_at: The moment at which those were looked at; beyond `at` after a deadline that changed nothing.
        due: The next moment to look again; too early while rules are stale.
        kept_due: The same as seen from `at`; what the bytes say. Set by `Kernel.rest`.
        stay_until: Until when a tier is held that the points no longer give; `NEVER` where none is.
        counting: What each rule gives, as far as it counts; see `CompiledModel.counting`.
        scores: Of what counts.
        value: Its bytes when it was last written; none for a lead that is new.
    """

    __slots__ = (
        "at",
        "changes",
        "counting",
        "due",
        "giving",
        "identity",
        "kept_due",
        "lead_id",
        "points",
        "scores",
        "seen_at",
        "seq",
        "since",
        "stale",
        "stay_until",
        "tier",
        "tier_name",
        "tier_since",
        "value",
        "waiting",
    )

    def __init__(self, model: CompiledModel, lead_id: str) -> None:
        super().__init__(model.no_places[:], model.no_times[:], model.no_matches[:])
        self.lead_id = lead_id
        self.identity: Identity | None = None
        self.at: i64 = 0
        self.tier = model.ladder.last
        self.tier_name = model.ladder.names[-1]
        self.tier_since: int | None = None
        self.seq = 0
        self.points, self.since, self.changes = model.no_points[:], model.no_points[:], model.no_changes[:]
        self.giving = self.waiting = self.stale = 0
        self.seen_at: i64 = 0
        self.due: i64 = NEVER
        self.kept_due: i64 = NEVER
        self.stay_until: i64 = NEVER
        self.counting = model.no_points[:]
        self.scores: Scores = (0, 0, 0, 0)
        self.value = b""

    @property
    def is_merged(self) -> bool:
        """Whether it is an alias's: what comes for it goes to its owner."""
        identity = self.identity
        return identity is not None and identity.owner != ""

    def begin(self, number: i64, digest: i64, time: i64, key: i64) -> None:
        """The first occurrence of a signal that the lead had not shown before; the signal by its shortened digest."""
        self.places[number] = len(self.evidence) + 1
        self.latest[number] = time
        self.evidence = append(append(append(self.evidence, digest), time), key)

    def make_room_behind(self, place: i64) -> None:
        """The signal at this place has one occurrence more: those behind it stand two numbers further on."""
        places = self.places
        for other in range(len(places)):
            if places[other] > place:
                places[other] += 2
