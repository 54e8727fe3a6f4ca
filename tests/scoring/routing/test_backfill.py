"""Backfill: each lead enters its tier once, whatever raced and however often it was asked for."""

from schemas.routing_log import RoutedTier
from tests.scoring.routing.stories import HOUR, Story

SLA = {"hot": {"respond_within": "24h"}}


def test_a_lead_that_was_in_a_tier_before_has_an_owner_and_a_clock_from_now_on() -> None:
    story = Story(sla=SLA).after(HOUR)
    # Its fifth tier change was long ago; what score copies has that number, and the time of the backfill.
    story.take(RoutedTier("L1", 5, "hot", story.begin + HOUR))

    (lead,) = story.assignments("L1")
    assert lead.sla is not None
    assert (lead.owner, lead.tier_change, story.since(lead.sla.started_at)) == ("ann", "L1:5", HOUR)


def test_asked_for_twice_or_of_a_lead_that_route_knows_it_does_nothing() -> None:
    story = Story(sla=SLA).tier("L1", "hot").after(HOUR)
    before = len(story.told)
    story.take(RoutedTier("L1", 1, "hot", story.begin + HOUR), RoutedTier("L1", 1, "hot", story.begin + 2 * HOUR))

    assert story.told[before:] == []
