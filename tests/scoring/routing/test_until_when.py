"""Until when a lead must be answered: each sentence of the definition, by a short story."""

from typing import Any

import pytest

from schemas.routing_log import RoutedActivity, RoutedRequest, RoutedTier
from schemas.times import parse_iso
from tests.scoring.routing.stories import DAY, HOUR, MINUTE, Story

ROUTES = [{"tier": tier, "team": "desk"} for tier in ("hot", "warm", "cold")]
SLA: dict[str, Any] = {"hot": {"respond_within": "24h"}, "warm": {"respond_within": "48h"}}
ANSWERS = ["contacted", "meeting_booked"]
PLAIN: dict[str, Any] = {"routes": ROUTES, "sla": SLA, "answered_by": ANSWERS}
BUSINESS = {"hot": {"respond_within": "8h", "clock": "business"}}


def story(**sections: Any) -> Story:
    return Story(**(PLAIN | sections))


def due(told: Story, lead_id: str = "L1") -> int:
    """When the lead's last clock is due, from the begin."""
    return told.since(told.events(lead_id)[-1].due_at)


# --- the clock


def test_it_starts_at_the_tier_changes_own_time_and_is_numbered_from_1() -> None:
    told = story().after(HOUR).take(RoutedTier("L1", 1, "hot", story().begin))

    (event,) = told.events("L1")
    assert (event.id, told.since(event.effective_at), due(told)) == ("L1:1:started", 0, 24 * HOUR)


def test_that_of_a_request_starts_when_it_was_received() -> None:
    told = story(requests="hot")
    told.take(RoutedRequest("L1", "r", told.begin - HOUR, told.begin))

    assert due(told) == 24 * HOUR


def test_business_is_working_time_of_the_owner_it_starts_with() -> None:
    """Monday 08:00 UTC is 04:00 in New York and 10:00 in Madrid."""
    sections = {"timezone": "Europe/Madrid", "hours": {"mon-fri": "09:00-18:00"}, "sla": BUSINESS}
    abroad = story(**sections, owners={"ann": {"timezone": "America/New_York"}}).tier("L1", "hot")
    nobody = story(**sections, owners={"ann": {"timezone": "America/New_York", "capacity": 0}}).tier("L1", "hot")

    assert due(abroad) == 13 * HOUR
    assert due(nobody) == 8 * HOUR


def test_it_is_fixed_when_it_starts() -> None:
    sections = {"hours": {"mon-fri": "08:00-18:00"}, "sla": BUSINESS, "teams": {"desk": {"members": ["ann", "bob"]}}}
    told = story(**sections, owners={"ann": {"away": ["2026-06-16"]}, "bob": {"timezone": "America/New_York"}})
    told.tier("L1", "hot", 9 * HOUR).after(20 * HOUR)

    assert told.owner("L1") == "bob"
    # An hour on Monday, seven on Tuesday, in Ann's working time.
    assert due(told) == DAY + 7 * HOUR


def test_every_duration_on_it_is_working_time_and_a_day_is_24_hours_of_it() -> None:
    sla = {
        "hot": {
            "respond_within": "1d",
            "clock": "business",
            "remind_at": "9h",
            "escalate": [{"after": "28h", "tell": "ann"}],
        }
    }
    told = story(hours={"mon-fri": "08:00-16:00"}, sla=sla).tier("L1", "hot").after(7 * DAY)

    assert [(event.what, told.since(event.effective_at)) for event in told.events("L1")] == [
        ("started", 0),
        ("reminded", DAY + HOUR),
        ("breached", 2 * DAY + 8 * HOUR),
        ("escalated", 3 * DAY + 4 * HOUR),
    ]


def test_due_is_the_first_moment_and_not_the_next_opening() -> None:
    told = story(hours={"mon-fri": "08:00-16:00"}, sla=BUSINESS).tier("L1", "hot")

    assert due(told) == 8 * HOUR


