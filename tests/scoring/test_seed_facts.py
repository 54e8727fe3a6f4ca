"""The arithmetic of the two articles that the product follows: sums, edges and thresholds, to the millisecond."""

from typing import Any

import pytest

from schemas.log import EmailReply, LogRow
from scoring.shipped import shipped_text
from tests.scoring.kernel.logs import (
    DAY,
    HOUR,
    MINUTE,
    T0,
    Told,
    bounced,
    download,
    form,
    opened,
    profile,
    tell,
    view,
)

B2B = shipped_text("b2b-default")
FIT_BEHAVIOUR = shipped_text("fit-behaviour-200")

# Every weight of the first article as it stands there: nothing ages, nothing excludes anything.
PLAIN = """
model: plain
version: 1
signals:
  pricing:  {on: page_view, where: {path: [/pricing*, /services*]}}
  blog:     {on: page_view, where: {path: /blog*}}
  other:    {on: page_view, except: {path: /blog*}}
  any_form: {on: form_fill}
  demo:     {on: form_fill, where: {form_type: demo}}
  rfp:      {on: download, where: {asset: "*rfp*"}}
  opens:    {on: email_open, where: {machine: false}, distinct: message_id}
  reply:    {on: email_reply, where: {in_reply_to: "*proposal*"}}
  bounce:   {on: bounce, where: {bounce_type: hard}}
  answer:   {on: [page_view, form_fill, email_reply]}
rules:
  fit:
    decision_maker:     {profile: {seniority: [c_level, vp]}, points: 20}
    icp_company:        {profile: {industry: software, company_size: 50..500}, points: 10}
  engagement:
    demo_request:       {each: demo, points: 30}
    rfp_download:       {each: rfp, points: 20}
    pricing_repeat:     {repeat: pricing, times: 2, within: 7d, points: 15}
    pricing_and_form:   {together: [pricing, any_form], within: 24h, points: 25}
    three_opens:        {streak: opens, times: 3, points: 15}
    proposal_answered:  {each: reply, points: 15}
  risk:
    blog_only:          {only: blog, none_of: other, within: 30d, points: 5}
    hard_bounce:        {each: bounce, points: -20}
    silence_after_demo: {silence: demo, broken_by: answer, within: 14d, points: -15}
score: {total: {of: [fit, engagement, risk], min: 0, max: 100}}
tiers: {hot: {at_least: 60}, warm: {at_least: 40}, cold: {}}
"""

DECISION_MAKER = profile(0, seniority="vp", industry="software", company_size=120)


def replied(at: int) -> EmailReply:
    """An answer to a proposal."""
    return EmailReply(
        "lead-1", T0 + at, T0 + at, f"reply-{at}", "mail", "m-9", "autumn", None, in_reply_to="proposal-7"
    )


def total(told: Told) -> tuple[int, str]:
    """The score of the lead, and its tier."""
    return told.scores["lead-1"].total, told.scores["lead-1"].tier


def line(model: str, *rows: LogRow, until: int | None = None) -> Told:
    """The story of a decision maker of the right company who asks for a demo an hour later, and what comes then."""
    return tell(model, DECISION_MAKER, form(HOUR, "demo"), *rows, until=until)


@pytest.mark.parametrize("model", [PLAIN, B2B])
class TestTheLineToHot:
    def test_a_decision_maker_who_asks_for_a_demo_is_hot_exactly_on_the_line(self, model: str) -> None:
        told = line(model)

        assert total(told) == (60, "hot")
        assert told.path() == [("hot", HOUR)]
        assert sorted(points for _, points in told.reasons()) == [10, 20, 30]

    def test_a_hard_bounce_takes_it_to_the_lower_edge_of_warm(self, model: str) -> None:
        told = line(model, bounced(HOUR + DAY))

        assert total(told) == (40, "warm")
        assert told.path()[-1] == ("warm", HOUR + DAY)

    def test_silence_of_14_days_after_the_demo_leaves_45(self, model: str) -> None:
        assert total(line(model, until=HOUR + 14 * DAY)) == (45, "warm")

    def test_both_make_it_cold(self, model: str) -> None:
        told = line(model, bounced(HOUR + DAY), until=HOUR + 14 * DAY)

        assert total(told) == (25, "cold")
        assert told.path()[-1] == ("cold", HOUR + 10 * DAY if model == B2B else HOUR + 14 * DAY)

    def test_a_visit_breaks_the_silence(self, model: str) -> None:
        assert total(line(model, view(HOUR + 13 * DAY), until=HOUR + 14 * DAY)) == (60, "hot")


def test_silence_after_the_demo_begins_to_the_millisecond() -> None:
    assert total(line(PLAIN, until=HOUR + 14 * DAY - 1)) == (60, "hot")
    assert line(PLAIN, until=HOUR + 14 * DAY).path() == [("hot", HOUR), ("warm", HOUR + 14 * DAY)]


