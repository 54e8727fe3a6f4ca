"""The shipped models hold every number of the two articles.

The tables below are the articles' numbers, written down a second time; what the articles leave open is only pinned
where a sentence of theirs depends on it.
"""

import pytest

from scoring.checks import warnings
from scoring.checks.reach import dimension_span, total_span
from scoring.conditions import Condition, Conditions, Pattern, Range
from scoring.model import DIMENSIONS, Bounds, Model, Rule, Signal, Tier, Total
from scoring.rules.base import Duration
from scoring.rules.each import Each
from scoring.rules.only import Only
from scoring.rules.profile import Profile
from scoring.rules.repeat import Repeat
from scoring.rules.silence import Silence
from scoring.rules.streak import Streak
from scoring.rules.together import Together
from scoring.shipped import shipped_model, shipped_models, shipped_text

HOUR, DAY = 3_600_000, 86_400_000


@pytest.fixture
def b2b() -> Model:
    return shipped_model("b2b-default")


@pytest.fixture
def fit200() -> Model:
    return shipped_model("fit-behaviour-200")


def rule(model: Model, name: str) -> Rule:
    return next(rule for rule in model.rules if rule.name == name)


def signal(model: Model, name: str) -> Signal:
    return next(signal for signal in model.signals if signal.name == name)


def texts(conditions: Conditions, field: str) -> set[str]:
    (condition,) = (one for one in conditions if one.field == field)
    return {one.text for one in condition.allowed if isinstance(one, Pattern)}


def test_they_are_there_by_name() -> None:
    assert shipped_models() == ("b2b-default", "fit-behaviour-200")
    assert [shipped_model(name).name for name in shipped_models()] == list(shipped_models())
    with pytest.raises(KeyError):
        shipped_text("../secrets")


def test_b2b_default_is_checked_without_a_warning(b2b: Model) -> None:
    assert warnings(b2b, "b2b-default") == []


def test_fit_behaviour_200_has_the_one_warning_that_its_article_asks_for(fit200: Model) -> None:
    """It knows no hard signal: above 120 is sales', however it came about."""
    (warning,) = warnings(fit200, "fit-behaviour-200")

    assert "no hard signal is required for the best tier, sql" in str(warning)


@pytest.mark.parametrize("name", shipped_models())
def test_at_most_ten_rules_in_a_dimension(name: str) -> None:
    model = shipped_model(name)
    counts = [sum(rule.dimension == dimension for rule in model.rules) for dimension in DIMENSIONS]

    assert max(counts) <= 10


@pytest.mark.parametrize(
    ("name", "dimension", "points"),
    [
        ("target_title", "fit", 10),
        ("target_sector", "fit", 10),
        ("decision_maker", "fit", 20),
        ("influencer", "fit", 10),
        ("icp_company", "fit", 10),
        ("key_pages", "engagement", 15),
        ("pricing_repeat", "engagement", 15),
        ("pricing_once", "engagement", 15),
        ("three_opens", "engagement", 15),
        ("demo", "engagement", 30),
        ("pricing_and_form", "engagement", 25),
        ("comparison_or_rfp", "engagement", 20),
        ("proposal_answered", "engagement", 15),
        ("blog_only", "risk", 5),
        ("hard_bounce", "risk", -20),
        ("gone_quiet", "risk", -10),
        ("no_response", "risk", -10),
        ("silence_after_demo", "risk", -15),
    ],
)
def test_every_weight_of_the_first_article(b2b: Model, name: str, dimension: str, points: int) -> None:
    assert (rule(b2b, name).dimension, rule(b2b, name).points) == (dimension, points)


@pytest.mark.parametrize("name", ["no_opens", "unsubscribed", "careers"])
def test_what_the_second_article_takes_away_without_a_number_takes_away_a_little(b2b: Model, name: str) -> None:
    assert -10 <= rule(b2b, name).points < 0
    assert "our number" in next(line for line in b2b.text.splitlines() if line.startswith(f"    {name}:"))


def test_managers_decide_and_prices_are_counted_as_the_article_counts_them(b2b: Model) -> None:
    kinds = {one.name: one.kind for one in b2b.rules}

    assert isinstance(kinds["decision_maker"], Profile)
    assert {"manager", "director"} <= texts(kinds["decision_maker"].profile, "seniority")
    assert kinds["pricing_repeat"] == Repeat(("pricing_visit",), 2, Duration(7 * DAY))
    assert kinds["key_pages"] == Repeat(("key_page",), 2, Duration(30 * DAY))
    assert signal(b2b, "key_page").distinct == "path"
    assert kinds["pricing_and_form"] == Together((("pricing_visit",), ("any_form",)), Duration(24 * HOUR))
    assert kinds["three_opens"] == Streak(("human_open",), 3, ("opted_out",))
    assert kinds["blog_only"] == Only(("blog_visit",), ("other_page",), Duration(30 * DAY))


def test_opens_by_machines_are_nobodys_interest() -> None:
    for name in shipped_models():
        opens = [one for one in shipped_model(name).signals if "email_open" in one.on]

        assert opens
        assert all(Condition("machine", (False,)) in one.where for one in opens)


