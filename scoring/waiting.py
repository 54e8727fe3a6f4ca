"""What waits for the leads of a partition: rows of the log, and deadlines, until they are applied together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

from schemas.log import Backfill, ByHand, EventRow, Link, LogRow, Merge, Profile, SalesActivity
from scoring.leads import Leads
from scoring.learning import profile_growth
from scoring.ledger import Ledger, bytes_of
from scoring.points import NEVER
from scoring.row import Row
from scoring.signals import UNSEEN, Sighting

__all__ = ["Story", "Waiting"]

_LINK_BYTES: Final = 400
"""Of a link, without what goes with it."""


@mypyc_attr(acyclic=True)
class Story:
    """Rows of one lead that wait.

    Attributes:
        row: The lead's, where it is in memory.
        queued: At this moment or before, the lead is in the queue of deadlines; `NEVER`: perhaps it is not.
        rows: What waits, in the order of the log. What is no event is seen as `UNSEEN`, and whole.
        whole: Events are kept whole: the lead is an alias, or may be one, so that they may have to go to its owner.
        special: There is more to do than to score plain events.
    """

    __slots__ = ("queued", "row", "rows", "special", "whole")

    def __init__(self, row: Row | None, whole: bool) -> None:
        self.row, self.whole = row, whole
        self.queued = NEVER if row is None else row.due
        self.rows: list[Sighting] = []
        self.special = False


class Waiting:
    """Rows of leads that wait, and leads that wait for a moment.

    Args:
        leads: Of the partition.
        ledger: Counts how large the step may become with them.

    Attributes:
        times: What time it was in the log at each row that waits, by its number.
    """

    def __init__(self, leads: Leads, ledger: Ledger) -> None:
        self._leads, self._ledger = leads, ledger
        self.forget()

    def forget(self) -> None:
        """All of it is applied."""
        # What is told of each lead; leads with a deadline up to the latest time, and bytes of the rows of those for
        # which nothing else waits.
        self.times = vec[i64]()
        self._stories: dict[str, Story] = {}
        self._due: list[str] = []
        self._due_bytes = 0

    def wait(self, row: EventRow | Link | Merge | ByHand | Backfill, now: int) -> None:
        """A row of a lead waits; `now` is what time it is in the log."""
        lead_id, number = row.lead_id, len(self.times)
        story = self._stories.get(lead_id) or self._begin_story(lead_id)
        if isinstance(row, EventRow):
            sighting = self._leads.kernel.see(row, number, whole=story.whole)
            self._ledger.expected += _tell_later(story, sighting)
        else:
            self._ledger.size += self._growth_of(row)
            story.special = story.whole = True
            story.rows.append(Sighting(number, row.received_at_ms, 0, 0, UNSEEN, (), "", row))
        self.times = append(self.times, now)

    def wait_many(self, rows: Sequence[LogRow], first: int, now: int) -> int:
        """Events wait, up to the first row that is none, or as far as there is room; the number of the row it stops at.

        It is what `wait` does with each of them.
        """
        stories, kernel, ledger, times = self._stories, self._leads.kernel, self._ledger, self.times
        number = before = len(times)
        room = ledger.max_bytes - ledger.size - ledger.expected
        for row in rows if not first else rows[first:]:
            if room < 0 or not isinstance(row, EventRow):
                break
            story = stories.get(row.lead_id)
            if story is None:
                room += ledger.size
                story = self._begin_story(row.lead_id)
                room -= ledger.size
            room -= _tell_later(story, kernel.see(row, number, whole=story.whole))
            times = append(times, now)
            number += 1
        self.times = times
        ledger.expected = ledger.max_bytes - ledger.size - room
        return first + number - before

    def wait_for_due(self, now: int) -> bool:
        """Leads with a deadline up to now wait too. False: they may be too many for the step, `apply` what waits."""
        leads, ledger = self._leads, self._ledger
        room = ledger.max_deadlines - ledger.fired
        while (lead_id := leads.deadlines.pop(now)) is not None:
            self._due.append(lead_id)
            if lead_id not in ledger.dirty:
                self._due_bytes += bytes_of(lead_id, leads.known[lead_id])
            if len(self._due) > room or ledger.size + ledger.expected + self._due_bytes > ledger.max_bytes:
                return False
        return True

    def give_due_back(self) -> None:
        """Leads that were to be applied for their deadlines alone are in the queue again."""
        leads = self._leads
        for lead_id in self._due:
            leads.deadlines.note(lead_id, leads.due_of(lead_id))
        self._due, self._due_bytes = [], 0

    def with_due(self) -> dict[str, Story]:
        """What is to be told of each lead, of those too that wait for their deadlines alone."""
        stories = self._stories
        for lead_id in self._due:
            story = stories.get(lead_id)
            if story is None:
                story = stories[lead_id] = Story(self._leads.row(lead_id), whole=False)
            story.queued = NEVER
        return stories

    def _begin_story(self, lead_id: str) -> Story:
        """The lead is told of for the first time in what waits."""
        known = self._leads.known.get(lead_id)
        self._ledger.touch(lead_id, known)
        if isinstance(known, Row):
            story = Story(known, known.is_merged)
        else:
            story = Story(None, known is not None)
        self._stories[lead_id] = story
        return story

    def _growth_of(self, row: Link | Merge | ByHand | Backfill) -> int:
        """Bytes by which a lead's row may grow with what is no event, what is sent to other leads included."""
        if isinstance(row, Link):
            known = self._leads.known.get(row.lead_id, b"")
            return _LINK_BYTES + len(known.value if isinstance(known, Row) else known)
        return _LINK_BYTES + (len(row.body) if isinstance(row, Merge) else 0)


def _tell_later(story: Story, sighting: Sighting) -> int:
    """An event waits; bytes by which the lead's row may grow with it."""
    story.rows.append(sighting)
    found, event = sighting.found, sighting.whole
    if not found.whole:
        return found.growth
    story.special |= isinstance(event, SalesActivity)
    return found.growth + (profile_growth(event) if isinstance(event, Profile) else 0)