def test_reminders_and_escalations_run_on_the_clock_from_the_start_in_order_of_the_lists() -> None:
    steps = [{"after": "24h", "tell": "ann"}, {"after": "24h", "tell": "bob"}, {"after": "36h", "reassign": "other"}]
    sla = {"hot": {"respond_within": "24h", "remind_at": ["12h", "20h"], "escalate": steps}}
    owners: dict[str, Any] = {"ann": {}, "bob": {}}
    teams = {"desk": {"members": ["ann"]}, "other": {"members": ["ann", "bob"]}}
    told = story(sla=sla, owners=owners, teams=teams).tier("L1", "hot").after(40 * HOUR)

    assert [(event.id[5:], told.since(event.effective_at), event.to, event.owner) for event in told.events("L1")] == [
        ("started", 0, None, "ann"),
        ("reminded:1", 12 * HOUR, None, "ann"),
        ("reminded:2", 20 * HOUR, None, "ann"),
        ("breached", 24 * HOUR, None, "ann"),
        ("escalated:1", 24 * HOUR, "ann", "ann"),
        ("escalated:2", 24 * HOUR, "bob", "ann"),
        ("escalated:3", 36 * HOUR, "other", "bob"),
    ]


def test_what_is_due_already_when_a_clock_starts_follows_at_once_each_at_its_own_time() -> None:
    sla = {"hot": {"respond_within": "24h", "remind_at": "20h"}}
    told = story(sla=sla).after(3 * DAY)
    told.take(RoutedTier("L1", 1, "hot", told.begin)).after(3 * DAY)

    assert [(event.what, told.since(event.effective_at)) for event in told.events("L1")] == [
        ("started", 0),
        ("reminded", 20 * HOUR),
        ("breached", 24 * HOUR),
    ]


# --- answers


@pytest.mark.parametrize(
    ("after", "whats", "state"),
    [
        (0, ["started", "answered"], "answered"),
        (24 * HOUR - 1, ["started", "answered"], "answered"),
        (24 * HOUR, ["started", "breached", "answered"], "answered"),
    ],
)
def test_an_answer_from_the_start_on_and_before_the_due_time_is_in_time(
    after: int, whats: list[str], state: str
) -> None:
    told = story().tier("L1", "hot").activity("L1", after)

    assert (told.whats("L1"), told.state("L1")) == (whats, state)


def test_anybodys_answer_counts_and_other_activities_do_not() -> None:
    told = story().tier("L1", "hot").activity("L1", HOUR, what="proposal_sent")

    assert told.whats("L1") == ["started"]
    told.take(RoutedActivity("L1", "z", told.begin + HOUR, told.begin + HOUR, "meeting_booked", "zoe"))
    assert told.whats("L1") == ["started", "answered"]


def test_an_answer_cannot_have_happened_after_it_was_received() -> None:
    told = story().tier("L1", "hot").activity("L1", 30 * HOUR, HOUR)

    assert [told.since(event.effective_at) for event in told.events("L1")] == [0, HOUR]


def test_a_clock_is_answered_at_once_by_an_answer_that_is_not_before_its_start() -> None:
    early = story().activity("L1", HOUR)
    early.take(RoutedTier("L1", 1, "hot", early.begin + HOUR))
    before = story().activity("L1", HOUR - 1)
    before.take(RoutedTier("L1", 1, "hot", before.begin + HOUR))

    assert early.whats("L1") == ["started", "answered"]
    assert before.whats("L1") == ["started"]


def test_for_a_request_it_must_not_be_before_the_requests_own_time() -> None:
    told = story(requests="hot").activity("L1", 30 * MINUTE)
    told.take(RoutedRequest("L1", "r", told.begin + 30 * MINUTE, told.begin + HOUR))

    assert told.whats("L1") == ["started", "answered"]


def test_an_answer_after_a_breach_says_how_late_it_is() -> None:
    told = story().tier("L1", "hot").activity("L1", 30 * HOUR)

    answered = told.events("L1")[-1]
    assert (answered.what, answered.late_ms, answered.elapsed_ms) == ("answered", 6 * HOUR, 30 * HOUR)


