"""What is allowed in a policy and deserves a second look: where, and in which words."""

from typing import Any

import pytest

from scoring.reading import read_model
from scoring.routing.checks import policy_warnings, role_names
from scoring.routing.reading import read_policy
from scoring.shipped import shipped_model

FILE = """\
policy: ours
version: 1
timezone: Europe/Madrid
hours: {mon-thu: 09:00-18:00, fri: 09:00-15:00}
owners:
  ann: {}
  bob: {timezone: America/New_York}
teams:
  desk: {members: [ann, bob]}
  night: {members: [bob]}
routes:
  - {tier: hot, where: {company_size: 200..}, team: night, else: desk}
  - {tier: hot, team: desk}
fallback: desk
requests: hot
sla:
  hot: {respond_within: 24h}
answered_by: [contacted]
"""

CASES = [
    ("  ann: {}", "  ann: {hours: {}}", "6:3: the hours of owner ann never open; "),
    ("hours: {mon-thu: 09:00-18:00, fri: 09:00-15:00}", "hours: {}", "4:8: the hours of the policy never open; "),
    ("New_York}", "New_York, capacity: 0}", "10:3: team night never picks anybody: everybody in it has capacity 0; "),
    (
        "New_York}",
        "New_York, away: [2026-08-03..2026-08-16]}",
        "10:3: everybody of team night is away from 2026-08-03 06:00 to 2026-08-17 06:00 (Europe/Madrid); ",
    ),
    (
        "  - {tier: hot, team: desk}",
        "  - {tier: hot, team: desk}\n  - {tier: hot, where: {industry: saas}, team: night}",
        "14:5: route 3 never matches: route 2 takes every lead that it would take; ",
    ),
    (
        "  - {tier: hot, team: desk}",
        "  - {tier: hot, where: {company_size: 250..500}, team: desk}\n  - {tier: hot, team: desk}",
        "13:5: route 2 never matches: route 1 takes every lead that it would take; ",
    ),
    (
        "  - {tier: hot, team: desk}\n",
        "",
        "16:3: every route of tier hot has a where: leads that match none have no owner and no clock; "
        "add a last route without where, such as {tier: hot, team: night}",
    ),
    (
        "  hot: {respond_within: 24h}",
        "  hot: {respond_within: 24h}\n  warm: {respond_within: 24h}",
        "18:3: no route has tier warm, so that its sla never starts; ",
    ),
    (
        "{respond_within: 24h}",
        "{respond_within: 7d, clock: business}",
        "17:25: respond_within of sla hot is 7d, on a business clock 168 h of working time: 4.0 weeks of the policy's "
        "hours; ",
    ),
    (
        "{respond_within: 24h}",
        "{respond_within: 80h, clock: business, escalate: [{after: 1d, tell: ann}]}",
        "17:66: after of escalation 1 of sla hot is 1d, on a business clock 24 h of working time: 0.6 weeks of the "
        "policy's hours; ",
    ),
    ("answered_by: [contacted]\n", "", "17:3: nothing answers a lead: every clock ends in a breach; "),
]


def found(text: str, **beside: Any) -> list[str]:
    return [
        str(one).removeprefix("p.yaml:") for one in policy_warnings(read_policy(text, "p.yaml"), "p.yaml", **beside)
    ]


def test_a_good_policy_has_none() -> None:
    assert found(FILE) == found(FILE, model=shipped_model("b2b-default")) == []


@pytest.mark.parametrize(("before", "after", "told"), CASES)
def test_each_is_told_with_its_place(before: str, after: str, told: str) -> None:
    assert before in FILE
    warnings = found(FILE.replace(before, after, 1))

    assert [warning[: len(told)] for warning in warnings if warning.startswith(told[:5])] == [told], warnings


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            "company_size",
            "compny_size",
            "12:5: where of route 1 looks at compny_size, which model b2b-default does not publish; "
            "did you mean company_size?",
        ),
        (
            "{company_size: 200..}",
            "{title: ceo}",
            "12:5: where of route 1 looks at title, which model b2b-default does not publish; "
            "it publishes country, industry, company_size; add the field there",
        ),
        (
            "{tier: hot, team: desk}",
            "{tier: hot, team: desk}\n  - {tier: wram, team: desk}",
            "14:5: route 3 names tier wram, which model b2b-default does not have; did you mean warm?",
        ),
        (
            "  hot: {respond_within: 24h}",
            "  hot: {respond_within: 24h}\n  mql: {respond_within: 24h}",
            "18:3: sla names tier mql, which model b2b-default does not have; it has hot, warm, cold",
        ),
        (
            "requests: hot\n",
            "",
            "12:3: requests is missing, and signals of model b2b-default ask for a person: nobody will be told; ",
        ),
    ],
)
def test_what_the_model_does_not_give_is_told(before: str, after: str, told: str) -> None:
    warnings = found(FILE.replace(before, after, 1), model=shipped_model("b2b-default"))

    assert any(warning.startswith(told) for warning in warnings), warnings


def test_requests_of_a_model_that_has_none_are_told() -> None:
    text = shipped_model("b2b-default").text.replace(", request: true", "")
    warnings = found(FILE, model=read_model(text, "m.yaml"))

    assert [warning.split(";")[0] for warning in warnings] == [
        "15:11: requests has no use: no signal of model b2b-default asks for a person"
    ]


@pytest.mark.parametrize(
    ("owner", "is_role"),
    [
        ("senior_1: {}", True),
        ("senior_1: {name: Senior 1}", True),
        ("ann: {name: Executive 12}", True),
        ("senior_1: {name: Carmen Ruiz}", False),
        ("ann: {}", False),
        ("r2d2: {}", False),
    ],
)
def test_a_role_with_a_number_is_no_person(owner: str, is_role: bool) -> None:
    key = owner.partition(":")[0]
    text = f"policy: ours\nversion: 1\nowners:\n  {owner}\nteams: {{desk: {{members: [{key}]}}}}\n"
    told = role_names(read_policy(text + "routes: [{tier: hot, team: desk}]\n", "p.yaml"), "p.yaml")

    assert [problem.line for problem in told] == [4] * is_role
