"""`each`: points for each of the latest occurrences, each with its own age and cut."""

import pytest

from schemas.log import LogRow
from tests.scoring.kernel.logs import DAY, HOUR, MINUTE, bounced, opened, view
from tests.scoring.kernel.one_rule import changes_next, gives

AGES = [
    ("points: 25", [(0, 25), (399 * DAY, 25)]),
    ("points: 25, hold: 30d", [(30 * DAY - 1, 25), (30 * DAY, None)]),
    ("points: 25, hold: 30d, fade: 30d", [(30 * DAY, 25), (30 * DAY + 1, 24), (45 * DAY, 12), (60 * DAY - 1, None)]),
    ("points: 10, fade: 10d", [(0, 10), (1, 9), (DAY, 9), (DAY + 1, 8), (9 * DAY, 1), (9 * DAY + 1, None)]),
    ("points: -10, fade: 10d", [(0, -10), (1, -9), (DAY, -9), (DAY + 1, -8), (9 * DAY, -1), (9 * DAY + 1, None)]),
    ("points: 25, halve: 1d", [(DAY - 1, 25), (DAY, 12), (2 * DAY, 6), (3 * DAY, 3), (4 * DAY, 1), (5 * DAY, None)]),
    ("points: -25, hold: 1h, halve: 1d", [(DAY + HOUR - 1, -25), (DAY + HOUR, -12), (2 * DAY + HOUR, -6)]),
    ("points: 3, fade: 7ms", [(0, 3), (1, 2), (2, 2), (3, 1), (4, 1), (5, None)]),
]


@pytest.mark.parametrize(("cut", "steps"), AGES)
def test_points_by_age(cut: str, steps: list[tuple[int, int | None]]) -> None:
    for age, points in steps:
        assert gives(f"{{each: a, {cut}}}", view(0), at=age) == (None if points is None else (points, 0))


@pytest.mark.parametrize("cut", ["fade: 37ms", "hold: 5ms, fade: 20ms", "halve: 3ms", "hold: 4ms, halve: 1ms"])
def test_the_next_change_is_the_first_millisecond_with_other_points(cut: str) -> None:
    rule = f"{{each: a, points: 25, {cut}}}"
    by_age = [gives(rule, view(0), at=age) for age in range(60)]
    age = 0
    for later in range(1, 60):
        if by_age[later] != by_age[age]:
            assert changes_next(rule, view(0), at=age) == later
            age = later
    assert changes_next(rule, view(0), at=age) in (None, age)


def test_only_the_latest_count_each_with_its_own_age() -> None:
    rule = "{each: a, at_most: 2, points: 10, hold: 1h}"
    rows: list[LogRow] = [view(0), view(10 * MINUTE), view(20 * MINUTE)]

    assert gives(rule, *rows) == (20, 20 * MINUTE)
    assert gives(rule, *rows, at=70 * MINUTE - 1) == (20, 20 * MINUTE)
    assert gives(rule, *rows, at=70 * MINUTE) == (10, 20 * MINUTE)
    assert gives(rule, *rows, at=80 * MINUTE) is None


def test_a_late_event_has_the_age_of_its_own_time() -> None:
    assert gives("{each: a, points: 10, hold: 1h}", view(0, received=30 * MINUTE), at=HOUR - 1) == (10, 0)
    assert gives("{each: a, points: 10, hold: 1h}", view(0, received=HOUR)) is None


def test_an_event_ahead_of_the_clock_counts_at_once_with_age_0() -> None:
    rule = "{each: a, points: 10, hold: 1h}"
    ahead = view(5 * MINUTE, received=0)

    assert gives(rule, ahead) == (10, 5 * MINUTE)
    assert gives(rule, ahead, at=65 * MINUTE - 1) == (10, 5 * MINUTE)
    assert gives(rule, ahead, at=65 * MINUTE) is None


def test_a_list_is_the_union_and_one_event_counts_once_in_it() -> None:
    rule = "{each: [a, b, ab], at_most: 5, points: 10}"

    assert gives(rule, view(0, "/a"), view(1, "/b")) == (20, 1)


def test_a_key_counts_once_at_its_latest_time() -> None:
    rule = "{each: open, at_most: 3, points: 10}"
    late_double = opened(MINUTE, "m-1", received=2 * HOUR)

    assert gives(rule, opened(0, "m-1"), opened(HOUR, "m-1"), late_double) == (10, HOUR)
    assert gives(rule, opened(0, "m-1"), opened(HOUR, "m-2")) == (20, HOUR)
    assert gives(rule, opened(0, "m-1"), opened(HOUR, "m-2", machine=True)) == (10, 0)


def test_the_same_event_again_changes_nothing() -> None:
    rule = "{each: a, at_most: 3, points: 10}"

    assert gives(rule, view(0, event_id="x"), view(0, event_id="x", received=HOUR)) == (10, 0)


def test_what_does_not_match_counts_for_nothing() -> None:
    assert gives("{each: a, points: 10}", view(0, "/b"), bounced(1)) is None
