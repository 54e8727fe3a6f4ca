"""What `check` warns of, and what it does not."""

import pytest

from scoring.checks import warnings
from tests.scoring.model.builders import a_model

FORM = "demo: {on: form_fill}"


def told(**sections: str) -> list[str]:
    return [str(problem).removeprefix("m.yaml:") for problem in warnings(a_model(**sections), "m.yaml")]


def in_engagement(*rules: str, demo: str = "demo: {each: demo, points: 30, hold: 90d}") -> str:
    return f"engagement: {{{', '.join((demo, *rules))}}}"


def test_a_plain_model_has_no_warnings() -> None:
    assert told() == []


def test_more_than_ten_rules_in_a_dimension() -> None:
    names = [chr(ord("a") + number) for number in range(11)]
    fit = ", ".join(f"{name}: {{profile: {{{name}: 1}}, points: 1}}" for name in names)

    assert told(rules=f"fit: {{{fit}}}, {in_engagement()}") == [
        "5:345: dimension fit has 11 rules, this is number 11; keep the 10 that matter most"
    ]


@pytest.mark.parametrize(
    ("tiers", "warning"),
    [
        (
            "hot: {at_least: 31, requires_any: demo}, cold: {}",
            "6:9: tier hot cannot be reached: it needs the total to be 31, which is never over 30; ask for less, or "
            "raise points",
        ),
        (
            "hot: {above: 30, requires_any: demo}, cold: {}",
            "6:9: tier hot cannot be reached: it needs the total to be 31, which is never over 30; ask for less, or "
            "raise points",
        ),
        (
            "hot: {engagement_at_least: 40, requires_any: demo}, cold: {}",
            "6:9: tier hot cannot be reached: it needs engagement to be 40, which is never over 30; ask for less, or "
            "raise points",
        ),
        (
            "hot: {at_least: 30, requires_any: demo}, warm: {}, cold: {}",
            "6:60: tier cold cannot be reached: warm takes every lead that it would take; ask more of warm, or remove "
            "the tier",
        ),
        (
            "hot: {at_least: 30, requires_any: demo}, warm: {at_least: 0}, cold: {}",
            "6:71: tier cold cannot be reached: warm takes every lead that it would take; ask more of warm, or remove "
            "the tier",
        ),
        (
            "hot: {requires_any: demo}, warm: {at_least: 20, requires_any: demo}, cold: {}",
            "6:36: tier warm cannot be reached: hot takes every lead that it would take; ask more of hot, or remove "
            "the tier",
        ),
    ],
)
def test_a_tier_that_cannot_be_reached(tiers: str, warning: str) -> None:
    assert told(tiers=tiers) == [warning]


def test_groups_clamps_and_at_most_decide_how_far_points_go() -> None:
    rules = """fit: {a: {profile: {x: 1}, points: 50, group: g}, b: {profile: {x: 2}, points: 40, group: g}},
               engagement: {demo: {each: demo, points: 20, at_most: 3, hold: 1d}}"""
    bound = "score: {engagement: {max: 45}}, review_every: 5w"

    def reaches(total: int) -> bool:
        tiers = f"hot: {{at_least: {total}, requires_any: demo}}, cold: {{}}"
        return told(rules=rules, tiers=tiers, more=bound.replace(", ", "\n")) == []

    assert reaches(95)
    assert not reaches(96)


def test_a_tier_that_only_penalties_would_open() -> None:
    rules = in_engagement() + ", risk: {bad: {each: demo, points: -5, hold: 1d}}"

    assert told(rules=rules, tiers="hot: {at_least: 20, requires_any: bad}, cold: {}") == [
        "6:9: tier hot cannot be reached: none of its requires_any (bad) ever has more than 0 points; name a rule that "
        "rewards"
    ]


def test_a_signal_nobody_uses_unless_it_is_a_request() -> None:
    signals = f"{FORM}, idle: {{on: bounce}}, ask: {{on: bounce, request: true}}"

    assert told(signals=signals) == ["4:34: nobody uses signal idle; remove it, or name it in a rule"]


@pytest.mark.parametrize(
    ("weak", "strong"),
    [
        ("{silence: visit, within: 14d, points: -5, group: g}", "{silence: visit, within: 10d, points: -5, group: g}"),
        ("{repeat: visit, times: 3, within: 1d, points: 5, group: g}", "{each: visit, points: 5, group: g}"),
        (
            "{repeat: visit, times: 3, within: 1d, points: 5, hold: 9d, group: g}",
            "{repeat: visit, times: 2, within: 7d, points: 5, hold: 9d, group: g}",
        ),
        ("{each: price, points: 5, hold: 9d, group: g}", "{each: visit, points: 5, hold: 10d, group: g}"),
        ("{together: [visit, demo], within: 1d, points: 5, group: g}", "{each: visit, points: 5, group: g}"),
        (
            "{together: [visit, demo], within: 1d, in_order: true, points: 5, group: g}",
            "{together: [demo, visit], within: 2d, points: 5, group: g}",
        ),
        ("{only: visit, none_of: demo, within: 9d, points: 5, group: g}", "{each: visit, points: 5, group: g}"),
        (
            "{profile: {role: vp, size: 5..9}, points: 5, group: g}",
            "{profile: {role: [vp, director]}, points: 5, group: g}",
        ),
    ],
)
def test_a_rule_that_can_never_win_its_group(weak: str, strong: str) -> None:
    signals = f"{FORM}, visit: {{on: page_view}}, price: {{on: page_view, where: {{path: /p}}}}"

    def never_wins(first: str, second: str) -> bool:
        lines = told(signals=signals, rules=f"{in_engagement()}, risk: {{one: {first}, two: {second}}}")
        return any("can never win its group g" in line for line in lines)

    assert never_wins(strong, weak)
    # The rule with less to it wins where it has more points, and so does the one before it in a tie.
    assert not never_wins(strong, weak.replace("points: 5", "points: 9").replace("points: -5", "points: -9"))
    assert not never_wins(weak, strong)