def test_rules_about_the_same_silence_share_a_group() -> None:
    told = line(B2B, until=HOUR + 14 * DAY)

    # Quiet for 10 days, -10: 50 is under the 55 at which hot is left. After 14 days -15 takes its place, once.
    assert told.path() == [("hot", HOUR), ("warm", HOUR + 10 * DAY)]
    assert [one for one in told.reasons() if one[1] < 0] == [("silence_after_demo", -15)]


def test_a_bounce_soon_after_waits_for_the_least_stay() -> None:
    told = line(B2B, bounced(HOUR + MINUTE), until=2 * HOUR)

    assert told.path() == [("hot", HOUR), ("warm", 2 * HOUR)]
    assert told.changes[-1].cause == {"deadline": "stay_at_least"}


def story_of_95(*more: LogRow) -> list[LogRow]:
    """The positives of the article's annex; the form comes more than a day after the prices."""
    return [
        DECISION_MAKER,
        view(HOUR, "/pricing", session="s1"),
        view(2 * HOUR, "/services/x", session="s2"),
        download(3 * HOUR, "rfp-template.docx"),
        form(26 * HOUR, "demo"),
        *more,
    ]


EVERYTHING = [
    *story_of_95(),
    view(27 * HOUR, "/pricing", session="s3"),
    *(opened(27 * HOUR + number, f"m-{number}") for number in range(3)),
    replied(28 * HOUR),
]


def test_the_positives_of_the_annex_are_95() -> None:
    assert total(tell(PLAIN, *story_of_95())) == (95, "hot")


def test_all_of_them_are_155_and_clamped_to_100() -> None:
    told = tell(PLAIN, *EVERYTHING, view(38 * DAY, "/blog/a"))

    assert sum(points for _, points in told.reasons()) == 155
    assert total(told) == (100, "hot")


def test_with_the_groups_of_the_shipped_model_visits_and_form_count_once() -> None:
    told = tell(B2B, *story_of_95())

    assert total(told) == (95, "hot")
    assert [rule for rule, points in told.reasons() if points == 15] in (["pricing_repeat"], ["key_pages"])

    told = tell(B2B, *EVERYTHING)
    score = told.scores["lead-1"]

    assert dict(told.reasons())["pricing_and_form"] == 25
    assert not {"pricing_repeat", "pricing_once", "key_pages"} & dict(told.reasons()).keys()
    assert sum(points for _, points in told.reasons()) == 135
    assert (score.fit, score.engagement, score.total) == (30, 100, 100)


@pytest.mark.parametrize("model", [PLAIN, B2B])
@pytest.mark.parametrize(("apart", "points"), [(DAY - 1000, 25), (DAY - 1, 25), (DAY, 0), (DAY + 1000, 0)])
@pytest.mark.parametrize("form_first", [False, True])
@pytest.mark.parametrize("in_order", [True, False])
def test_prices_and_form_in_less_than_24_hours(
    model: str, apart: int, points: int, form_first: bool, in_order: bool
) -> None:
    received = apart + HOUR
    times = (apart, 0) if form_first else (0, apart)
    rows = [
        view(times[0], "/pricing", received=received, session="s1"),
        form(times[1], received=received),
    ]
    told = tell(model, *(rows if in_order else reversed(rows)))

    assert dict(told.reasons()).get("pricing_and_form", 0) == points


# --- two scores that stay two ----------------------------------------------------------------------------------------

SENIOR = {"seniority": "vp", "country": "DE"}


@pytest.mark.parametrize(
    ("fields", "rows", "scores", "tier"),
    [
        # Below 80 nurture, from 80 marketing's.
        ({"seniority": "vp", "company_size": 300}, [form(1, "contact")], (60, 15, 75), "nurture"),
        (SENIOR, [form(1, "demo")], (40, 40, 80), "mql"),
        # Above 120 sales', so 120 is still marketing's.
        (SENIOR | {"company_size": 300}, [form(1, "demo"), download(2)], (70, 50, 120), "mql"),
        (SENIOR | {"company_size": 300}, [form(1, "demo"), form(2, "contact")], (70, 55, 125), "sql"),
        # All fit and hardly any behaviour stays visible as such.
        (SENIOR | {"company_size": 300, "industry": "saas"}, [download(1)], (100, 10, 110), "mql"),
    ],
)
def test_fit_and_behaviour(fields: dict[str, Any], rows: list[LogRow], scores: tuple[int, int, int], tier: str) -> None:
    score = tell(FIT_BEHAVIOUR, profile(0, **fields), *rows).scores["lead-1"]

    assert (score.fit, score.engagement, score.total) == scores
    assert score.tier == tier


def test_the_same_product_scores_a_small_and_a_large_company_differently() -> None:
    small, large = (tell(FIT_BEHAVIOUR, profile(0, company_size=size)).scores["lead-1"].fit for size in (20, 500))

    assert small < large
