"""The reference against numbers worked out by hand: the seed facts, deadlines, log time."""

from typing import Any

from tests.reference.evaluator import evaluate
from tests.reference.plain_yaml import plain_model
from tests.reference.stories import (
    DAY,
    HOUR,
    T0,
    alarm,
    bounced,
    event,
    form,
    model_row,
    profile,
    visit,
)

SEED = plain_model("""
model: seed
version: 1
publish: [country, company_size]
signals:
  pricing_visit: {on: page_view, where: {path: [/pricing*, /services*]}, distinct: session_id}
  any_form:      {on: form_fill}
  demo_request:  {on: form_fill, where: {form_type: [demo, meeting]}, request: true}
  comparison:    {on: download, where: {asset: [comparison*, rfp*]}}
  reply:         {on: email_reply}
  hard_bounce:   {on: bounce, where: {bounce_type: hard}}
  any_answer:    {on: [page_view, form_fill, email_click, email_reply]}
rules:
  fit:
    decision_maker: {profile: {seniority: [c_level, vp, director]}, points: 20, group: role}
    influencer:     {profile: {seniority: [manager, lead]}, points: 10, group: role}
    icp_company:    {profile: {industry: [software, saas], company_size: 50..500}, points: 10}
  engagement:
    demo:             {each: demo_request, points: 30}
    key_pages:        {repeat: pricing_visit, times: 2, within: 7d, points: 15}
    pricing_and_form: {together: [pricing_visit, any_form], within: 24h, points: 25}
    rfp:              {each: comparison, points: 20}
    proposal_reply:   {each: reply, points: 15}
  risk:
    hard_bounce:        {each: hard_bounce, points: -20}
    silence_after_demo: {silence: demo_request, broken_by: [any_answer], within: 14d, points: -15}
score:
  fit: {max: 100}
  engagement: {max: 100}
  risk: {min: -100}
  total: {of: [fit, engagement, risk], min: 0, max: 100}
tiers:
  hot:  {at_least: 60}
  warm: {at_least: 40}
  cold: {}
""")

DIRECTOR: dict[str, Any] = {"seniority": "director", "industry": "SaaS", "company_size": "120"}


def score(*rows: dict[str, Any], model: dict[str, Any] = SEED, until: int | None = None) -> dict[str, Any]:
    """The score of the one lead in these rows."""
    return evaluate(list(rows), model, None if until is None else T0 + until).scores["lead-1"]


def changes(*rows: dict[str, Any], model: dict[str, Any] = SEED, until: int | None = None) -> list[tuple[Any, ...]]:
    """The tier changes as (from, to, effective_at - T0, cause)."""
    outcome = evaluate(list(rows), model, None if until is None else T0 + until)
    return [(one["from_tier"], one["to_tier"], one["effective_at"] - T0, one["cause"]) for one in outcome.changes]


def test_sixty_is_hot_on_the_line() -> None:
    """Decision maker 20 + ICP 10 + demo 30."""
    outcome = evaluate([profile(0, **DIRECTOR, country="DE"), form(HOUR, "demo", event_id="d")], SEED)

    assert outcome.changes == [
        {
            "lead_id": "lead-1",
            "seq": 1,
            "from_tier": "cold",
            "to_tier": "hot",
            "effective_at": T0 + HOUR,
            "decided_at": T0 + HOUR,
            "fit": 30,
            "engagement": 30,
            "risk": 0,
            "total": 60,
            "reasons": [
                {"rule": "demo", "dimension": "engagement", "points": 30, "since": T0 + HOUR},
                {"rule": "decision_maker", "dimension": "fit", "points": 20, "since": T0},
                {"rule": "icp_company", "dimension": "fit", "points": 10, "since": T0},
            ],
            "cause": {"event_id": "d", "kind": "form_fill"},
            "profile": {"country": "DE", "company_size": "120"},
        }
    ]
    assert outcome.scores["lead-1"]["changes_next_at"] == T0 + HOUR + 14 * DAY


def test_hard_bounce_silence_and_both() -> None:
    """40 is warm on its lower edge, 45 is warm, 25 is cold."""
    rows = [profile(0, **DIRECTOR), form(0, "demo")]

    assert score(*rows, bounced(HOUR))["total"] == 40
    assert score(*rows, bounced(HOUR))["tier"] == "warm"
    assert score(*rows, until=14 * DAY)["total"] == 45
    assert score(*rows, until=14 * DAY)["tier"] == "warm"
    assert score(*rows, bounced(HOUR), until=14 * DAY)["total"] == 25
    assert score(*rows, bounced(HOUR), until=14 * DAY)["tier"] == "cold"


def test_silence_starts_at_exactly_fourteen_days_and_ends_with_the_next_answer() -> None:
    """Not a millisecond before; the change says which rule, at the moment of the deadline and not of the firing."""
    rows = [profile(0, **DIRECTOR), form(0, "demo")]

    assert score(*rows, until=14 * DAY - 1)["tier"] == "hot"
    seen = changes(*rows, alarm(20 * DAY), visit(21 * DAY, "/about", event_id="v"))
    assert seen[1:] == [
        ("hot", "warm", 14 * DAY, {"deadline": "silence_after_demo"}),
        ("warm", "hot", 21 * DAY, {"event_id": "v", "kind": "page_view"}),
    ]


