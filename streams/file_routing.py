"""Route over lines of files, without Kafka: which lines are read, in which order, and what comes of them.

A line is a row of `lead-routing` (as `leadstream read lead-routing` prints it, or without its place: a tier change as
`leadstream score` prints it, a request …), or an event of kind `sales_activity`, as producers send it or as
`leadstream read lead-events` prints it. Whatever else scores and events may be is skipped.

Lines of one file keep their order; files are merged by each line's own time. Log time is the running maximum of the
lines' own times; for lines that have a place in `lead-routing` it is what the rows of that topic say, as in the stream.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from schemas.errors import Refused
from schemas.lines import load_line, read_log_line
from schemas.log import EVENT_ROWS, SalesActivity
from schemas.routing_lines import own_time_ms, read_routing_line
from schemas.routing_log import PolicyControl, RoutedActivity, RoutedTier, RoutingRow
from scoring.routing.fold import RoutingFold
from scoring.routing.policy import Policy
from scoring.routing.reading import PolicyError, read_policy
from scoring.routing.telling import Told
from streams.errors import UsageError
from streams.event_files import name_of, pauses, read_blocks
from streams.event_lines import EventLines, Refusals

__all__ = ["FileRouting", "RoutingLine", "RoutingLines"]

_ACTIVITY = "sales_activity"
_SKIPPED = frozenset({"score", "alarm", "model", "link", "merge", "backfill"})
"""Types of lines of scores and of lead-events that say nothing to route."""


class RoutingLine(NamedTuple):
    """A row, and where it belongs.

    Attributes:
        own_ms: The line's own time.
        placed: It has a place in `lead-routing`, so log time is what the rows of that topic say.
    """

    own_ms: int
    placed: bool
    row: RoutingRow


class RoutingLines:
    """The lines of files in the order in which they are routed.

    Args:
        id_key: Key of the e-mail hash.
        refusals: Where refused lines are told.
        moved: Told how many bytes of all the files are read.
        paused: Called before a line must be waited for.
    """

    def __init__(
        self, id_key: bytes, refusals: Refusals, moved: Callable[[int], None], paused: Callable[[], None]
    ) -> None:
        self._id_key, self._refusals, self._moved, self._paused = id_key, refusals, moved, paused
        self._places: dict[int, int] = {}

    def merged(self, sources: tuple[str, ...]) -> Iterator[RoutingLine]:
        """Files merged by each line's own time, tier changes first in a tie, then the order of the arguments."""
        files = [self._file(number, source) for number, source in enumerate(sources)]

        # A stable merge: in a tie the file that is named first comes first.
        return heapq.merge(*files, key=lambda line: (line.own_ms, not isinstance(line.row, RoutedTier)))

    def _file(self, number: int, source: str) -> Iterator[RoutingLine]:
        events, line = EventLines(self._id_key), 0
        for block in read_blocks(source, lambda place: self._moved_in(number, place)):
            for raw in block:
                line += 1
                if not raw or raw.isspace():
                    continue
                try:
                    found = _read(raw, events)
                except Refused as refused:
                    self._refusals.tell(refused, name_of(source), line)
                    continue
                if found is not None:
                    yield found
            if pauses(source):
                self._paused()

    def _moved_in(self, number: int, place: int) -> None:
        self._places[number] = place
        self._moved(sum(self._places.values()))


def _read(raw: bytes, events: EventLines) -> RoutingLine | None:
    """The row of a line; None for one that is skipped."""
    members = load_line(raw)
    if "kind" in members and "lead_id" not in members:
        if members["kind"] != _ACTIVITY and _is_text_in(members["kind"], EVENT_ROWS):
            return None
        return _unplaced(_activity(events.read(raw, members)))
    kind = members.get("type")
    if kind == "event":
        return _unplaced(_activity(read_log_line(members).row)) if members.get("kind") == _ACTIVITY else None
    if _is_text_in(kind, _SKIPPED) or (kind == "merged" and "merged_into" in members):
        return None
    row = read_routing_line(members)
    # Lines of lead-events, hand commands among them, say how safe time is there.
    return RoutingLine(own_time_ms(row), "index" in members and "safe" not in members, row)


def _is_text_in(value: Any, names: object) -> bool:
    return isinstance(value, str) and value in names  # type: ignore[operator]


def _activity(event: object) -> RoutedActivity:
    assert isinstance(event, SalesActivity)
    return RoutedActivity(
        event.lead_id, event.event_id, event.occurred_at_ms, event.received_at_ms, event.activity, event.by
    )


def _unplaced(row: RoutingRow) -> RoutingLine:
    return RoutingLine(own_time_ms(row), False, row)


class FileRouting:
    """Routes lines one after the other.

    Args:
        policy: Holds from the first line, and those in the lines are passed over; None: the policies in the lines do.

    Attributes:
        waiting: How many lines were taken since `told` was asked for.
        problems: What could not be done, for people.
    """

    def __init__(self, policy: Policy | None) -> None:
        self._fold = RoutingFold()
        self._fold.opened()
        self._own_policy = policy is not None
        if policy is not None:
            self._fold.start_with(policy.text, policy.name)
        self._before_policy: list[RoutingLine] = []
        self._log_time_ms = 0
        self._told: list[Told] = []
        self.waiting = 0
        self.problems: list[str] = []

    def take(self, line: RoutingLine) -> None:
        """Takes the next line."""
        self.waiting += 1
        if self._fold.policy is None and not self._first_policy(line):
            self._before_policy.append(line)
            return
        if not line.placed:
            self._advance(line.own_ms)
        if self._own_policy and isinstance(line.row, PolicyControl):
            return
        while not self._fold.take(line.row):
            self._finish()

    def told(self) -> list[Told]:
        """Assignments and SLA events since the last call, in the order in which they came."""
        self._finish()
        found, self._told, self.waiting = self._told, [], 0
        return found

    def end(self, until_ms: int | None) -> list[Told]:
        """No more lines: moves time on to a moment, never back; the last assignments and SLA events.

        Raises:
            UsageError: There is no policy for the lines.
        """
        if self._before_policy:
            raise UsageError("no policy among the lines; give one with --policy FILE, or the name of a shipped one")
        if until_ms is not None:
            self._advance(until_ms)
        return self.told()

    def _first_policy(self, line: RoutingLine) -> bool:
        """Whether this is the first policy that can be read: it holds from the first line, as it does for the stage."""
        if not isinstance(line.row, PolicyControl):
            return False
        try:
            policy = read_policy(line.row.body, line.row.policy)
        except PolicyError as error:
            self.problems.append(f"policy {line.row.policy} version {line.row.version} is passed over: {error}")
            return False
        self._fold.start_with(policy.text, policy.name)
        before, self._before_policy = self._before_policy, []
        for earlier in before:
            self.take(earlier)
        return True

    def _advance(self, time_ms: int) -> None:
        self._log_time_ms = max(self._log_time_ms, time_ms)
        while not self._fold.advance(self._log_time_ms):
            self._finish()

    def _finish(self) -> None:
        step = self._fold.finish()
        self._told += step.told
        self.problems += step.problems
