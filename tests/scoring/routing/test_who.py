"""Who gets a lead: each sentence of the definition, by a short story."""

from typing import Any

import pytest

from tests.scoring.routing.stories import DAY, HOUR, MINUTE, Story

TWO: dict[str, Any] = {"owners": {"ann": {}, "bob": {}}, "teams": {"desk": {"members": ["ann", "bob"]}}}
RED_BLUE: dict[str, Any] = {
    "owners": {"ann": {}, "bob": {}},
    "teams": {"red": {"members": ["ann"]}, "blue": {"members": ["bob"]}},
}
SLA: dict[str, Any] = {"hot": {"respond_within": "24h"}, "warm": {"respond_within": "48h"}}


def desk(*members: str, **more: Any) -> dict[str, Any]:
    return {"desk": {"members": list(members)} | more}


# --- routes


def test_the_first_route_that_matches_counts_by_the_profile_of_the_tier_change() -> None:
    routes = [
        {"tier": "hot", "where": {"size": "200..", "country": ["es", "pt"]}, "team": "red"},
        {"tier": "hot", "team": "blue"},
    ]
    story = Story(**RED_BLUE, routes=routes)
    story.tier("L1", "hot", size=200, country="ES").tier("L2", "hot", size=199, country="ES").tier("L3", "hot")

    assert story.owners("L1", "L2", "L3") == ["ann", "bob", "bob"]
    assert [story.assignments(lead)[0].reason.route for lead in ("L1", "L2")] == [1, 2]


def test_where_no_route_matches_there_is_no_pick_and_no_clock_and_a_running_one_ends() -> None:
    story = Story(**TWO, routes=[{"tier": "hot", "where": {"size": "1.."}, "team": "desk"}], sla=SLA)
    story.tier("L1", "hot").tier("L2", "hot", size=5).tier("L2", "warm", HOUR)

    assert story.assignments("L1")[-1].owner is None
    assert story.assignments("L1")[-1].reason.pick == "unrouted"
    assert story.events("L1") == []
    assert story.whats("L2") == ["started", "cancelled"]


def test_a_request_routes_a_lead_without_a_clock_as_if_it_entered_that_tier() -> None:
    story = Story(**TWO, sla=SLA, requests="hot").request("L1")

    (lead,) = story.assignments("L1")
    assert (lead.owner, lead.tier, lead.tier_change, lead.reason.pick) == ("ann", "hot", "r", "request")
    assert story.whats("L1") == ["started"]


def test_while_any_clock_runs_a_request_starts_nothing() -> None:
    routes = [{"tier": tier, "team": "desk"} for tier in ("hot", "warm")]
    story = Story(**TWO, routes=routes, sla=SLA, requests="hot").tier("L1", "warm").request("L1", HOUR)

    assert story.whats("L1") == ["started"]
    assert story.assignments("L1")[-1].tier == "warm"


def test_while_the_clock_of_a_request_runs_the_lead_counts_as_being_in_its_tier() -> None:
    routes = [{"tier": tier, "team": "desk"} for tier in ("hot", "warm")]
    sections: dict[str, Any] = {**TWO, "routes": routes, "requests": "warm", "answered_by": ["contacted"]}
    held = Story(**sections, sla=SLA).request("L1").tier("L1", "warm", HOUR).tier("L1", "cold", 2 * HOUR)
    better = Story(**sections, sla=SLA).request("L1").tier("L1", "hot", HOUR)
    answered = Story(**sections, sla=SLA).request("L1").activity("L1", HOUR)
    released = Story(**sections, sla=SLA).request("L1").hand("L1", HOUR)

    assert held.whats("L1") == ["started"]
    assert better.whats("L1") == ["started", "replaced", "started"]
    assert answered.whats("L1") == ["started", "answered"]
    assert released.whats("L1") == ["started", "cancelled"]


def test_one_that_waits_by_a_request_without_a_clock_counts_as_being_in_its_own_tier() -> None:
    routes = [{"tier": "hot", "team": "blue"}, {"tier": "cold", "team": "red"}]
    owners: dict[str, Any] = {"ann": {"capacity": 0}, "bob": {}}
    sections = RED_BLUE | {"owners": owners, "routes": routes, "sla": SLA, "requests": "cold"}
    story = Story(**sections, answered_by=["contacted"]).tier("L1", "hot").hand("L1", HOUR).request("L1", 2 * HOUR)

    last = story.assignments("L1")[-1]
    assert (last.owner, last.team, last.tier) == ("bob", "blue", "hot")


def test_requests_may_be_left_out() -> None:
    assert Story(**TWO, sla=SLA).request("L1").told == []


# --- keeping


