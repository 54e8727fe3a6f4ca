"""Groups, clamps, hysteresis and staying, against stories worked out by hand."""

from typing import Any

import pytest

from tests.reference.evaluator import evaluate
from tests.reference.plain_yaml import plain_model
from tests.reference.stories import DAY, HOUR, MINUTE, T0, alarm, bounced, form, profile, visit


def a_model(tiers: str, rules: str | None = None, score: str = "{}") -> dict[str, Any]:
    """Visits give 10, forms 30, bounces -10, titles 20 or 10; unless other rules are given."""
    rules = rules or (
        "{fit: {title: {profile: {t: boss}, points: 20}}, engagement: {form: {each: form, points: 30, hold: 2h},"
        " visit: {each: visit, at_most: 5, points: 10, hold: 1d}}, risk: {bounce: {each: bounce, points: -10}}}"
    )
    return plain_model(
        "version: 1\nsignals: {form: {on: form_fill}, visit: {on: page_view}, bounce: {on: bounce}}\n"
        f"rules: {rules}\nscore: {score}\ntiers: {tiers}"
    )


def path(model: dict[str, Any], *rows: dict[str, Any], until: int | None = None) -> list[tuple[str, int, Any]]:
    """The tier changes as (to, effective_at - T0, deadline or None)."""
    outcome = evaluate(list(rows), model, None if until is None else T0 + until)
    return [(one["to_tier"], one["effective_at"] - T0, one["cause"].get("deadline")) for one in outcome.changes]


def test_a_lead_that_nobody_has_heard_of_is_in_the_last_tier_and_being_there_is_no_change() -> None:
    """No change, number 0, since nothing."""
    outcome = evaluate([bounced(0)], a_model("{warm: {at_least: 1}, cold: {}}"))

    assert outcome.changes == []
    assert outcome.scores["lead-1"]["tier"] == "cold"
    assert (outcome.scores["lead-1"]["seq"], outcome.scores["lead-1"]["tier_since"]) == (0, None)


def test_at_least_includes_and_above_does_not() -> None:
    """30 is at least 30 and not above it."""
    assert path(a_model("{hot: {at_least: 30}, cold: {}}"), form(0)) == [("hot", 0, None)]
    assert path(a_model("{hot: {above: 30}, cold: {}}"), form(0)) == []
    assert path(a_model("{hot: {above: 30}, cold: {}}"), form(0), visit(1)) == [("hot", 1, None)]


def test_who_is_in_a_tier_or_a_better_one_stays_until_leave_below() -> None:
    """Coming from below takes 40; staying takes 20, also on the way down from a better tier."""
    model = a_model("{hot: {at_least: 60}, warm: {at_least: 40, leave_below: 20}, cold: {}}")

    assert path(model, form(0), until=HOUR) == []
    assert path(model, form(0), visit(0), bounced(1), until=HOUR) == [("warm", 0, None)]
    # 60, then the form ends: 30 is less than 40, yet it came from above.
    rows = [form(0), visit(0), visit(1), visit(2)]
    assert path(model, *rows, until=3 * HOUR) == [("warm", 0, None), ("hot", 2, None), ("warm", 2 * HOUR, "form")]
    assert path(model, *rows, bounced(3), until=3 * HOUR)[2:] == [("warm", 3, None)]
    assert path(model, *rows, until=DAY + 1)[3:] == [("cold", DAY + 1, "visit")]


def test_leave_below_keeps_the_other_conditions() -> None:
    """A gate that no longer holds ends the tier whatever the total."""
    model = a_model("{hot: {at_least: 60, leave_below: 1, requires_any: [form]}, cold: {}}")
    rows = [form(0), *[visit(at) for at in range(5)]]

    assert path(model, *rows, until=3 * HOUR) == [("hot", 2, None), ("cold", 2 * HOUR, "form")]


@pytest.mark.parametrize(("gate", "expected"), [("fit_at_least: 20", 2), ("engagement_at_least: 50", 3)])
def test_gates_on_dimensions(gate: str, expected: int) -> None:
    """Forms and visits alone do not make hot without the title; the title not without enough forms and visits."""
    model = a_model(f"{{hot: {{at_least: 20, {gate}}}, cold: {{}}}}")
    rows = [form(0), visit(1), profile(2, t="boss"), visit(3)]

    assert path(model, *rows)[0][:2] == ("hot", expected)


def test_requires_any_looks_at_points_whether_or_not_the_group_lets_them_count() -> None:
    """A loser of its group opens the gate, and closes it when it ends: the same reasons, another tier."""
    rules = (
        "{engagement: {big: {each: visit, points: 30, group: g}, small: {each: form, points: 5, hold: 1h, group: g}}}"
    )
    model = a_model("{hot: {at_least: 30, requires_any: [small]}, cold: {}}", rules)
    outcome = evaluate([visit(0), form(MINUTE)], model)

    assert [one["rule"] for one in outcome.scores["lead-1"]["reasons"]] == ["big"]
    assert outcome.scores["lead-1"]["changes_next_at"] == T0 + HOUR + MINUTE
    assert path(model, visit(0), form(MINUTE), until=DAY) == [("hot", MINUTE, None), ("cold", HOUR + MINUTE, "small")]


