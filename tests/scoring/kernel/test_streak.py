"""`streak`: while the latest occurrences are all later than the latest breaker."""

from tests.scoring.kernel.logs import DAY, HOUR, form, opened, view
from tests.scoring.kernel.one_rule import changes_next, gives

RULE = "{streak: open, times: 3, broken_by: form, points: 15, hold: 60d}"


def three(at: int = 0) -> list:  # type: ignore[type-arg]
    return [opened(at + step, f"m-{at}-{step}") for step in range(3)]


def test_three_running() -> None:
    assert gives(RULE, *three()[:2]) is None
    assert gives(RULE, *three()) == (15, 2)
    assert gives(RULE, *three(), opened(HOUR, "m-4")) == (15, HOUR)
    assert changes_next(RULE, *three()) == 2 + 60 * DAY


def test_a_breaker_must_be_earlier_than_all_of_them() -> None:
    assert gives(RULE, form(0, received=5), *three(1)) == (15, 3)
    assert gives(RULE, form(1), *three(1)) is None
    assert gives(RULE, *three(), form(HOUR)) is None
    assert gives(RULE, *three(), form(HOUR), *three(2 * HOUR)) == (15, 2 * HOUR + 2)


def test_a_late_breaker_breaks_what_came_before_it_only() -> None:
    assert gives(RULE, *three(HOUR), form(0, received=2 * HOUR)) == (15, HOUR + 2)
    assert gives(RULE, *three(HOUR), form(HOUR + 1, received=2 * HOUR)) is None


def test_the_same_message_opened_again_is_no_second_one() -> None:
    again = [opened(0, "m-1"), opened(1, "m-2"), opened(2, "m-2"), opened(3, "m-1")]

    assert gives(RULE, *again) is None


def test_within_is_half_open() -> None:
    rule = "{streak: a, times: 2, within: 1h, points: 15}"

    assert gives(rule, view(0), view(HOUR - 1)) == (15, HOUR - 1)
    assert gives(rule, view(0), view(HOUR)) is None
    assert gives(rule, view(0), view(HOUR - 1), view(3 * HOUR)) is None
