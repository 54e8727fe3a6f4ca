"""`only`: while the signal occurred in the window and nothing of the others did."""

from tests.scoring.kernel.logs import DAY, HOUR, form, view
from tests.scoring.kernel.one_rule import changes_next, gives

RULE = "{only: a, none_of: [b, form], within: 30d, points: 5}"


def test_alone_and_in_the_window() -> None:
    assert gives(RULE, view(0)) == (5, 0)
    assert gives(RULE, view(0), view(DAY), at=30 * DAY) == (5, DAY)
    assert gives(RULE, view(0), at=30 * DAY - 1) == (5, 0)
    assert gives(RULE, view(0), at=30 * DAY) is None
    assert changes_next(RULE, view(0)) == 30 * DAY


def test_anything_else_in_the_window_ends_it() -> None:
    assert gives(RULE, view(0), view(HOUR, "/b")) is None
    assert gives(RULE, view(HOUR), form(0, received=2 * HOUR)) is None


def test_it_comes_back_when_the_others_leave_the_window() -> None:
    rows = [view(0, "/b"), view(DAY)]

    assert gives(RULE, *rows, at=30 * DAY - 1) is None
    assert gives(RULE, *rows, at=30 * DAY) == (5, DAY)
    assert gives(RULE, *rows, at=31 * DAY) is None


def test_without_the_signal_nothing() -> None:
    assert gives(RULE, form(0), at=31 * DAY) is None
