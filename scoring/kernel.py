"""The kernel: what an event or a moment makes of a lead. No clock, no I/O, whole numbers only.

`Kernel.event`, `Kernel.deadline` and `Kernel.unite` are the ways in which a row moves; all end in `_settle`, which
works out what counts, scores and tier from the points of the rules. At an event, rules are looked at anew only where it
feeds them, or where their own next change has come.
"""

from __future__ import annotations

from typing import Final

from librt.vecs import vec
from mypy_extensions import i64

from schemas.log import EventRow, Profile
from scoring.compiled import CompiledModel
from scoring.evaluators import Evaluator
from scoring.learning import Learning
from scoring.points import NEVER
from scoring.row import Row
from scoring.row_codec import decode_row
from scoring.signals import Found, Sighting, distinct_key, key_of

__all__ = ["ASKED", "NOTHING_CHANGED", "SCORES_CHANGED", "TIER_CHANGED", "Kernel"]

NOTHING_CHANGED: Final = 0
SCORES_CHANGED: Final = 1
TIER_CHANGED: Final = 2
"""What an event or a deadline changed that others see: nothing, reasons and scores, the tier (and perhaps those)."""

ASKED: Final = 4
"""On top of it: the event is a new occurrence of a signal that asks for a person."""

STAY_AT_LEAST: Final = "stay_at_least"


