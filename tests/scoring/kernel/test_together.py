"""`together`: once, from the latest moment at which one occurrence of every signal lies within the window."""

from tests.scoring.kernel.logs import DAY, HOUR, MINUTE, form, view
from tests.scoring.kernel.one_rule import changes_next, gives

RULE = "{together: [a, form], within: 24h, points: 25, hold: 30d, fade: 30d}"


def test_prices_and_form_within_a_day_is_strict() -> None:
    """23 h 59 min 59 s is 25 points, 24 h is none; the order of arrival does not matter."""
    last = 24 * HOUR - 1_000

    assert gives(RULE, view(0), form(last)) == (25, last)
    assert gives(RULE, view(0), form(24 * HOUR - 1)) == (25, 24 * HOUR - 1)
    assert gives(RULE, view(0), form(24 * HOUR)) is None
    assert gives(RULE, form(last, received=0), view(0, received=1)) == (25, last)
    assert gives(RULE, form(24 * HOUR, received=0), view(0, received=1)) is None


def test_the_match_is_the_closing_occurrence_of_the_latest() -> None:
    assert gives(RULE, view(0), form(HOUR), view(2 * HOUR)) == (25, 2 * HOUR)
    assert gives(RULE, view(0), form(HOUR), view(2 * DAY)) == (25, HOUR)
    assert changes_next(RULE, view(0), form(HOUR)) == HOUR + 30 * DAY + 1


def test_in_order_allows_equal_times_and_nothing_earlier() -> None:
    rule = "{together: [a, form], within: 1h, in_order: true, points: 25}"

    assert gives(rule, view(0), form(0)) == (25, 0)
    assert gives(rule, view(0), form(1)) == (25, 1)
    assert gives(rule, form(0), view(1)) is None
    assert gives(rule, form(0), view(1), form(2)) == (25, 2)
    # A later view does not move a match in order; a later form does.
    assert gives(rule, view(0), form(1), view(2)) == (25, 1)
    assert gives(rule, view(0), form(1), form(2)) == (25, 2)


def test_three_in_order() -> None:
    rule = "{together: [a, b, c], within: 1h, in_order: true, points: 25}"

    assert gives(rule, view(0, "/a"), view(1, "/b"), view(2, "/c")) == (25, 2)
    assert gives(rule, view(0, "/b"), view(1, "/a"), view(2, "/c")) is None
    # The only b between the two a's and the c: a(0) b(1) c(HOUR - 1) fits, a(2) has no b behind it.
    assert gives(rule, view(0, "/a"), view(1, "/b"), view(2, "/a"), view(HOUR - 1, "/c")) == (25, HOUR - 1)
    assert gives(rule, view(0, "/a"), view(1, "/b"), view(2, "/a"), view(HOUR, "/c")) is None
    # A c that arrives first and an a that arrives last.
    rows = [view(2, "/c", received=10), view(1, "/b", received=11), view(0, "/a", received=12)]
    assert gives(rule, *rows) == (25, 2)


def test_one_event_may_serve_two_signals() -> None:
    assert gives("{together: [a, ab], within: 1h, points: 25}", view(0)) == (25, 0)
    assert gives("{together: [a, ab], within: 1h, in_order: true, points: 25}", view(0)) == (25, 0)


def test_a_member_may_be_a_list() -> None:
    rule = "{together: [[a, b], form], within: 1h, points: 25}"

    assert gives(rule, view(0, "/b"), form(MINUTE)) == (25, MINUTE)
    assert gives(rule, view(0, "/a"), view(1, "/b")) is None


def test_what_was_earned_stays() -> None:
    rule = "{together: [a, form], within: 1h, points: 25}"
    later = [view((2 + step) * HOUR) for step in range(20)]

    assert gives(rule, view(0), form(MINUTE), *later) == (25, MINUTE)
