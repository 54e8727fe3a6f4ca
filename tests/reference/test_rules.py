"""Each kind of rule and each way of fading, against numbers worked out by hand."""

from typing import Any

import pytest

from tests.reference.evaluator import evaluate
from tests.reference.model import read_model
from tests.reference.plain_yaml import plain_model
from tests.reference.rules import next_cut, worth
from tests.reference.stories import DAY, HOUR, SECOND, T0, alarm, event, form, opened, profile, sent, visit

SIGNALS = """
  visit:   {on: page_view}
  pricing: {on: page_view, where: {path: /pricing}}
  blog:    {on: page_view, where: {path: /blog*}}
  other:   {on: page_view, except: {path: /blog*}}
  form:    {on: form_fill}
  open:    {on: email_open, where: {machine: false}, distinct: message_id}
  click:   {on: email_click, distinct: message_id}
  sent:    {on: email_sent}
"""


def a_model(rule: str) -> dict[str, Any]:
    """A model with one rule."""
    return plain_model(f"version: 1\nsignals:{SIGNALS}\nrules: {{engagement: {{r: {rule}}}}}\ntiers: {{cold: {{}}}}")


def reason(rule: str, *rows: dict[str, Any], at: int | None = None) -> tuple[int, int] | None:
    """What the one rule gives now, as (points, since - T0), or None."""
    found = evaluate(list(rows), a_model(rule), None if at is None else T0 + at).scores["lead-1"]["reasons"]
    return (found[0]["points"], found[0]["since"] - T0) if found else None


def next_change(rule: str, *rows: dict[str, Any], at: int | None = None) -> int | None:
    """When time alone changes it next, from T0."""
    moment = evaluate(list(rows), a_model(rule), None if at is None else T0 + at).scores["lead-1"]["changes_next_at"]
    return None if moment is None else moment - T0


@pytest.mark.parametrize(
    ("cut", "steps"),
    [
        ("points: 25", [(0, 25), (400 * DAY, 25)]),
        ("points: 25, hold: 30d", [(30 * DAY - 1, 25), (30 * DAY, 0)]),
        # 25 * (60d - age) / 30d is 24.99… one millisecond later: the cut is towards zero.
        (
            "points: 25, hold: 30d, fade: 30d",
            [(30 * DAY, 25), (30 * DAY + 1, 24), (45 * DAY, 12), (60 * DAY - 1, 0), (60 * DAY, 0)],
        ),
        # 10 * (10d - age) / 10d is exactly 9 after one day and 8.99… after it; it is 1 until exactly nine days.
        ("points: 10, fade: 10d", [(0, 10), (1, 9), (DAY, 9), (DAY + 1, 8), (9 * DAY, 1), (9 * DAY + 1, 0)]),
        ("points: -10, fade: 10d", [(0, -10), (1, -9), (DAY, -9), (DAY + 1, -8), (9 * DAY, -1), (9 * DAY + 1, 0)]),
        # 25, 12, 6, 3, 1, nothing.
        (
            "points: 25, halve: 1d",
            [(DAY - 1, 25), (DAY, 12), (2 * DAY, 6), (3 * DAY, 3), (4 * DAY, 1), (5 * DAY - 1, 1), (5 * DAY, 0)],
        ),
        ("points: -25, hold: 1h, halve: 1d", [(DAY, -25), (DAY + HOUR - 1, -25), (DAY + HOUR, -12)]),
    ],
)
def test_points_by_age(cut: str, steps: list[tuple[int, int]]) -> None:
    """Hold, fade and halve, cut towards zero."""
    for age, expected in steps:
        found = reason(f"{{each: visit, {cut}}}", visit(0), at=age)
        assert found == ((expected, 0) if expected else None)


def test_next_cut_is_the_first_millisecond_with_other_points() -> None:
    """Held against looking at every millisecond of a short life."""
    for cut in ("fade: 37ms", "hold: 5ms, fade: 20ms", "halve: 3ms", "hold: 4ms, halve: 1ms", "hold: 9ms"):
        rule = read_model(a_model(f"{{each: visit, points: 25, {cut}}}")).rules[0]
        for after in range(60):
            later = (
                moment
                for moment in range(after + 1, 100)
                if worth(rule, max(0, moment - 10)) != worth(rule, max(0, after - 10))
            )
            assert next_cut(rule, 10, after) == next(later, None)