def test_a_demo_request_asks_for_a_person(b2b: Model, fit200: Model) -> None:
    for model in (b2b, fit200):
        assert [one.name for one in model.signals if one.request] == ["demo_request"]


def test_three_silences_with_three_beginnings_cost_once(b2b: Model) -> None:
    silences = {
        one.name: (one.kind.silence, one.kind.within, one.points, one.group)
        for one in b2b.rules
        if isinstance(one.kind, Silence) and one.group
    }

    assert silences == {
        "silence_after_demo": (("demo_request",), 14 * DAY, -15, "silence"),
        "gone_quiet": (("site_answer", "mail_answer"), 10 * DAY, -10, "silence"),
        "no_response": (("outreach",), 10 * DAY, -10, "silence"),
    }
    no_opens = rule(b2b, "no_opens").kind
    assert isinstance(no_opens, Silence)
    assert (no_opens.silence, no_opens.within) == (("human_open",), 90 * DAY)


def test_contradictions_are_settled_by_groups(b2b: Model) -> None:
    """Prices once, twice, several pages or with a form; role and title; sector alone or with size."""
    groups = {group: {one.name for one in b2b.rules if one.group == group} for group in ("pricing", "role", "company")}

    assert groups == {
        "pricing": {"pricing_once", "pricing_repeat", "key_pages", "pricing_and_form"},
        "role": {"decision_maker", "influencer", "target_title"},
        "company": {"key_sector", "icp_company", "target_sector"},
    }


def test_the_scale_and_the_tiers_of_the_first_article(b2b: Model) -> None:
    hot, warm, cold = b2b.tiers

    assert b2b.total == Total(DIMENSIONS, 0, 100)
    assert (hot.name, hot.at_least, hot.leave_below, hot.stay_at_least_ms) == ("hot", 60, 55, HOUR)
    assert (warm.name, warm.at_least) == ("warm", 40)
    assert (cold.name, cold.at_least, cold.above) == ("cold", None, None)
    assert b2b.review_every_ms is not None
    assert 4 * 7 * DAY <= b2b.review_every_ms <= 6 * 7 * DAY
    assert b2b.owner


def test_hard_signals_open_the_hot_tier_and_outweigh_soft_ones(b2b: Model) -> None:
    hard = {rule(b2b, name).points for name in ("demo", "comparison_or_rfp", "proposal_answered")}
    soft = {rule(b2b, name).points for name in ("blog_only", "linkedin", "urgency")}

    assert set(b2b.tiers[0].requires_any) == {"demo", "comparison_or_rfp", "proposal_answered", "pricing_and_form"}
    assert min(hard) > max(soft)


def test_decision_maker_icp_and_demo_are_exactly_hot(b2b: Model) -> None:
    points = [rule(b2b, name).points for name in ("decision_maker", "icp_company", "demo")]
    bounce, silence = rule(b2b, "hard_bounce").points, rule(b2b, "silence_after_demo").points
    hot, warm = b2b.tiers[0].at_least, b2b.tiers[1].at_least

    assert sum(points) == hot == 60
    assert sum(points) + bounce == warm == 40
    assert sum(points) + silence == 45
    assert sum(points) + bounce + silence == 25
    # The demo's points outlast the silence that is counted against it.
    assert (rule(b2b, "demo").hold_ms or 0) > 14 * DAY


def test_two_scores_of_a_hundred_and_200_in_all(fit200: Model) -> None:
    sql, mql, nurture = fit200.tiers

    assert fit200.bounds == {"fit": Bounds(0, 100), "engagement": Bounds(0, 100)}
    assert fit200.total == Total(("fit", "engagement"), 0, 200)
    assert sql == Tier("sql", above=120, place=sql.place)
    assert mql == Tier("mql", at_least=80, place=mql.place)
    assert nurture == Tier("nurture", place=nurture.place)


def test_both_scores_can_be_full_and_the_sum_can_be_sales(fit200: Model) -> None:
    assert [dimension_span(fit200, name).high for name in ("fit", "engagement")] == [100, 100]
    assert total_span(fit200).high == 200


def test_a_company_of_20_and_one_of_500_are_scored_differently(fit200: Model) -> None:
    def size_points(employees: int) -> list[int]:
        return [
            one.points
            for one in fit200.rules
            if isinstance(one.kind, Profile)
            for condition in one.kind.profile
            if condition.field == "company_size"
            for span in condition.allowed
            if isinstance(span, Range) and (span.low or 0) <= employees <= (span.high or employees)
        ]

    assert size_points(20) == [15]
    assert size_points(500) == [30]


def test_signals_of_which_only_the_latest_matters_keep_one(b2b: Model) -> None:
    """A row is as small as its rules allow."""
    counted: set[str] = set()
    for one in b2b.rules:
        if isinstance(one.kind, Repeat | Streak):
            counted.update(one.kind.repeat if isinstance(one.kind, Repeat) else one.kind.streak)
        if isinstance(one.kind, Together):
            counted.update(name for union in one.kind.together for name in union)

    assert all(one.keep == 1 for one in b2b.signals if one.name not in counted)
    assert all(not isinstance(one.kind, Each) or one.kind.at_most == 1 for one in b2b.rules)