def test_a_lead_keeps_its_owner_after_an_answer_a_cancellation_and_a_tier_without_a_route() -> None:
    story = Story(**TWO, sla=SLA, answered_by=["contacted"])
    story.tier("L1", "hot").activity("L1", HOUR).tier("L1", "cold", 2 * HOUR).tier("L1", "hot", 3 * HOUR)

    assert [one.owner for one in story.assignments("L1")] == ["ann"] * len(story.assignments("L1"))
    assert story.assignments("L1")[-1].reason.pick == "kept"


def test_keep_owner_false_picks_anew() -> None:
    routes = [{"tier": tier, "team": "desk", "keep_owner": False} for tier in ("hot", "warm")]

    assert Story(**TWO, routes=routes).tier("L1", "hot").tier("L1", "warm").owner("L1") == "bob"


def test_a_kept_owner_may_be_full_off_hours_or_in_another_team_which_the_record_keeps() -> None:
    routes = [{"tier": "hot", "team": "red"}, {"tier": "warm", "team": "blue"}]
    sections: dict[str, Any] = RED_BLUE | {
        "owners": {"ann": {"capacity": 1, "hours": {"mon": "08:00-09:00"}}, "bob": {}}
    }
    sections["teams"] = {"red": {"members": ["ann"], "working_only": True}, "blue": {"members": ["bob"]}}
    story = Story(**sections, routes=routes).tier("L1", "hot").tier("L2", "hot", MINUTE).tier("L1", "warm", 5 * HOUR)

    last = story.assignments("L1")[-1]
    assert (last.owner, last.team, last.reason.pick) == ("ann", "red", "kept")
    assert story.owner("L2") is None


def test_keeping_is_no_pick() -> None:
    routes = [{"tier": tier, "team": "desk"} for tier in ("hot", "warm")]
    story = Story(**TWO, routes=routes).tier("L1", "hot").tier("L1", "warm").tier("L2", "hot")

    assert story.owners("L1", "L2") == ["ann", "bob"]


# --- candidates and picks


def test_who_is_away_full_or_off_hours_is_passed_and_the_reason_is_told() -> None:
    owners = {
        "away": {"away": ["2026-06-15"]},
        "full": {"capacity": 0},
        "early": {"hours": {"tue": "08:00-09:00"}},
        "holiday": {"hours": {"mon": "00:00-24:00"}, "timezone": "Asia/Kolkata"},
        "there": {},
    }
    story = Story(
        owners=owners, teams=desk(*owners, working_only=True), holidays=["2026-06-15"], hours={"mon": "08:00-09:00"}
    )
    story.tier("L1", "hot")

    assert story.owner("L1") is None
    assert story.assignments("L1")[0].reason.passed == {
        "away": "away",
        "full": "full",
        "early": "off_hours",
        "holiday": "off_hours",
        "there": "off_hours",
    }


def test_without_working_only_hours_are_not_looked_at() -> None:
    assert (
        Story(owners={"ann": {"hours": {"tue": "08:00-09:00"}}}, teams=desk("ann")).tier("L1", "hot").owner("L1")
        == "ann"
    )


def test_capacity_counts_open_leads_over_all_teams() -> None:
    owners = {"ann": {"capacity": 1}, "bob": {}}
    teams = {"red": {"members": ["ann"]}, "blue": {"members": ["ann", "bob"]}}
    routes = [{"tier": "hot", "team": "red"}, {"tier": "warm", "team": "blue"}]
    story = Story(owners=owners, teams=teams, routes=routes, answered_by=["contacted"])
    story.tier("L1", "hot").tier("L2", "warm").activity("L1", HOUR).tier("L3", "warm", HOUR)

    assert story.owners("L1", "L2", "L3") == ["ann", "bob", "ann"]


def test_a_lead_that_is_routed_anew_does_not_count_as_open_in_its_own_pick() -> None:
    routes = [{"tier": tier, "team": "desk", "keep_owner": False} for tier in ("hot", "warm")]
    story = Story(owners={"ann": {"capacity": 1}}, teams=desk("ann"), routes=routes)

    assert story.tier("L1", "hot").tier("L1", "warm").owner("L1") == "ann"


def picks(pick: str, leads: int, owners: dict[str, Any] | None = None, **more: Any) -> str:
    """The owners of so many leads that come one after the other, by their first letters."""
    owners = owners or {"ann": {}, "bob": {}, "cid": {}}
    story = Story(owners=owners, teams=desk(*owners, pick=pick, **more))
    for number in range(leads):
        story.tier(f"L{number}", "hot", number)
    return "".join((story.owner(f"L{number}") or "-")[0] for number in range(leads))


def test_round_robin_is_the_next_candidate_after_the_last_one_picked() -> None:
    assert picks("round_robin", 5) == "abcab"
    assert picks("round_robin", 5, {"ann": {}, "bob": {"capacity": 1}, "cid": {}}) == "abcac"