def test_of_a_group_the_largest_counts_and_in_a_tie_the_first_of_the_file() -> None:
    """25 fades below 15 on the way: then the other one counts."""
    rules = (
        "{engagement: {slow: {each: visit, points: 15, group: g}, quick: {each: form, points: 25, fade: 25h, group: g},"
        " even: {each: bounce, points: 15, group: g}}}"
    )
    model = a_model("{cold: {}}", rules)
    rows = [visit(0), form(0), bounced(0)]

    def counting(at: int) -> list[tuple[str, int]]:
        reasons = evaluate(rows, model, T0 + at).scores["lead-1"]["reasons"]
        return [(one["rule"], one["points"]) for one in reasons]

    assert counting(9 * HOUR) == [("quick", 16)]
    assert counting(9 * HOUR + 1) == [("slow", 15)]


def test_reasons_are_the_largest_first_then_in_the_order_of_the_file() -> None:
    """By size, so -20 comes before 15; equal sizes as the file has them, across dimensions."""
    rules = (
        "{risk: {b: {each: bounce, points: -20}, v: {each: visit, points: -15}},"
        " fit: {t: {profile: {t: x}, points: 15}}, engagement: {f: {each: form, points: 30}}}"
    )
    outcome = evaluate([visit(0), form(0), bounced(0), profile(0, t="x")], a_model("{cold: {}}", rules))

    assert [one["rule"] for one in outcome.scores["lead-1"]["reasons"]] == ["f", "b", "v", "t"]


def test_dimensions_are_clamped_once_and_then_the_total() -> None:
    """Engagement 80 becomes 50, risk -30 becomes -20: 30, and no more than 25 in all."""
    model = a_model(
        "{cold: {}}", score="{engagement: {max: 50}, risk: {min: -20}, total: {of: [engagement, risk], max: 25}}"
    )
    rows = [form(0), *[visit(at) for at in range(5)], bounced(0), profile(0, t="boss")]
    model["rules"]["risk"]["bounce"]["points"] = -30
    score = evaluate(rows, model).scores["lead-1"]

    assert (score["fit"], score["engagement"], score["risk"], score["total"]) == (20, 50, -20, 25)


STAY = "{hot: {at_least: 60}, warm: {at_least: 40, stay_at_least: 1h}, cold: {}}"


def test_who_must_stay_goes_down_at_exactly_the_end() -> None:
    """Entered at 0, fell at a minute, looked at again at exactly one hour."""
    rows = [form(0), visit(0), bounced(MINUTE)]

    assert path(a_model(STAY), *rows, until=HOUR - 1) == [("warm", 0, None)]
    assert path(a_model(STAY), *rows, until=HOUR) == [("warm", 0, None), ("cold", HOUR, "stay_at_least")]
    assert path(a_model(STAY), *rows, bounced(HOUR)) == [("warm", 0, None), ("cold", HOUR, "stay_at_least")]
    assert path(a_model(STAY), form(0), visit(0), bounced(HOUR)) == [("warm", 0, None), ("cold", HOUR, None)]


def test_who_recovered_in_time_stays_on() -> None:
    """At the end of the hour the total is right again."""
    rows = [form(0), visit(0), bounced(MINUTE), visit(2 * MINUTE), alarm(HOUR)]

    assert path(a_model(STAY), *rows) == [("warm", 0, None)]


def test_going_up_ends_staying_and_each_entry_starts_anew() -> None:
    """Up to hot and down again: warm for another hour from then, or straight to cold."""
    model = a_model(STAY)
    model["rules"]["risk"]["bounce"]["at_most"] = 3
    hot = [form(0), visit(0), visit(MINUTE), visit(2 * MINUTE)]
    down = [bounced(3 * MINUTE), bounced(4 * MINUTE), bounced(5 * MINUTE)]

    # 60, then 50, 40 and 30: warm since the third minute, until an hour after it.
    assert path(model, *hot, *down, until=2 * HOUR - 1) == [
        ("warm", 0, None),
        ("hot", 2 * MINUTE, None),
        ("warm", 3 * MINUTE, None),
        ("cold", 63 * MINUTE, "stay_at_least"),
    ]
    model["rules"]["risk"]["bounce"]["points"] = -40
    assert path(model, *hot, down[0])[2:] == [("cold", 3 * MINUTE, None)]


def test_a_rule_that_changes_at_the_end_of_the_stay_is_named_before_it() -> None:
    """Both at one moment: the rule of the file."""
    model = a_model(STAY)
    model["rules"]["engagement"]["form"]["hold"] = "1h"

    assert path(model, form(0), visit(0), until=2 * HOUR) == [("warm", 0, None), ("cold", HOUR, "form")]
