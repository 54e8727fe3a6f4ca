"""The policy that ships holds the seeds' terms, and fits the model that ships."""

from pathlib import Path

import pytest

from schemas.routing_log import RoutedActivity, RoutedRequest, RoutedTier
from schemas.times import iso, parse_iso
from scoring.routing.checks import policy_warnings, role_names
from scoring.routing.policy import Policy
from scoring.routing.presence import Presence
from scoring.routing.reading import read_policy
from scoring.routing.shipped import shipped_policies, shipped_policy, shipped_policy_text
from scoring.shipped import shipped_model
from tests.scoring.routing.stories import Story

HOUR, DAY = 3_600_000, 86_400_000


@pytest.fixture
def policy() -> Policy:
    return shipped_policy("b2b-default")


def test_it_is_there_by_name() -> None:
    assert shipped_policies() == ("b2b-default",)
    with pytest.raises(KeyError):
        shipped_policy_text("../secrets")


def test_it_is_good_and_has_roles_for_people(policy: Policy) -> None:
    assert policy_warnings(policy, "p", shipped_model("b2b-default")) == []
    assert len(role_names(policy, "p")) == len(policy.owners)


def test_the_policy_of_the_readme_is_good_and_means_what_stands_below_it() -> None:
    text = (Path(__file__).parents[3] / "README.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    policy = read_policy(text, "README.md")

    assert policy_warnings(policy, "README.md", shipped_model("b2b-default")) == role_names(policy, "README.md") == []
    due = Presence(policy).calendar("carmen").due(parse_iso("2026-06-19T14:00:00+02:00"), 8 * HOUR)
    assert iso(due) == iso(parse_iso("2026-06-22T16:00:00+02:00"))


def test_it_is_read_once_for_all_who_ask_for_it(policy: Policy) -> None:
    assert read_policy(shipped_policy_text("b2b-default"), "p") is read_policy(policy.text, "p")


def test_it_is_one_page() -> None:
    lines = shipped_policy_text("b2b-default").splitlines()

    assert len(lines) <= 60
    assert max(map(len, lines)) <= 130


def test_hot_leads_go_to_senior_executives_whoever_had_them(policy: Policy) -> None:
    hot = [route for route in policy.routes if route.tier == "hot"]
    teams = {name for route in hot for name in (route.team, route.otherwise) if name is not None}

    assert {policy.owners[member].role for team in teams for member in policy.teams[team].members} == {
        "senior_executive"
    }
    assert not any(route.keep_owner for route in hot)
    assert policy.sla["hot"].escalate[1].reassign in teams


def test_each_segment_has_one_documented_owner(policy: Policy) -> None:
    assert [len(policy.teams[route.team].members) for route in policy.routes] == [1] * len(policy.routes)


def test_the_terms_are_those_of_the_seeds(policy: Policy) -> None:
    assert {tier: sla.respond_within_ms for tier, sla in policy.sla.items()} == {
        "hot": 24 * HOUR,
        "warm": 7 * DAY,
        "cold": 30 * DAY,
    }
    assert not any(sla.business for sla in policy.sla.values())
    # Hot: e-mail 1 at 24 h, the call up to 48 h. Warm: e-mail 2 at D+7. Cold: 3 to 4 e-mails in 30 days.
    assert [step.after_ms for step in policy.sla["hot"].escalate] == [24 * HOUR, 48 * HOUR]
    assert [step.after_ms for step in policy.sla["warm"].escalate] == [7 * DAY]
    assert len(policy.sla["cold"].remind_at_ms) == 4


def test_an_answer_under_24_hours_is_in_time_and_one_at_24_hours_is_late(policy: Policy) -> None:
    for after, told in ((DAY - 1, ["answered"]), (DAY, ["breached", "escalated", "answered"])):
        story = Story(policy)
        story.take(RoutedTier("L", 1, "hot", story.begin))
        at = story.begin + after
        story.at(at).take(RoutedActivity("L", "a", at, at, "contacted"))
        assert [what for what in story.whats("L") if what not in ("started", "reminded")] == told


def test_who_asks_for_a_demo_has_a_senior_and_24_hours_whatever_the_score(policy: Policy) -> None:
    story = Story(policy)
    story.take(RoutedRequest("L", "form-1", story.begin, story.begin, {"company_size": 20}))

    (lead,) = story.assignments("L")
    assert (lead.owner, lead.tier, lead.reason.pick) == ("senior_2", "hot", "request")
    assert lead.sla is not None
    assert story.since(lead.sla.due_at) == 24 * HOUR
    assert [signal.name for signal in shipped_model("b2b-default").signals if signal.request] == ["demo_request"]


def test_who_falls_back_to_cold_goes_from_sales_to_marketing(policy: Policy) -> None:
    story = Story(policy)
    for seq, tier in enumerate(("warm", "hot", "warm", "cold"), 1):
        story.take(RoutedTier("L", seq, tier, story.begin + seq))

    assert [lead.owner for lead in story.assignments("L")] == ["executive_1", "senior_2", "senior_2", "marketing_1"]