def test_each_takes_the_latest_each_with_its_own_age() -> None:
    """Two of three visits, cut one by one: 5 * 9/10 = 4.5 and 5 * 8/10 = 4."""
    rule = "{each: visit, at_most: 2, points: 5, fade: 10d}"
    rows = [visit(0), visit(DAY), visit(2 * DAY)]

    assert reason(rule, *rows, at=3 * DAY) == (4 + 4, 2 * DAY)
    assert next_change(rule, *rows, at=3 * DAY) == 3 * DAY + 1
    assert reason(rule, *rows, at=3 * DAY + 1) == (4 + 3, 2 * DAY)
    assert reason("{each: visit, points: 5}", *rows) == (5, 2 * DAY)


def test_repeat_counts_from_the_latest_that_closes_a_window() -> None:
    """Three within less than seven days; a later lonely visit closes nothing."""
    rule = "{repeat: visit, times: 3, within: 7d, points: 15, hold: 30d}"
    early, middle = visit(0), visit(3 * DAY)

    assert reason(rule, early, middle, visit(7 * DAY)) is None
    assert reason(rule, early, middle, visit(7 * DAY - 1)) == (15, 7 * DAY - 1)
    assert reason(rule, early, middle, visit(6 * DAY), visit(20 * DAY)) == (15, 6 * DAY)
    assert next_change(rule, early, middle, visit(6 * DAY), visit(20 * DAY)) == 36 * DAY


def test_repeat_with_distinct_counts_a_key_once_at_its_latest_time() -> None:
    """Two openings of one message are one."""
    rule = "{repeat: open, times: 2, within: 7d, points: 15}"

    assert reason(rule, opened(0, "a"), opened(HOUR, "a")) is None
    assert reason(rule, opened(0, "a"), opened(HOUR, "b")) == (15, HOUR)
    # The key seen again later does not take away what was earned.
    assert reason(rule, opened(0, "a"), opened(HOUR, "b"), opened(30 * DAY, "a")) == (15, HOUR)


def test_together_in_any_order_and_in_order() -> None:
    """The latest moment at which one of each lies within the window."""
    rows = [form(0), visit(HOUR), form(5 * HOUR)]

    assert reason("{together: [visit, form], within: 4h, points: 9}", *rows) == (9, HOUR)
    assert reason("{together: [visit, form], within: 4h, in_order: true, points: 9}", *rows) is None
    assert reason("{together: [form, visit], within: 4h, in_order: true, points: 9}", *rows) == (9, HOUR)
    assert reason("{together: [visit, form], within: 5h, in_order: true, points: 9}", *rows) == (9, 5 * HOUR)
    assert reason("{together: [visit, form], within: 5h, points: 9}", *rows) == (9, 5 * HOUR)


def test_together_one_event_may_serve_two_signals() -> None:
    """Also in order: equal times are allowed."""
    assert reason("{together: [visit, pricing], within: 1ms, in_order: true, points: 9}", visit(0)) == (9, 0)
    assert reason("{together: [pricing, visit], within: 1ms, in_order: true, points: 9}", visit(0)) == (9, 0)


def test_together_in_order_of_three_takes_the_chain_that_goes_back_least() -> None:
    """Of open 0, visit 1, open 2, visit 3, form 5 the chain is 2, 3, 5."""
    rows = [opened(0, "a"), visit(1), opened(2, "b"), visit(3), form(5)]

    assert reason("{together: [open, visit, form], within: 4ms, in_order: true, points: 9}", *rows) == (9, 5)
    assert reason("{together: [open, visit, form], within: 3ms, in_order: true, points: 9}", *rows) is None


def test_a_list_of_signals_is_their_union_with_the_latest_time_of_each_key() -> None:
    """Message `a` opened and clicked is one occurrence, at the click."""
    rule = "{repeat: [open, click], times: 2, within: 1h, points: 9}"
    click = event("email_click", 2 * HOUR, message_id="a")

    assert reason(rule, opened(0, "a"), click) is None
    assert reason(rule, opened(0, "a"), click, opened(2 * HOUR + 5, "b")) == (9, 2 * HOUR + 5)


