"""How what waits for the leads of a partition is applied: lead by lead, so that each is touched once.

Leads know nothing of each other, so only the order in which things are told must be restored (`Ledger.end_order`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from librt.vecs import vec
from mypy_extensions import i64

from schemas.log import Backfill, ByHand, EventRow, Link, Merge, SalesActivity
from schemas.outputs_wire import Cause
from schemas.routing_log import HandCommand, LeadMerged, RoutedActivity, RoutedTier
from scoring.identity import Claim
from scoring.kernel import ASKED, TIER_CHANGED
from scoring.leads import Leads
from scoring.ledger import AFTER_ROW, AT_ROW, BEFORE_ROW, Ledger
from scoring.merging import follow_link, unite
from scoring.points import NEVER
from scoring.row import Row
from scoring.signals import Sighting
from scoring.waiting import Story, Waiting

__all__ = ["Telling"]

_ForLead = TypeVar("_ForLead", EventRow, Merge, ByHand)


class Telling:
    """Applies what waits, and deadlines.

    Args:
        leads: Of the partition.
        ledger: Takes what they bring about.
        waiting: What waits.
    """

    def __init__(self, leads: Leads, ledger: Ledger, waiting: Waiting) -> None:
        self._leads, self._ledger, self._waiting = leads, ledger, waiting
        self._times = vec[i64]()

    def apply(self, *, at_end: bool = False) -> None:
        """Applies all that waits; at the end of a step leads are also put away."""
        leads, ledger, waiting = self._leads, self._ledger, self._waiting
        if not len(waiting.times):
            waiting.give_due_back()
            return
        self._times, kernel, now = waiting.times, leads.kernel, ledger.log_time_ms
        stories = waiting.with_due()
        ledger.begin_order()
        for lead_id, story in stories.items():
            row = self._tell(lead_id, story)
            if at_end and ledger.dirty.get(lead_id) is row:
                ledger.put_away(kernel, row)
        ledger.end_order()
        ledger.step.applied += len(self._times)
        ledger.log_time_ms = now
        ledger.size += kernel.learning.grown
        ledger.expected = kernel.learning.grown = 0
        waiting.forget()

    def _tell(self, lead_id: str, story: Story) -> Row:
        """Applies the waiting rows of one lead, and the deadlines that they bring before the last of all waiting."""
        times, leads = self._times, self._leads
        row = story.row or leads.row(lead_id) or leads.keep(leads.kernel.new(lead_id))
        if story.rows:
            self._ledger.dirty[lead_id] = row
        if story.special or row.is_merged:
            row, done = self._tell_special(row, story.rows)
        else:
            done = self._tell_events(row, story.rows, -1)
        last = len(times) - 1
        if row.due <= times[last]:
            self._fire_between(row, last, done)
        if row.due < story.queued:
            leads.deadlines.note(lead_id, row.due)
        return row

    def _tell_events(self, row: Row, events: Sequence[Sighting], done: int) -> int:
        """Applies waiting events of one lead; `done` and the result: its latest row so far."""
        ledger, kernel = self._ledger, self._leads.kernel
        for sighting in events:
            number, received_at_ms = sighting.number, sighting.received_at_ms
            self._bring_time(row, number, received_at_ms, done)
            done = number
            before = row.tier_name
            changed = kernel.event(row, sighting)
            if changed:
                ledger.place = (number, AT_ROW, NEVER, row.lead_id)
                if changed >= ASKED:
                    changed -= ASKED
                    ledger.note_request(kernel, row, sighting)
            if changed:
                ledger.scored(row)
                if changed == TIER_CHANGED:
                    cause: Cause = {"event_id": sighting.event_id, "kind": sighting.found.kind}
                    ledger.note_change(kernel, row, before, cause)
        return done

    def _tell_special(self, row: Row, waiting: Sequence[Sighting]) -> tuple[Row, int]:
        """Applies waiting rows of a lead, whatever they and the lead are; its row and its latest."""
        ledger = self._ledger
        done, plain = -1, list[Sighting]()
        for sighting in waiting:
            number, whole = sighting.number, sighting.whole
            if whole is None or isinstance(whole, EventRow):
                if row.is_merged:
                    assert whole is not None, "events of an alias are kept whole"
                    ledger.step.sent.append(_for_owner(whole, row))
                    done = number
                    continue
                plain.append(sighting)
                if isinstance(whole, SalesActivity):
                    # Before the tier change that comes of it: what has the same place stays in this order.
                    ledger.place = (number, AT_ROW, NEVER, row.lead_id)
                    ledger.note(_activity_of(whole))
                continue
            done = self._tell_events(row, plain, done)
            plain = []
            self._bring_time(row, number, whole.received_at_ms, done)
            ledger.place = (number, AT_ROW, NEVER, row.lead_id)
            done = number
            if isinstance(whole, Link):
                row = self._link(row, whole)
            elif isinstance(whole, Merge):
                self._merge(row, whole)
            else:
                self._hand(row, whole)
        return row, self._tell_events(row, plain, done)

    def _hand(self, row: Row, event: ByHand | Backfill) -> None:
        """Somebody gives the lead away, or asks where it stands: nothing to score, but route must know."""
        ledger = self._ledger
        # A command for a past stream has no time of its own.
        at = max(event.received_at_ms, ledger.log_time_ms)
        if isinstance(event, Backfill):
            if row.seq and not row.is_merged:
                profile = self._leads.kernel.published(row)
                ledger.note(RoutedTier(row.lead_id, row.seq, row.tier_name, at, profile))
        elif row.is_merged:
            ledger.step.sent.append(_for_owner(event, row))
        else:
            ledger.note(HandCommand(row.lead_id, event.event_id, at, event.owner, event.team, event.by))

    def _link(self, row: Row, link: Link) -> Row:
        ledger, kernel = self._ledger, self._leads.kernel
        is_first, value = not row.is_merged, row.value
        linked = follow_link(kernel, row, link)
        row = linked.row
        row.value = value
        self._leads.known[row.lead_id] = ledger.dirty[row.lead_id] = row
        if linked.merge is not None:
            ledger.step.sent.append(linked.merge)
            if is_first:
                # Before the tier change: what the lead has goes on elsewhere, it is not given up.
                ledger.note(LeadMerged(row.lead_id, link.owner, linked.merge.received_at_ms))
        if linked.left is not None:
            ledger.note_change(kernel, row, linked.left, {"merged_into": link.owner})
        ledger.step.shared += linked.claim == Claim.SHARED
        if linked.claim >= Claim.SHARED:
            ledger.scored(row)
        return row

    def _merge(self, row: Row, merge: Merge) -> None:
        ledger, kernel = self._ledger, self._leads.kernel
        if row.is_merged:
            ledger.step.sent.append(_for_owner(merge, row))
            return
        before = row.tier_name
        changed, renamed = unite(kernel, row, merge)
        if changed or renamed:
            ledger.scored(row)
        if changed == TIER_CHANGED:
            ledger.note_change(kernel, row, before, {"merged_from": merge.merged_from})

    # --- deadlines --------------------------------------------------------------------------------------------------

    def _bring_time(self, row: Row, number: i64, received_at_ms: i64, done: i64) -> None:
        """Applies the deadlines of a lead before a row of it: those up to log time there, then up to its own time."""
        now = self._times[number]
        if row.due <= now:
            self._fire_between(row, number, done)
        self._ledger.log_time_ms = now
        while row.due <= received_at_ms:
            self._ledger.place = (number, AT_ROW, row.due, row.lead_id)
            self.fire(row)

    def _fire_between(self, row: Row, last: i64, done: i64) -> None:
        """Applies a lead's deadlines up to the time of the event `last`, each at the event that brought the time.

        `done` is the lead's latest event so far, -1 before its first: what that made due by its own time follows it
        at once.
        """
        times, ledger = self._times, self._ledger
        while row.due <= times[last]:
            number = _first_at(times, row.due, max(done, 0))
            ledger.log_time_ms = times[number]
            ledger.place = (number, AFTER_ROW if number == done else BEFORE_ROW, row.due, row.lead_id)
            self.fire(row)

    def fire(self, row: Row) -> None:
        """Applies the row's next deadline."""
        ledger, kernel = self._ledger, self._leads.kernel
        before, moment = row.tier_name, row.due
        changed, cause = kernel.deadline(row)
        if changed:
            ledger.fired += 1
            ledger.touch(row.lead_id, row)
            ledger.dirty[row.lead_id] = row
            ledger.scored(row)
            ledger.step.lateness_ms.append(ledger.log_time_ms - moment)
            if changed == TIER_CHANGED:
                ledger.note_change(kernel, row, before, {"deadline": cause})


def _first_at(times: vec[i64], moment: i64, first: i64) -> i64:
    """The number of the first time, from `first` on, that is not before a moment; times are in ascending order."""
    last: i64 = len(times)
    while first < last:
        middle = (first + last) // 2
        if times[middle] < moment:
            first = middle + 1
        else:
            last = middle
    return first


def _activity_of(event: SalesActivity) -> RoutedActivity:
    times = event.occurred_at_ms, event.received_at_ms
    return RoutedActivity(event.lead_id, event.event_id, *times, event.activity, event.by)


def _for_owner(row: _ForLead, alias: Row) -> _ForLead:
    """The same row, for the lead that the alias went to."""
    assert alias.identity is not None
    return msgspec.structs.replace(row, lead_id=alias.identity.owner)
