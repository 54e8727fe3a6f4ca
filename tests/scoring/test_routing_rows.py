"""What the fold of a partition tells route, and in which order."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.log import FormFill, Link, LogRow, NextPolicy
from schemas.routing_log import (
    HandCommand,
    LeadMerged,
    PolicyControl,
    RoutedActivity,
    RoutedRequest,
    RoutedTier,
    RoutingRow,
)
from tests.scoring.kernel.logs import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    T0,
    activity,
    alarm,
    backfill,
    by_hand,
    control,
    form,
    log,
    new_fold,
    profile,
    run,
    tell,
    view,
)

MODEL = """
model: routed
version: 1
publish: [company_size]
signals:
  visit:   {on: page_view}
  demo:    {on: form_fill, where: {form_type: demo}, keep: 2, request: true}
  seat:    {on: form_fill, where: {form_type: seat}, distinct: fields.seat, keep: 4, request: true}
  call:    {on: sales_activity, where: {activity: contacted}}
rules:
  engagement:
    visit: {each: visit, points: 30, hold: 1h}
    demo:  {each: demo, points: 60}
  risk:
    called: {each: call, points: -20}
tiers:
  hot:  {at_least: 60}
  warm: {at_least: 30}
  cold: {}
"""


def routed(*rows: LogRow, until: int | None = None) -> list[RoutingRow]:
    return tell(MODEL, *rows, until=until).routing


def asked(made: FormFill, **profile: Any) -> RoutedRequest:
    return RoutedRequest(made.lead_id, made.event_id, made.occurred_at_ms, made.received_at_ms, profile)


def test_a_tier_change_has_its_number_its_own_time_and_the_published_profile() -> None:
    rows = routed(profile(0, company_size=250, title="VP"), view(SECOND), until=2 * HOUR)
    size: dict[str, str | int | bool] = {"company_size": 250}
    assert rows == [
        RoutedTier("lead-1", 1, "warm", T0 + SECOND, size),
        RoutedTier("lead-1", 2, "cold", T0 + HOUR + SECOND, size),
    ]


def test_a_request_comes_before_the_tier_change_that_it_causes() -> None:
    made = form(0, "demo")
    assert routed(made) == [asked(made), RoutedTier("lead-1", 1, "hot", T0)]


def test_a_request_is_told_once_however_often_it_comes() -> None:
    made = form(0, "demo")
    again = msgspec.structs.replace(made, received_at_ms=T0 + MINUTE)
    later = msgspec.structs.replace(again, occurred_at_ms=T0 + SECOND)
    other, old = form(MINUTE, "demo"), form(-DAY, "demo", received=2 * MINUTE)
    rows = [row for row in routed(made, again, later, other, old, again, other) if isinstance(row, RoutedRequest)]
    assert rows == [asked(made), asked(other)], "what is older than all that the row keeps is no new occurrence"


def test_a_request_that_comes_late_is_one_as_long_as_the_row_has_room_for_it() -> None:
    made, late = form(HOUR, "demo"), form(0, "demo", received=2 * HOUR)
    rows = [row for row in routed(made, late) if isinstance(row, RoutedRequest)]
    assert rows == [asked(made), asked(late)]


def test_requests_with_a_field_of_their_own_are_told_apart_by_it() -> None:
    first, same, other = (form(at, "seat", seat=seat) for at, seat in ((0, "a"), (SECOND, "a"), (MINUTE, "b")))
    assert routed(first, same, other) == [asked(first), asked(other)]


def test_other_events_say_nothing() -> None:
    assert routed(form(0, "contact"), profile(SECOND, company_size=3), alarm(MINUTE), control(HOUR, MODEL)) == []


def test_an_activity_stands_before_what_it_causes_and_behind_what_time_caused_before_it() -> None:
    did = activity(HOUR + MINUTE)
    rows = routed(view(0), form(SECOND, "demo"), did)
    told = RoutedActivity("lead-1", did.event_id, did.occurred_at_ms, did.received_at_ms, "contacted", None)
    assert [row for row in rows if not isinstance(row, RoutedRequest)] == [
        RoutedTier("lead-1", 1, "warm", T0),
        RoutedTier("lead-1", 2, "hot", T0 + SECOND),
        told,
        RoutedTier("lead-1", 3, "warm", T0 + HOUR + MINUTE),
    ]


def test_of_one_batch_leads_are_told_in_the_order_of_the_log() -> None:
    what = "proposal_sent"
    rows: list[LogRow] = [view(0, lead="b"), activity(0, what, lead="a")]
    rows += [view(SECOND, lead="a"), activity(SECOND, what, lead="b")]
    told = run(new_fold(MODEL), log(rows, pack=10)).routing
    assert [(type(row), row.lead_id) for row in told if not isinstance(row, PolicyControl | LeadMerged)] == [  # type: ignore[union-attr]  # all are of leads
        (RoutedTier, "b"),
        (RoutedActivity, "a"),
        (RoutedTier, "a"),
        (RoutedActivity, "b"),
    ]


def test_a_hand_command_stands_behind_what_time_caused_before_it() -> None:
    hand = by_hand(2 * HOUR)
    rows = run(new_fold(MODEL), log([view(0), hand], pack=2)).routing
    assert rows == [
        RoutedTier("lead-1", 1, "warm", T0),
        RoutedTier("lead-1", 2, "cold", T0 + HOUR),
        HandCommand("lead-1", hand.event_id, T0 + 2 * HOUR, "ann", None, "eve"),
    ]


def test_backfill_tells_the_tier_that_a_lead_is_in_as_if_it_entered_it_now() -> None:
    rows = routed(profile(0, company_size=250), view(SECOND), backfill(MINUTE), backfill(2 * HOUR), until=DAY)
    size: dict[str, str | int | bool] = {"company_size": 250}
    assert rows == [
        RoutedTier("lead-1", 1, "warm", T0 + SECOND, size),
        RoutedTier("lead-1", 1, "warm", T0 + MINUTE, size),
        RoutedTier("lead-1", 2, "cold", T0 + HOUR + SECOND, size),
        RoutedTier("lead-1", 2, "cold", T0 + 2 * HOUR, size),
    ]


def test_backfill_of_a_lead_that_entered_no_tier_or_went_to_another_says_nothing() -> None:
    linked = Link("a:1", T0 + SECOND, "crm-1", T0)
    rows = routed(view(0, lead="a:1"), linked, backfill(MINUTE, lead="a:1"), backfill(MINUTE, lead="crm-2"))
    assert [type(row) for row in rows] == [RoutedTier, LeadMerged, RoutedTier]


def test_a_hand_command_changes_no_score() -> None:
    with_it = tell(MODEL, view(0), by_hand(MINUTE), view(2 * MINUTE), until=DAY)
    without = tell(MODEL, view(0, event_id="x"), view(2 * MINUTE, event_id="y"), until=DAY)
    assert [one.to_tier for one in with_it.changes] == [one.to_tier for one in without.changes]
    assert with_it.scores["lead-1"].reasons == without.scores["lead-1"].reasons


def test_an_alias_is_told_to_be_merged_before_it_leaves_its_tier_and_once() -> None:
    links = [Link("a:1", T0 + at, owner, T0) for at, owner in ((MINUTE, "crm-1"), (HOUR, "crm-1"), (HOUR, "crm-2"))]
    assert routed(view(0, lead="a:1"), *links) == [
        RoutedTier("a:1", 1, "warm", T0),
        LeadMerged("a:1", "crm-1", T0 + MINUTE),
        RoutedTier("a:1", 2, "cold", T0 + MINUTE),
    ]


def test_what_comes_for_an_alias_is_sent_on_and_told_by_its_owner() -> None:
    fold, hand, did = new_fold(MODEL), by_hand(MINUTE, lead="a:1"), activity(HOUR, lead="a:1")
    step = fold.fold(log([Link("a:1", T0, "crm-1", T0), hand, did]))
    assert [type(row) for row in step.routing] == [LeadMerged]
    sent = step.sent[1:]
    assert [(type(row), row.lead_id) for row in sent] == [(type(hand), "crm-1"), (type(did), "crm-1")]
    told = run(new_fold(MODEL), log(sent)).routing  # type: ignore[arg-type]  # all are rows of the log
    assert [(type(row), row.lead_id) for row in told] == [(HandCommand, "crm-1"), (RoutedActivity, "crm-1")]  # type: ignore[union-attr]


def test_a_policy_is_handed_on_and_what_waits_comes_before_it() -> None:
    policy = NextPolicy(T0 + MINUTE, "p", 2, "0" * 64, "policy: p")
    rows = run(new_fold(MODEL), log([view(0), policy, form(2 * MINUTE, "demo")], pack=3)).routing
    assert [type(row) for row in rows] == [RoutedTier, PolicyControl, RoutedRequest, RoutedTier]
    assert rows[1] == PolicyControl(T0 + MINUTE, "p", 2, "0" * 64, "policy: p")


def test_log_time_is_told_when_what_was_due_by_then_is_done() -> None:
    leads = [view(0, lead=f"lead-{number}") for number in range(6)]
    fold = new_fold(MODEL, max_step_deadlines=2)
    fold.fold(log(leads))
    assert fold.done_until_ms == T0
    records = log([alarm(2 * HOUR)], start=6)
    position, times, asked_for_time = (6, 0), list[int | None](), list[bool]()
    while position == (6, 0):
        step = fold.fold(records, position)
        position = step.position
        times.append(fold.done_until_ms)
        asked_for_time.append(step.asked_for_time)
    assert (times[0], times[-1]) == (None, T0 + 2 * HOUR), "a step that was cut has not told all that was due"
    assert (asked_for_time[0], asked_for_time[-1]) == (False, True)


def test_log_time_is_not_told_while_leads_are_looked_at_anew() -> None:
    fold = new_fold(MODEL, max_step_bytes=600)
    run(fold, log([view(number, lead=f"lead-{number}") for number in range(9)]))
    step = fold.fold(log([control(SECOND, MODEL.replace("version: 1", "version: 2"))], start=9), (9, 0))
    assert step.position[0] == 9
    assert fold.done_until_ms is None
