"""What score writes into `lead-routing`: when log time is told, and how rows are packed."""

from __future__ import annotations

from schemas.log import POLICY_KEY
from schemas.routing_log import LogTime, PolicyControl, RoutedActivity, RoutedTier, RoutingRow, decode_routing
from streams.routing_copy import MAX_ROUTING_BYTES, RoutingCopy

T0 = 1_772_446_500_000


def tier(number: int = 1) -> RoutedTier:
    return RoutedTier("lead-1", number, "hot", T0, {})


def rows_of(entries: list[tuple[bytes | None, bytes]]) -> list[list[RoutingRow]]:
    return [decode_routing(value) for _, value in entries]


def test_log_time_is_told_behind_the_rows_when_it_has_moved_by_a_second() -> None:
    copy = RoutingCopy(2, 8)
    assert rows_of(copy.step([tier()], T0, asked=False)) == [[tier(), LogTime(2, 8, T0)]]
    assert rows_of(copy.step([tier(2)], T0 + 999, asked=False)) == [[tier(2)]]
    assert copy.step([], T0 + 999, asked=False) == []
    assert rows_of(copy.step([], T0 + 1_000, asked=False)) == [[LogTime(2, 8, T0 + 1_000)]]


def test_who_asks_is_told_every_time_that_is_new() -> None:
    copy = RoutingCopy(0, 1)
    assert len(copy.step([], T0, asked=True)) == 1
    assert copy.step([], T0, asked=True) == []
    assert rows_of(copy.step([], T0 + 1, asked=True)) == [[LogTime(0, 1, T0 + 1)]]


def test_nothing_is_told_while_something_due_is_not_done() -> None:
    copy = RoutingCopy(0, 1)
    assert rows_of(copy.step([tier()], None, asked=True)) == [[tier()]]
    assert copy.step([], None, asked=True) == []
    assert copy.start(None) is None


def test_a_partition_that_starts_tells_what_it_knew_and_not_that_it_knows_nothing() -> None:
    assert RoutingCopy(0, 1).start(0) is None
    copy = RoutingCopy(3, 4)
    entry = copy.start(T0)
    assert entry is not None
    assert rows_of([entry]) == [[LogTime(3, 4, T0)]]
    assert copy.step([], T0 + 999, asked=False) == []


def test_a_policy_has_a_record_of_its_own_where_it_stands() -> None:
    policy = PolicyControl(T0, "p", 1, "0" * 64, "policy: p")
    entries = RoutingCopy(0, 1).step([tier(1), policy, tier(2)], T0, asked=False)
    assert [key for key, _ in entries] == [None, POLICY_KEY, None]
    assert rows_of(entries) == [[tier(1)], [policy], [tier(2), LogTime(0, 1, T0)]]


def test_records_are_bounded_and_in_order() -> None:
    rows: list[RoutingRow] = [
        RoutedActivity("lead", f"{number}", T0, T0, "contacted", "x" * 1_000) for number in range(3_000)
    ]
    entries = RoutingCopy(0, 1).step(rows, None, asked=False)
    assert 4 <= len(entries) <= 8
    assert all(key is None and len(value) <= MAX_ROUTING_BYTES for key, value in entries)
    assert [row for found in rows_of(entries) for row in found] == rows
