"""`repeat`: once, from the latest occurrence that closes a window."""

from tests.scoring.kernel.logs import DAY, HOUR, MINUTE, view
from tests.scoring.kernel.one_rule import changes_next, gives

RULE = "{repeat: a, times: 2, within: 7d, points: 15, hold: 30d}"


def test_the_window_is_half_open() -> None:
    assert gives(RULE, view(0), view(7 * DAY - 1)) == (15, 7 * DAY - 1)
    assert gives(RULE, view(0), view(7 * DAY)) is None


def test_two_at_the_same_moment_are_two() -> None:
    assert gives(RULE, view(0), view(0)) == (15, 0)


def test_one_event_twice_is_one() -> None:
    assert gives(RULE, view(0, event_id="x"), view(0, event_id="x")) is None


def test_an_occurrence_alone_does_not_move_the_match() -> None:
    """The third is too far from the second: the match stays where it was, and ends on its own day."""
    rows = [view(0), view(DAY), view(20 * DAY)]

    assert gives(RULE, *rows) == (15, DAY)
    assert changes_next(RULE, *rows) == 31 * DAY
    assert gives(RULE, *rows, at=31 * DAY) is None


def test_the_latest_match_counts() -> None:
    assert gives(RULE, view(0), view(DAY), view(2 * DAY)) == (15, 2 * DAY)


def test_disorder_changes_nothing() -> None:
    late = view(0, received=3 * DAY)

    assert gives(RULE, view(6 * DAY, received=0), late) == (15, 6 * DAY)
    assert gives(RULE, view(7 * DAY, received=0), late) is None


def test_a_late_event_may_close_a_window_in_the_past() -> None:
    rule = "{repeat: a, times: 3, within: 1h, points: 15}"
    rows = [view(0), view(59 * MINUTE), view(5 * HOUR), view(30 * MINUTE, received=6 * HOUR)]

    assert gives(rule, *rows) == (15, 59 * MINUTE)


def test_what_was_earned_stays_when_activity_pushes_it_out() -> None:
    """Sixteen lonely visits later nothing of the two is remembered but that they matched."""
    rule = "{repeat: a, times: 2, within: 1h, points: 15}"
    lonely = [view((2 + 2 * step) * HOUR) for step in range(20)]

    assert gives(rule, view(0), view(MINUTE), *lonely) == (15, MINUTE)


def test_what_was_earned_stays_when_a_key_is_seen_again() -> None:
    rule = "{repeat: visit, times: 2, within: 1h, points: 15}"
    rows = [view(0, session="s1"), view(MINUTE, session="s2"), view(5 * HOUR, session="s1")]

    assert gives(rule, *rows) == (15, MINUTE)


def test_sessions_count_once() -> None:
    rule = "{repeat: visit, times: 2, within: 1h, points: 15}"

    assert gives(rule, view(0, session="s1"), view(MINUTE, session="s1")) is None
    assert gives(rule, view(0, session="s1"), view(MINUTE, session="s2")) == (15, MINUTE)
    assert gives(rule, view(0), view(MINUTE)) == (15, MINUTE)
