"""`silence`: from exactly `within` after the latest occurrence until something breaks it."""

from schemas.log import LogRow
from tests.scoring.kernel.logs import DAY, HOUR, form, view
from tests.scoring.kernel.one_rule import changes_next, gives

RULE = "{silence: form, broken_by: [a, form], within: 14d, points: -15}"


def test_it_starts_at_exactly_the_end() -> None:
    assert changes_next(RULE, form(0)) in (None, 14 * DAY)
    assert gives(RULE, form(0), at=14 * DAY - 1) is None
    assert gives(RULE, form(0), at=14 * DAY) == (-15, 14 * DAY)
    assert gives(RULE, form(0), at=399 * DAY) == (-15, 14 * DAY)
    assert changes_next(RULE, form(0), at=14 * DAY) is None


def test_a_later_breaker_ends_it_and_an_equal_or_earlier_one_does_not() -> None:
    assert gives(RULE, form(HOUR), view(HOUR), at=14 * DAY + HOUR) == (-15, 14 * DAY + HOUR)
    assert gives(RULE, form(HOUR), view(0, received=2 * HOUR), at=14 * DAY + HOUR) == (-15, 14 * DAY + HOUR)
    assert gives(RULE, form(HOUR), view(HOUR + 1), at=20 * DAY) is None
    assert gives(RULE, form(0), view(15 * DAY)) is None


def test_a_new_occurrence_starts_it_anew() -> None:
    rows: list[LogRow] = [form(0), view(DAY), form(2 * DAY)]

    assert gives(RULE, *rows, at=16 * DAY - 1) is None
    assert gives(RULE, *rows, at=16 * DAY) == (-15, 16 * DAY)


def test_without_breakers_its_own_signal_breaks_it() -> None:
    rule = "{silence: a, within: 10d, points: -10}"

    assert gives(rule, view(0), view(DAY), at=11 * DAY - 1) is None
    assert gives(rule, view(0), view(DAY), at=11 * DAY) == (-10, 11 * DAY)
    assert gives(rule, view(0), view(12 * DAY)) is None


def test_a_breaker_that_arrives_late_ends_it_then() -> None:
    assert gives(RULE, form(0), view(DAY, received=15 * DAY)) is None


def test_nothing_happened_is_no_silence() -> None:
    assert gives(RULE, view(0), at=100 * DAY) is None