def test_least_loaded_is_fewest_open_then_fewest_picks_then_order() -> None:
    story = Story(
        owners={"ann": {}, "bob": {}}, teams=desk("ann", "bob", pick="least_loaded"), answered_by=["contacted"]
    )
    story.tier("L1", "hot").tier("L2", "hot").activity("L1", MINUTE).activity("L2", 2 * MINUTE)
    story.tier("L3", "hot", HOUR).activity("L3", 2 * HOUR).tier("L4", "hot", 3 * HOUR)

    assert picks("least_loaded", 4) == "abca"
    assert story.owners("L1", "L2", "L3", "L4") == ["ann", "bob", "ann", "bob"]


def test_weighted_is_smooth_weighted_round_robin_as_in_nginx() -> None:
    assert picks("weighted", 7, {"ann": {"weight": 5}, "bob": {}, "cid": {}}) == "aabacaa"
    assert picks("weighted", 4) == "abca"


def test_who_is_no_candidate_keeps_its_number_and_does_not_catch_up() -> None:
    """Bob is away for the first two picks: Ann gets them, then they go in turn, and Bob gets no more than that."""
    owners = {"ann": {}, "bob": {"away": ["2026-06-15"]}}
    story = Story(owners=owners, teams=desk("ann", "bob", pick="weighted"))
    for number, after in enumerate((0, 1, DAY, DAY + 1, DAY + 2, DAY + 3)):
        story.tier(f"L{number}", "hot", after)

    assert story.owners(*(f"L{number}" for number in range(6))) == ["ann", "ann", "ann", "bob", "ann", "bob"]


# --- nobody


def test_else_then_fallback_then_the_line_are_asked() -> None:
    owners: dict[str, Any] = {"ann": {"capacity": 1}, "bob": {"capacity": 1}, "cid": {"capacity": 1}}
    teams = {"red": {"members": ["ann"]}, "blue": {"members": ["bob"]}, "grey": {"members": ["cid"]}}
    routes = [{"tier": "hot", "team": "red", "else": "blue"}]
    story = Story(owners=owners, teams=teams, routes=routes, fallback="grey")
    for number in range(4):
        story.tier(f"L{number}", "hot")

    assert story.owners("L0", "L1", "L2", "L3") == ["ann", "bob", "cid", None]
    waiting = story.assignments("L3")[0]
    assert (waiting.reason.pick, waiting.team) == ("waiting", "red")
    assert waiting.reason.passed == {"ann": "full", "bob": "full", "cid": "full"}


def test_fallback_may_be_missing() -> None:
    assert Story(owners={"ann": {"capacity": 0}}).tier("L1", "hot").owner("L1") is None


def test_the_line_goes_by_earliest_due_then_lead_and_leads_without_a_clock_last() -> None:
    routes = [{"tier": tier, "team": "desk"} for tier in ("hot", "warm", "cold")]
    story = Story(owners={"ann": {"capacity": 0}}, teams=desk("ann"), routes=routes, sla=SLA)
    story.tier("L0", "cold").tier("L1", "warm").tier("L3", "hot").tier("L2", "hot")
    story.policy(2, HOUR, owners={"ann": {}}, teams=desk("ann"), routes=routes, sla=SLA)

    got = [one.lead_id for one in story.told if getattr(one, "owner", None) == "ann" and not hasattr(one, "what")]
    assert got == ["L2", "L3", "L1", "L0"]


def test_one_that_finds_nobody_stays_and_does_not_hold_up_the_next() -> None:
    owners: dict[str, Any] = {"ann": {"capacity": 0}, "bob": {"away": ["2026-06-15"]}}
    routes = [{"tier": "hot", "team": "red"}, {"tier": "warm", "team": "blue"}]
    story = Story(**(RED_BLUE | {"owners": owners}), routes=routes, sla=SLA).tier("L1", "hot").tier("L2", "warm")

    story.after(20 * HOUR)

    assert story.owners("L1", "L2") == [None, "bob"]


@pytest.mark.parametrize("leaves", ["answered", "cancelled", "released"])
def test_a_lead_that_is_answered_or_cancelled_leaves_the_line(leaves: str) -> None:
    story = Story(owners={"ann": {"away": ["2026-06-15"]}}, sla=SLA, answered_by=["contacted"]).tier("L1", "hot")
    if leaves == "answered":
        story.activity("L1", HOUR)
    elif leaves == "cancelled":
        story.tier("L1", "cold", HOUR)
    else:
        story.hand("L1", HOUR)

    assert story.after(2 * DAY).owner("L1") is None
    assert story.fold.waiting == 0


# --- going away


