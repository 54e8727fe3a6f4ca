"""The oracle of route is tried on a world in which nothing went wrong, and on worlds in which one thing did."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from schemas.log import LogRow
from schemas.routing_log import LogTime, PolicyControl, RoutedTier, RoutingRow, decode_routing, encode_routing
from schemas.routing_wire import SlaEventOut, encode_assignment, encode_sla_event, sla_event_headers
from scoring.routing.fold import RoutingFold
from tests.faults.routing_oracle import copy_violations, route_violations
from tests.pipeline import Kept, LogRecord
from tests.property.routing_world import World, row_of
from tests.scoring.kernel.logs import HOUR, activity, alarm, by_hand, form, log
from tests.scoring.test_routing_rows import MODEL, routed


@dataclass
class Left:
    """What route left on the broker."""

    topic: list[Kept]
    events: list[Kept]
    assignments: list[Kept]
    changelog: list[Kept]

    def violations(self) -> list[str]:
        return list(route_violations(self.topic, self.events, self.assignments, self.changelog))


def kept(offset: int, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]] | None = None) -> Kept:
    return Kept(0, offset, key, value, 0, headers or [])


def worked_off() -> Left:
    """A random policy and stream, folded batch by batch as the stage does it."""
    world = World(4)
    policy = world.policy()
    body = json.dumps(policy)
    rows: list[RoutingRow] = [PolicyControl(world.begin, "random", 1, "0" * 64, body)]
    rows += [row_of(record) for record in world.stream(policy, 80) if record["type"] != "policy_change"]
    left = Left([kept(place, None, encode_routing([row])) for place, row in enumerate(rows)], [], [], [])
    fold = RoutingFold()
    fold.opened()
    fold.start_with(body)
    for begin in range(0, len(rows), 5):
        step = fold.fold([(one.offset, one.value or b"") for one in left.topic[begin : begin + 5]], (begin, 0))
        for one in step.told:
            if isinstance(one, SlaEventOut):
                left.events.append(kept(len(left.events), None, encode_sla_event(one), sla_event_headers(one)))
            else:
                left.assignments.append(kept(len(left.assignments), None, encode_assignment(one)))
        left.changelog += [kept(0, key, value) for key, value in step.rows]
    assert len(left.events) > 20
    return left


def other(record: Kept, **members: Any) -> Kept:
    body = msgspec.json.decode(record.value or b"")
    return record._replace(value=msgspec.json.encode(body | members))


def test_a_world_in_which_nothing_went_wrong_is_good_also_with_repetitions() -> None:
    left = worked_off()
    assert left.violations() == []
    left.events[9:9] = left.events[3:9]
    left.assignments[9:9] = left.assignments[3:9]
    assert left.violations() == []


def lose_a_breach(left: Left) -> None:
    left.events = [one for one in left.events if b":breached" not in (one.value or b"")]


def tell_a_breach_early(left: Left) -> None:
    place = next(place for place, one in enumerate(left.events) if b":breached" in (one.value or b""))
    left.events[place] = other(left.events[place], effective_at="2026-03-02T10:15:00.000Z")


def tell_one_with_another_body(left: Left) -> None:
    left.events.append(other(left.events[5], owner="nobody"))


def tell_in_another_order(left: Left) -> None:
    left.events[3], left.events[4] = left.events[4], left.events[3]


def make_one_up(left: Left) -> None:
    body = msgspec.json.decode(left.events[5].value or b"")
    left.events.append(other(left.events[5], id=f"{body['lead_id']}:99:breached"))


def give_the_lead_to_somebody_else(left: Left) -> None:
    left.assignments[2] = other(left.assignments[2], owner="nobody")


def skip_a_number(left: Left) -> None:
    del left.assignments[4]


def lose_a_row_of_the_table(left: Left) -> None:
    key = left.changelog[-1].key
    left.changelog = [one for one in left.changelog if one.key != key]


def leave_an_older_row(left: Left) -> None:
    key = max({one.key for one in left.changelog}, key=lambda key: sum(one.key == key for one in left.changelog))
    place = max(place for place, one in enumerate(left.changelog) if one.key == key)
    del left.changelog[place]


def apply_a_row_twice(left: Left) -> None:
    place, row = next(
        (one.offset, row)
        for one in left.topic
        for row in decode_routing(one.value)
        if isinstance(row, RoutedTier) and one.offset > 10
    )
    again = msgspec.structs.replace(row, seq=row.seq + 1_000)
    left.topic.insert(place, kept(place, None, encode_routing([again])))


def say_that_time_went_on(left: Left) -> None:
    row = decode_routing(left.topic[-1].value)[0]
    assert isinstance(row, LogTime)
    later = [LogTime(number, 2, row.log_time_ms + 1_000 * HOUR) for number in range(2)]
    left.topic.insert(10, kept(10, None, encode_routing(list(later))))


BUGS: tuple[Callable[[Left], None], ...] = (
    lose_a_breach,
    tell_a_breach_early,
    tell_one_with_another_body,
    tell_in_another_order,
    make_one_up,
    give_the_lead_to_somebody_else,
    skip_a_number,
    lose_a_row_of_the_table,
    leave_an_older_row,
    apply_a_row_twice,
    say_that_time_went_on,
)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_whatever_goes_wrong_is_seen(bug: Callable[[Left], None]) -> None:
    left = worked_off()
    bug(left)
    assert left.violations()


# --- what score copies ------------------------------------------------------------------------------------------------


LOG: list[LogRow] = [
    form(0, "demo"),
    activity(HOUR),
    by_hand(2 * HOUR),
    form(3 * HOUR, "demo", lead="lead-2"),
    alarm(9 * HOUR),
]


def copied(change: Callable[[list[RoutingRow]], None] = lambda rows: None) -> list[str]:
    rows = routed(*LOG)
    change(rows)
    records = [LogRecord(0, offset, 0, [], value) for offset, value in log(LOG)]
    return list(copy_violations(rows, records, MODEL, 1))


def test_good_copies_are_good_also_where_a_step_came_again() -> None:
    assert copied() == []
    assert copied(lambda rows: rows.extend(rows[2:])) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.pop(2),
        lambda rows: rows.insert(0, rows.pop(2)),
        lambda rows: rows.append(msgspec.structs.replace(rows[0], event_id="made up")),
        lambda rows: rows.append(msgspec.structs.replace(rows[0], lead_id="nobody")),
        lambda rows: rows.append(LogTime(0, 1, rows[0].received_at_ms + 99 * HOUR)),
    ],
    ids=["lost", "out of order", "made up", "of nobody", "time ahead"],
)
def test_whatever_is_copied_wrongly_is_seen(change: Callable[[list[Any]], None]) -> None:
    assert copied(change)