@pytest.mark.parametrize("after_what", ["breach", "late answer", "cancellation"])
def test_an_answer_in_time_that_turns_up_after_it_withdraws_the_breach(after_what: str) -> None:
    told = story().tier("L1", "hot").after(30 * HOUR)
    if after_what == "late answer":
        told.activity("L1", 31 * HOUR)
    if after_what == "cancellation":
        told.hand("L1", 31 * HOUR)

    told.activity("L1", HOUR, 40 * HOUR)

    withdrawn = told.events("L1")[-1]
    assert (withdrawn.what, told.since(withdrawn.effective_at), told.state("L1")) == ("withdrawn", HOUR, "withdrawn")


def test_a_withdrawal_comes_once_and_is_final() -> None:
    told = (
        story().tier("L1", "hot").after(30 * HOUR).activity("L1", HOUR, 40 * HOUR).activity("L1", 2 * HOUR, 41 * HOUR)
    )
    told.activity("L1", 42 * HOUR)

    assert told.whats("L1") == ["started", "breached", "withdrawn"]


def test_after_the_next_clock_started_nothing_withdraws_the_breach_of_the_last_one() -> None:
    told = story().tier("L1", "hot").after(30 * HOUR).tier("L1", "warm", 31 * HOUR).activity("L1", HOUR, 40 * HOUR)

    assert told.whats("L1") == ["started", "breached", "cancelled", "started"]


# --- leaving


def test_up_replaces_the_clock_and_down_cancels_it_and_the_new_tiers_clock_starts_in_both_directions() -> None:
    told = story().tier("L1", "warm").tier("L1", "hot", HOUR).tier("L1", "warm", 2 * HOUR).tier("L1", "cold", 3 * HOUR)

    assert [event.id[3:] for event in told.events("L1")] == [
        "1:started",
        "1:replaced",
        "2:started",
        "2:cancelled",
        "3:started",
        "3:cancelled",
    ]
    assert [told.since(event.effective_at) for event in told.events("L1")] == [
        0,
        *[HOUR] * 2,
        *[2 * HOUR] * 2,
        3 * HOUR,
    ]


def test_sla_lists_its_tiers_best_first() -> None:
    told = story(sla={"warm": SLA["warm"], "hot": SLA["hot"]}).tier("L1", "warm").tier("L1", "hot", HOUR)

    assert told.whats("L1") == ["started", "cancelled", "started"]


def test_back_in_a_tier_there_is_a_new_clock_with_the_next_number() -> None:
    told = story().tier("L1", "hot").tier("L1", "cold", HOUR).tier("L1", "hot", 2 * HOUR)

    assert told.events("L1")[-1].id == "L1:2:started"


def test_the_same_tier_again_and_a_repeated_tier_change_do_nothing() -> None:
    told = story().tier("L1", "hot").tier("L1", "hot", HOUR).after(2 * HOUR)
    told.take(RoutedTier("L1", 1, "cold", told.begin + 2 * HOUR))

    assert told.whats("L1") == ["started"]
    assert len(told.assignments("L1")) == 1


def test_a_breached_clock_is_open_until_it_is_answered_replaced_or_cancelled() -> None:
    told = story(owners={"ann": {"capacity": 1}}).tier("L1", "hot").tier("L2", "hot", 30 * HOUR)
    assert told.owner("L2") is None

    told.activity("L1", 31 * HOUR)

    assert told.owner("L2") == "ann"


def test_a_tier_without_sla_gives_an_owner_and_no_clock_and_an_answer_closes_the_lead_silently() -> None:
    told = story(owners={"ann": {"capacity": 1}}).tier("L1", "cold")
    before = len(told.told)
    told.activity("L1", HOUR)

    assert (told.owner("L1"), told.events("L1"), told.told[before:]) == ("ann", [], [])
    assert told.tier("L2", "cold", 2 * HOUR).owner("L2") == "ann"