def test_everything_at_once_is_clamped_to_a_hundred() -> None:
    """20 + 10 + 15 + 20 + 30 = 95, with 25 + 15 more than 100 in engagement; total never over 100."""
    rows = [
        profile(0, **DIRECTOR),
        visit(0, session_id="a"),
        visit(HOUR, session_id="b"),
        event("download", HOUR, asset="RFP-2026.pdf"),
        form(2 * HOUR, "demo"),
        event("email_reply", 3 * HOUR, message_id="m"),
    ]
    without_icp = [profile(0, seniority="vp"), *rows[1:]]

    assert sum(one["points"] for one in score(*rows)["reasons"]) == 20 + 10 + 30 + 15 + 25 + 20 + 15
    assert (score(*rows)["fit"], score(*rows)["engagement"], score(*rows)["total"]) == (30, 100, 100)
    assert sum(one["points"] for one in score(*without_icp)["reasons"]) == 125


def test_prices_and_form_in_less_than_a_day() -> None:
    """25 at 23:59:59.999, nothing at 24:00:00.000; the order of arrival changes nothing."""
    visited = visit(0, event_id="v")
    for late, expected in ((DAY - 1, 25), (DAY, 0)):
        filled = form(late, event_id="f")

        assert score(visited, filled)["engagement"] == expected
        assert score(filled, {**visited, "received_at": filled["received_at"]})["engagement"] == expected


def test_an_event_ahead_of_the_clock_counts_at_once_with_age_zero() -> None:
    """Silence counts from its own time, fifteen seconds ahead."""
    ahead = form(15_000, "demo", received_at=0)

    assert score(ahead)["engagement"] == 30
    assert score(ahead)["changes_next_at"] == T0 + 15_000 + 14 * DAY


def test_deadlines_come_in_order_of_moment_and_lead_with_the_log_time_that_brought_them() -> None:
    """An alarm brings all that is due, whoever's it is; a lead's own row brings its own."""
    rows = [
        form(0, "demo", lead="b"),
        form(0, "demo", lead="a"),
        form(1, "demo", lead="c"),
        profile(2, lead="a", **DIRECTOR),
        profile(2, lead="b", **DIRECTOR),
        profile(2, lead="c", **DIRECTOR),
    ]
    outcome = evaluate([*rows, alarm(15 * DAY)], SEED)

    down = outcome.changes[3:]
    assert [(one["lead_id"], one["effective_at"] - T0) for one in down] == [
        ("a", 14 * DAY),
        ("b", 14 * DAY),
        ("c", 14 * DAY + 1),
    ]
    assert {one["decided_at"] - T0 for one in down} == {15 * DAY}


def test_a_row_brings_its_own_leads_deadlines_even_where_log_time_is_behind() -> None:
    """Log time is what `safe` says; the other lead has to wait for it."""
    rows = [profile(0, lead=lead, **DIRECTOR) for lead in ("a", "b")]
    rows += [form(0, "demo", lead=lead) for lead in ("a", "b")]
    late = {**bounced(14 * DAY, lead="b"), "safe": T0 + DAY}
    outcome = evaluate([*rows, late], SEED)

    assert [(one["lead_id"], one["to_tier"], one["cause"]) for one in outcome.changes[2:]] == [
        ("b", "warm", {"deadline": "silence_after_demo"}),
        ("b", "cold", {"event_id": late["event_id"], "kind": "bounce"}),
    ]
    assert {one["decided_at"] - T0 for one in outcome.changes[2:]} == {DAY}
    assert {one["effective_at"] - T0 for one in outcome.changes[2:]} == {14 * DAY}


def test_a_leads_time_never_runs_backwards() -> None:
    """A row that was received before the lead's last moment is assessed at that moment."""
    outcome = evaluate([form(DAY, "demo"), {**profile(0, **DIRECTOR), "safe": T0}], SEED)

    assert outcome.changes[0]["effective_at"] == T0 + DAY
    assert outcome.changes[0]["decided_at"] == T0 + DAY


def test_a_new_model_is_a_row() -> None:
    """Every lead is looked at anew behind it, in order of lead_id; a version not greater does nothing."""
    generous = {**SEED, "version": 2, "tiers": {"hot": {"at_least": 30}, "cold": {}}}
    rows = [
        form(0, "demo", lead="b"),
        form(0, "demo", lead="a"),
        model_row(HOUR, {**generous, "version": 1}),
        model_row(DAY, generous),
        model_row(2 * DAY, SEED),
    ]
    outcome = evaluate([model_row(0, SEED), *rows])

    assert [(one["lead_id"], one["to_tier"], one["effective_at"] - T0, one["cause"]) for one in outcome.changes] == [
        ("a", "hot", DAY, {"model": 2}),
        ("b", "hot", DAY, {"model": 2}),
    ]


def test_the_first_model_of_a_log_holds_from_its_first_row() -> None:
    """Rows before it are read under it."""
    outcome = evaluate([profile(0, **DIRECTOR), form(0, "demo"), model_row(DAY, SEED)])

    assert [one["effective_at"] for one in outcome.changes] == [T0]


def test_a_changed_signal_starts_empty_and_a_changed_weight_does_not() -> None:
    """Occurrences belong to the definition under which they were counted."""
    heavier = {**SEED, "version": 2, "rules": {"engagement": {"demo": {"each": "demo_request", "points": 60}}}}
    signals = {**SEED["signals"], "demo_request": {"on": "form_fill", "where": {"form_type": "demo"}}}
    changed = {**heavier, "signals": signals}

    assert score(form(0, "demo"), model_row(HOUR, heavier))["total"] == 60
    assert score(form(0, "demo"), model_row(HOUR, changed))["total"] == 0
    assert score(form(0, "demo"), model_row(HOUR, changed), form(2 * HOUR, "demo"))["total"] == 60