def test_streak_is_broken_by_what_is_not_earlier() -> None:
    """The latest three openings must all be later than the latest mail that was not opened."""
    rule = "{streak: open, times: 3, broken_by: [sent], points: 15, hold: 60d}"
    opens = [opened(at * HOUR, str(at)) for at in (1, 2, 3)]

    assert reason(rule, *opens[:2]) is None
    assert reason(rule, *opens) == (15, 3 * HOUR)
    assert reason(rule, *opens, sent(HOUR - 1, "s")) == (15, 3 * HOUR)
    assert reason(rule, *opens, sent(HOUR, "s")) is None
    assert reason(rule, *opens, sent(HOUR, "s"), opened(4 * HOUR, "4")) == (15, 4 * HOUR)
    assert next_change(rule, *opens) == 3 * HOUR + 60 * DAY
    within = "{streak: open, times: 3, within: 2h, points: 15}"
    assert reason(within, *opens) is None
    assert reason(within, opened(HOUR + 1, "x"), *opens[1:]) == (15, 3 * HOUR)


def test_machine_opens_do_not_count() -> None:
    """A scanner is nobody."""
    assert reason("{each: open, points: 1}", opened(0, "a", machine=True)) is None
    assert reason("{each: open, points: 1}", opened(0, "a", machine=False)) == (1, 0)


def test_only_while_nothing_else_happened_lately() -> None:
    """It comes back by time alone when the other visit is old enough, and ends with its own."""
    rule = "{only: blog, none_of: [other], within: 30d, points: 5}"
    rows = [visit(0, "/pricing"), visit(DAY, "/blog/a")]

    assert reason(rule, *rows) is None
    assert next_change(rule, *rows) == 30 * DAY
    assert reason(rule, *rows, at=30 * DAY) == (5, DAY)
    assert next_change(rule, *rows, at=30 * DAY) == 31 * DAY
    assert reason(rule, *rows, at=31 * DAY) is None
    assert next_change(rule, *rows, at=31 * DAY) is None


def test_silence_is_broken_only_by_something_later() -> None:
    """The form itself is at the same moment, not later; without `broken_by` only the signal itself starts it anew."""
    rule = "{silence: form, broken_by: [form, visit], within: 14d, points: -15}"

    assert reason(rule, form(0), at=14 * DAY - 1) is None
    assert reason(rule, form(0), at=14 * DAY) == (-15, 14 * DAY)
    assert reason(rule, form(0), visit(0), at=14 * DAY) == (-15, 14 * DAY)
    assert reason(rule, form(0), visit(1), at=14 * DAY) is None
    assert reason(rule, form(0), visit(1), form(DAY), at=15 * DAY) == (-15, 15 * DAY)
    assert reason(rule, form(0), alarm(20 * DAY), visit(21 * DAY)) is None
    assert reason("{silence: form, within: 14d, points: -15}", form(0), visit(1), at=14 * DAY) == (-15, 14 * DAY)


def test_profile_takes_the_latest_value_of_each_field_and_deletes() -> None:
    """By `occurred_at`, whatever the order of arrival; null and blank text delete from their time on."""
    rule = "{profile: {industry: saas, size: 50..500}, points: 10}"
    rows = [profile(SECOND, industry="SaaS "), profile(0, received_at=2 * SECOND, industry="bank", size=50)]

    assert reason(rule, *rows) == (10, SECOND)
    assert reason(rule, *rows, profile(HOUR, size="500")) == (10, HOUR)
    assert reason(rule, *rows, profile(HOUR, size="501")) is None
    for nothing in (None, "", "  "):
        assert reason(rule, *rows, profile(HOUR, size=nothing)) is None
        late = profile(HOUR - 1, received_at=2 * HOUR, size=60)
        assert reason(rule, *rows, profile(HOUR, size=nothing), late) is None
        assert reason(rule, *rows, profile(HOUR, size=nothing), profile(HOUR + 1, size=60)) == (10, HOUR + 1)