# --- escalations


def reassigning(**owners: Any) -> Story:
    sla = {
        "hot": {
            "respond_within": "1h",
            "escalate": [{"after": "1h", "reassign": "other"}, {"after": "2h", "tell": "bob"}],
        }
    }
    teams = {"desk": {"members": ["ann"]}, "other": {"members": ["ann", "bob"]}}
    return story(sla=sla, owners={"ann": {}, "bob": {}} | owners, teams=teams).tier("L1", "hot").after(3 * HOUR)


def test_reassign_picks_from_the_team_but_never_the_present_owner_and_ends_nothing() -> None:
    told = reassigning()

    last = told.assignments("L1")[-1]
    assert (last.owner, last.team, last.reason.pick, last.reason.passed) == (
        "bob",
        "other",
        "reassigned",
        {"ann": "present"},
    )
    assert told.whats("L1") == ["started", "breached", "escalated", "escalated"]
    assert told.state("L1") == "breached"


def test_if_nobody_can_the_lead_stays_with_the_owner_it_has() -> None:
    assert reassigning(bob={"capacity": 0}).owner("L1") == "ann"


def test_tell_reaches_somebody_who_is_away_all_the_same() -> None:
    told = reassigning(bob={"away": ["2026-06-15"]})

    assert told.events("L1")[-1].to == "bob"


# --- policies


def test_a_clock_runs_to_its_end_by_the_policy_under_which_it_started() -> None:
    told = story().tier("L1", "hot")
    told.policy(2, HOUR, **(PLAIN | {"sla": {"hot": {"respond_within": "2h"}}, "answered_by": ["discarded"]}))
    told.activity("L1", 3 * HOUR).tier("L2", "hot", 4 * HOUR)

    assert told.whats("L1") == ["started", "answered"]
    assert due(told, "L2") == 6 * HOUR


def test_with_a_new_policy_nobody_is_routed_anew() -> None:
    owners: dict[str, Any] = {"ann": {}, "bob": {}}
    told = story(owners=owners).tier("L1", "hot")
    told.policy(2, HOUR, **(PLAIN | {"owners": owners, "teams": {"desk": {"members": ["bob"]}}}))

    assert told.owner("L1") == "ann"


def test_a_version_that_is_not_greater_than_the_active_one_does_nothing() -> None:
    told = story().policy(1, HOUR, owners={"bob": {}}, teams={"desk": {"members": ["bob"]}}).tier("L1", "hot", HOUR)

    assert told.owner("L1") == "ann"


def test_teams_whose_members_weights_or_pick_changed_start_anew() -> None:
    owners: dict[str, Any] = {"ann": {}, "bob": {}}
    same = {"routes": ROUTES, "teams": {"desk": {"members": ["ann", "bob"]}}}
    kept = story(**same, owners=owners).tier("L1", "hot").policy(2, HOUR, **same, owners=owners).tier("L2", "hot", HOUR)
    weights = {"ann": {"weight": 2}, "bob": {}}
    anew = (
        story(**same, owners=owners).tier("L1", "hot").policy(2, HOUR, **same, owners=weights).tier("L2", "hot", HOUR)
    )

    assert (kept.owner("L2"), anew.owner("L2")) == ("bob", "ann")


# --- time


def test_a_business_clock_passes_over_a_holiday_and_a_weekend() -> None:
    """Friday 2026-12-25 is off: an hour of Thursday's working time is left at 17:00, and the next is on Monday."""
    sections = {"timezone": "Europe/Madrid", "hours": {"mon-fri": "09:00-18:00"}, "holidays": ["2026-12-25"]}
    told = story(begin="2026-12-24T16:00:00Z", **sections, sla={"hot": {"respond_within": "2h", "clock": "business"}})
    told.tier("L1", "hot")

    assert told.begin + due(told) == parse_iso("2026-12-28T09:00:00Z")