class Kernel:
    """Events and deadlines under one model.

    Attributes:
        learning: What rows learn by it.
    """

    def __init__(self, model: CompiledModel) -> None:
        self.model = model
        self._find = model.find
        self.learning = Learning(model)
        # Where no points are enough for a better tier than the last, the first event of a lead takes it there.
        nothing = model.no_points
        self._unheard = model.scores(nothing)
        self._leaves_at_once = model.ladder.tier(self._unheard, nothing, model.ladder.last) != model.ladder.last

    def new(self, lead_id: str) -> Row:
        """The row of a lead that nobody has heard of."""
        row = Row(self.model, lead_id)
        row.scores = self._unheard
        return row

    def read(self, lead_id: str, value: bytes) -> Row:
        """The row of its bytes, with what follows from them.

        Raises:
            RowCodecError: No row, or of a newer version.
        """
        row = decode_row(self.model, lead_id, value)
        self._see(row)
        return row

    def _see(self, row: Row) -> None:
        """Works out all that follows from what a row remembers."""
        self._look(row, row.at, self.model.evaluators)
        row.scores = self._unheard
        self._work_out(row)
        row.seen_at = row.at
        natural = self.model.ladder.tier(row.scores, row.points, row.tier)
        until = self.model.ladder.stays_until(row.tier, row.tier_since)
        row.stay_until = until if natural > row.tier and row.at < until else NEVER
        self._set_due(row)

    def see(self, event: EventRow, number: int = 0, *, whole: bool = False) -> Sighting:
        """What an event is to the model; with `whole` it stays at hand."""
        found = self._find[type(event)](event)
        event_id = event.event_id
        key = key_of(event_id)
        keys = found.keyed
        for signal, field, read in found.distinct:
            keys = (*keys, (signal, distinct_key(field, read(event), key)))
        kept = event if whole or found.whole else None
        return Sighting(number, event.received_at_ms, event.occurred_at_ms, key, found, keys, event_id, kept)

    def event(self, row: Row, sighting: Sighting) -> int:
        """Applies an event; what it changed, and whether the lead `ASKED` for a person.

        Deadlines of the lead up to the event must be applied before.
        """
        at, found, event = sighting.received_at_ms, sighting.found, sighting.whole
        if at < row.at:
            at = row.at
        else:
            row.at = at
        moved = self._leaves_at_once and row.tier_since is None
        if at < row.seen_at and self._look(row, at, self.model.evaluators):
            moved = True
        looks: list[Evaluator] = []
        learning = self.learning
        asked = ASKED if found.requests and learning.is_new_request(row, sighting) else NOTHING_CHANGED
        if found.any and learning.event(row, sighting):
            looks = found.looks
            if row.giving & found.spared or found.postponed & ~row.waiting:
                looks = self._spared_in_vain(row, found)
            else:
                row.stale |= found.spared & row.waiting
            matches = row.matches
            for matcher in found.matchers:
                matches[matcher.rule] = max(matches[matcher.rule], matcher.match(row))
        # Mostly None: for classes of msgspec, `isinstance` is slow to say no.
        if event is not None and isinstance(event, Profile):
            looks = looks + learning.profile(row, event)
        row.seen_at = at
        if (looks and self._look(row, at, looks)) or moved:
            return self._settle(row, at) | asked
        return asked

    def rest(self, row: Row) -> None:
        """Works out what was left for later, before the row is written or its score told."""
        if row.stale:
            looks = self._looks_of(row.stale)
            row.stale = 0
            self._look(row, row.seen_at, looks)
        row.kept_due = row.due if row.seen_at <= row.at else self._due_from(row)

    def _due_from(self, row: Row) -> int:
        """The next moment to look again as seen from the lead's time, where a deadline has changed nothing since."""
        seen = Row(self.model, row.lead_id)
        seen.evidence, seen.places, seen.latest, seen.matches, seen.profile = (
            row.evidence,
            row.places,
            row.latest,
            row.matches,
            row.profile,
        )
        seen.at, seen.tier, seen.tier_since = row.at, row.tier, row.tier_since
        self._see(seen)
        return seen.due

    def deadline(self, row: Row) -> tuple[int, str]:
        """Goes to the row's due moment; what changed, and by which rule (or `stay_at_least`; "" where nothing did)."""
        moment, points = row.due, row.points
        looks = [evaluator for evaluator in self.model.evaluators if row.changes[evaluator.rule] <= moment]
        before = points[:]
        changed = NOTHING_CHANGED
        if self._look(row, moment, looks) or row.stay_until <= moment:
            changed = self._settle(row, moment)
        row.seen_at = moment
        if not changed:
            return NOTHING_CHANGED, ""
        row.at = moment
        for evaluator in looks:
            if points[evaluator.rule] != before[evaluator.rule]:
                return changed, self.model.rule_names[evaluator.rule]
        return changed, STAY_AT_LEAST

    def unite(self, row: Row, other: Row, at: int, *, with_tier: bool) -> int:
        """Takes in what another row has learnt, at `at` or the lead's own time; what it changed.

        Evidence and profile are united, the later match holds: in whatever order and however often, the result is the
        same. With `with_tier` the better tier of the two holds, with its since; then the lead is assessed.
        """
        at = max(at, row.at)
        row.at = row.seen_at = at
        self.learning.all_of(row, other)
        before, since = row.tier, row.tier_since
        if with_tier and other.tier < row.tier:
            row.tier, row.tier_since = other.tier, None if other.tier_since is None else min(other.tier_since, at)
            row.tier_name = self.model.ladder.names[row.tier]
        row.stale = 0
        self._look(row, at, self.model.evaluators)
        changed = self._settle(row, at)
        if row.tier != before:
            row.seq += changed != TIER_CHANGED
            changed = TIER_CHANGED
        elif changed == TIER_CHANGED:
            # Lifted, and fallen back at once: nobody saw it.
            row.seq -= 1
            row.tier_since = since
            changed = SCORES_CHANGED
        return changed

    def model_changed(self, row: Row, at: int) -> None:
        """Looks anew at a row of an older model that this kernel has just read, at `at` or the lead's own time."""
        before = row.tier_name
        at = max(at, row.at)
        for rule, matcher in self.model.matchers.items():
            row.matches[rule] = max(row.matches[rule], matcher.match(row))
        self._look(row, at, self.model.evaluators)
        self._settle(row, at)
        row.at = row.seen_at = at
        if row.tier_name == before != self.model.ladder.names[row.tier]:
            self._enter(row, row.tier, at)

    def changes_next_at(self, row: Row) -> int | None:
        """The earliest moment at which time alone changes reasons or tier, exactly; None where it never does.

        Looks at what `rest` has worked out.
        """
        model, ladder = self.model, self.model.ladder
        points, changes = row.points[:], row.changes[:]
        stays_until: i64 = ladder.stays_until(row.tier, row.tier_since)
        moment = row.seen_at
        while True:
            after, moment = moment, _earliest(changes)
            if after < stays_until < moment:
                moment = stays_until
            if moment >= NEVER:
                return None
            for evaluator in model.evaluators:
                rule = evaluator.rule
                if changes[rule] <= moment:
                    points[rule], _, changes[rule] = evaluator.look(row, moment)
            if not _equal(model.counting(points), row.counting):
                return moment
            tier = ladder.tier(row.scores, points, row.tier)
            if tier != row.tier and not (tier > row.tier and moment < stays_until):
                return moment

    def published(self, row: Row) -> dict[str, str | int | bool]:
        """The profile fields that leave with scores and tier changes."""
        profile = row.profile
        return {
            field: value
            for field in self.model.publish
            if (found := profile.get(field)) is not None and (value := found[0]) is not None
        }

    def _looks_of(self, rules: int) -> list[Evaluator]:
        """From bits of rules to how they are looked at."""
        evaluators = self.model.evaluators
        found = []
        while rules:
            lowest = rules & -rules
            found.append(evaluators[lowest.bit_length() - 1])
            rules ^= lowest
        return found

    def _spared_in_vain(self, row: Row, found: Found) -> list[Evaluator]:
        """What to look at where some of the rules that an event mostly need not wake do give points, or do not wait."""
        looks = (found.postponed & (row.giving | ~row.waiting)) | (found.prevented & row.giving)
        row.stale |= found.spared & row.waiting & ~looks
        return found.looks + self._looks_of(looks)

    def _look(self, row: Row, at: i64, looks: list[Evaluator]) -> bool:
        """Evaluates some rules at a moment; whether the points of any are others."""
        points, since, changes = row.points, row.since, row.changes
        due = row.due
        moved = was_first = False
        for evaluator in looks:
            rule = evaluator.rule
            now, since[rule], change = evaluator.look(row, at)
            before = changes[rule]
            if change != before:
                changes[rule] = change
                if change < due:
                    due = change
                elif before == due:
                    was_first = True
                if NEVER in (before, change):
                    row.waiting ^= 1 << int(rule)
            if now != points[rule]:
                if not now or not points[rule]:
                    row.giving ^= 1 << int(rule)
                points[rule] = now
                moved = True
        if was_first:
            self._set_due(row)
        else:
            row.due = due
        return moved

    def _work_out(self, row: Row) -> bool:
        """What counts of the points, and the scores; whether they are others."""
        counting = self.model.counting(row.points)
        if _equal(counting, row.counting):
            return False
        row.counting, row.scores = counting, self.model.scores(counting)
        return True

    def _settle(self, row: Row, at: i64) -> int:
        """Scores and tier of the points; what changed."""
        others = self._work_out(row)
        natural = self.model.ladder.tier(row.scores, row.points, row.tier)
        row.stay_until = NEVER
        if natural > row.tier:
            until = self.model.ladder.stays_until(row.tier, row.tier_since)
            if at < until:
                row.stay_until = until
                natural = row.tier
        self._set_due(row)
        if natural != row.tier:
            self._enter(row, natural, at)
            return TIER_CHANGED
        return SCORES_CHANGED if others else NOTHING_CHANGED

    def _enter(self, row: Row, tier: int, at: int) -> None:
        """A tier change. A tier that was just entered may at once be one to be held."""
        row.tier, row.tier_name, row.tier_since = tier, self.model.ladder.names[tier], at
        row.seq += 1

    @staticmethod
    def _set_due(row: Row) -> None:
        row.due = min(_earliest(row.changes), row.stay_until)


def _earliest(moments: vec[i64]) -> i64:
    found: i64 = NEVER
    for moment in moments:
        found = min(found, moment)
    return found


def _equal(some: vec[i64], others: vec[i64]) -> bool:
    return all(some[number] == others[number] for number in range(len(some)))