def test_leads_of_an_owner_who_goes_away_find_somebody_else_at_that_moment_and_the_clock_goes_on() -> None:
    owners = {"ann": {"away": ["2026-06-16"]}, "bob": {}}
    story = Story(owners=owners, teams=desk("ann", "bob"), sla=SLA).tier("L1", "hot").after(DAY - 8 * HOUR)

    first, last = story.assignments("L1")
    assert (first.owner, last.owner, last.since) == ("ann", "bob", "2026-06-16T00:00:00.000Z")
    assert first.sla == last.sla
    assert story.whats("L1") == ["started"]


def test_where_nobody_is_found_the_record_says_null() -> None:
    story = Story(owners={"ann": {"away": ["2026-06-16"]}}, sla=SLA).tier("L1", "hot").after(DAY)

    assert [one.owner for one in story.assignments("L1")[:2]] == ["ann", None]
    assert story.after(40 * HOUR).owner("L1") == "ann"


def test_leads_of_owners_who_are_out_of_the_policy_go_to_others() -> None:
    story = Story(**TWO, sla=SLA).tier("L1", "hot").policy(2, HOUR, owners={"bob": {}}, teams=desk("bob"), sla=SLA)

    assert [one.owner for one in story.assignments("L1")] == ["ann", "bob"]


def test_away_names_days_of_the_owners_zone_first_and_last_included() -> None:
    owners = {
        "ann": {"timezone": "America/New_York", "away": ["2026-06-15..2026-06-16"]},
        "bob": {"away": ["2026-06-15"]},
    }
    begin = "2026-06-15T03:59:59.999Z"
    story = Story(begin=begin, owners=owners, teams=desk("ann")).tier("L1", "hot").after(1)

    assert [(one.owner, one.since) for one in story.assignments("L1")] == [
        ("ann", begin),
        (None, "2026-06-15T04:00:00.000Z"),
    ]
    assert story.after(2 * DAY).owner("L1") is None
    assert story.after(2 * DAY + 1).owner("L1") == "ann"


def test_an_absence_stops_no_clock_and_the_end_of_the_hours_takes_no_lead_away() -> None:
    hours = {"mon-fri": "08:00-09:00"}
    away = Story(owners={"ann": {"away": ["2026-06-16"]}}, sla=SLA).tier("L1", "hot").after(DAY)
    late = Story(hours=hours, teams=desk("ann", working_only=True), sla=SLA).tier("L1", "hot").after(12 * HOUR)

    assert away.whats("L1") == ["started", "breached"]
    assert late.owner("L1") == "ann"


# --- merges and hands


def test_owner_and_running_clock_of_a_merged_lead_move_to_the_stronger_one() -> None:
    story = Story(**TWO, sla=SLA).tier("a:browser", "hot").merged("a:browser", "L1", HOUR)

    weak, strong = story.assignments("a:browser")[-1], story.assignments("L1")[-1]
    assert (weak.owner, strong.owner, strong.reason.pick) == (None, "ann", "merged")
    assert strong.sla is not None
    assert (strong.sla.number, story.since(strong.sla.started_at), story.since(strong.sla.due_at)) == (1, 0, 24 * HOUR)


def test_of_two_running_clocks_the_earlier_due_time_wins_and_the_other_is_replaced() -> None:
    routes = [{"tier": tier, "team": "desk"} for tier in ("hot", "warm")]
    story = Story(**TWO, routes=routes, sla=SLA).tier("L1", "warm").tier("a:browser", "hot", HOUR)
    story.merged("a:browser", "L1", 2 * HOUR)

    assert story.whats("L1") == ["started", "replaced"]
    last = story.assignments("L1")[-1]
    assert last.sla is not None
    assert (last.owner, story.since(last.sla.due_at)) == ("bob", 25 * HOUR)


def test_assign_gives_an_owner_or_a_teams_pick_and_says_who_did_it() -> None:
    story = Story(**TWO, sla=SLA).tier("L1", "hot").hand("L1", HOUR, owner="bob").hand("L1", 2 * HOUR, team="desk")

    assert [(one.owner, one.reason.pick, one.reason.by) for one in story.assignments("L1")[1:2]] == [
        ("bob", "by_hand", "eve")
    ]
    assert story.whats("L1") == ["started"]


def test_release_takes_the_owner_and_cancels_the_clock() -> None:
    story = Story(**TWO, sla=SLA).tier("L1", "hot").hand("L1", HOUR)

    last = story.assignments("L1")[-1]
    assert (last.owner, story.state("L1"), last.reason.by) == (None, "cancelled", "eve")
    assert story.whats("L1") == ["started", "cancelled"]


def test_a_hand_that_names_nobody_of_the_policy_is_told_and_changes_nothing() -> None:
    story = Story(**TWO).tier("L1", "hot").hand("L1", HOUR, owner="zoe")

    assert story.owner("L1") == "ann"
    assert story.problems == ["lead L1 cannot be assigned to zoe: policy test version 1 has no such owner"]