def test_the_warning_of_a_group_names_both_rules() -> None:
    rules = in_engagement(
        "one: {each: demo, points: 9, group: g}",
        "two: {repeat: demo, times: 2, within: 1d, points: 5, group: g}",
        demo="demo: {each: demo, points: 30, group: g}",
    )

    assert (
        "5:64: rule one can never win its group g: whenever it counts, demo does with no fewer points; give it more "
        "points than that, or remove it"
    ) in [line for line in told(rules=rules) if "never win" in line]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{each: visit, points: 5, hold: 1d}", "{repeat: visit, times: 2, within: 1d, points: 5, hold: 1d}"),
        ("{each: visit, points: 5, hold: 1d}", "{each: price, points: 5, hold: 1d}"),
        ("{each: [visit, demo], points: 5, hold: 1d}", "{only: price, none_of: demo, within: 1d, points: 5}"),
        ("{each: visit, points: 5, hold: 1d}", "{together: [visit, demo], within: 1d, points: 5, hold: 1d}"),
        (
            "{together: [visit, price], within: 2d, points: 5, hold: 1d}",
            "{together: [visit, demo, price], within: 1d, points: 5, hold: 1d}",
        ),
        ("{silence: visit, within: 2d, points: -5}", "{silence: price, broken_by: demo, within: 1d, points: -5}"),
        ("{profile: {role: vp}, points: 5}", "{profile: {role: [vp, cto], country: x}, points: 5}"),
        ("{profile: {size: 50..500}, points: 5}", "{profile: {size: 400..}, points: 5}"),
        ("{profile: {title: head*}, points: 5}", "{profile: {title: head of sales}, points: 5}"),
    ],
)
def test_two_rules_that_reward_the_same_fact(first: str, second: str) -> None:
    signals = f"{FORM}, visit: {{on: page_view}}, price: {{on: page_view, where: {{path: /p}}}}"

    def twice(one: str, other: str) -> bool:
        lines = told(signals=signals, rules=f"{in_engagement()}, risk: {{one: {one}, two: {other}}}")
        return any("rules one and two" in line and "the same fact" in line for line in lines)

    grouped = [rule.replace("points", "group: g, points") for rule in (first, second)]
    assert twice(first, second)
    assert twice(second, first)
    assert not twice(*grouped)
    assert not twice(first.replace("points: ", "points: -").replace("--", ""), second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{each: blog, points: 5, hold: 1d}", "{each: price, points: 5, hold: 1d}"),
        ("{together: [price, demo], within: 1d, points: 5, hold: 1d}", "{each: blog, points: 5, hold: 1d}"),
        ("{silence: price, within: 2d, points: -5}", "{each: price, points: -5, hold: 1d}"),
        ("{profile: {role: vp}, points: 5}", "{profile: {role: cto}, points: 5}"),
        ("{profile: {role: vp}, points: 5}", "{profile: {country: x}, points: 5}"),
        ("{profile: {size: 1..9}, points: 5}", "{profile: {size: 10..}, points: 5}"),
    ],
)
def test_rules_about_different_facts(first: str, second: str) -> None:
    signals = f"{FORM}, price: {{on: page_view, where: {{path: /p}}}}, blog: {{on: page_view, where: {{path: /b}}}}"
    lines = told(signals=signals, rules=f"risk: {{one: {first}, two: {second}}}, {in_engagement()}")

    assert not any("rules one and two" in line for line in lines)


def test_points_that_never_expire() -> None:
    assert told(rules=in_engagement(demo="demo: {each: demo, points: 30}")) == [
        "5:22: the 30 points of rule demo never expire; add hold, fade or halve: what somebody did a year ago says "
        "little"
    ]


def test_no_hard_signal_for_the_best_tier() -> None:
    assert told(tiers="hot: {at_least: 30}, cold: {}") == [
        "6:9: no hard signal is required for the best tier, hot; add requires_any with the rules that show a wish to "
        "buy, such as a demo request"
    ]


def test_review_every_is_missing() -> None:
    assert told(more="owner: sales") == [
        "1:1: the model has no review_every; add review_every: 5w, or what you agree on"
    ]
