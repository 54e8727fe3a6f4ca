"""The demo's people behave believably: the same seed tells the same, all kinds happen, one in ten is hot."""

from __future__ import annotations

from collections import Counter

import msgspec

from schemas.naming import partition_of
from schemas.wire import decode_event
from streams.demo.behaviour import Crowd, behaviour
from streams.demo.person import DAY
from tests.demo.past import END_MS, fold_of

DAYS = 30


def test_the_same_seed_tells_the_same_stories() -> None:
    assert behaviour(3, 40, 10, END_MS) == behaviour(3, 40, 10, END_MS)
    assert behaviour(3, 40, 10, END_MS) != behaviour(4, 40, 10, END_MS)


def test_the_same_seed_has_the_same_outcome_whenever_it_is_told() -> None:
    later = END_MS + 3 * DAY + 12_345_678
    assert tiers_after(7, 120, END_MS) == tiers_after(7, 120, later)


def test_every_event_is_good_and_all_sorts_of_things_happen() -> None:
    past = behaviour(7, 300, DAYS, END_MS).past
    for at_ms, event in past:
        assert decode_event(msgspec.json.encode(event), at_ms, b"key").received_at_ms == at_ms
        assert END_MS - DAYS * DAY <= at_ms < END_MS
    assert [at_ms for at_ms, _ in past] == sorted(at_ms for at_ms, _ in past)
    kinds = Counter(event["kind"] for _, event in past)
    assert kinds.keys() >= {"page_view", "email_open", "form_fill", "bounce", "sales_activity", "profile", "download"}
    assert any(event.get("machine") for _, event in past)


def test_one_lead_in_ten_is_hot_after_thirty_days() -> None:
    tiers = tiers_after(7, 300, END_MS)
    assert 0.08 <= tiers["hot"] / tiers.total() <= 0.12
    assert tiers["warm"] > tiers["hot"] / 2
    names = {event["lead"]["lead_id"] for _, event in behaviour(7, 300, DAYS, END_MS).past}
    assert len({partition_of(lead_id, 4) for lead_id in names}) == 4


def test_stories_go_on_where_they_were_and_new_leads_come() -> None:
    told = behaviour(7, 100, DAYS, END_MS)
    crowd = Crowd(8, told.unfinished, 101)
    events = [crowd.next_event(END_MS + 300 * number) for number in range(300)]
    assert len({event["event_id"] for event in events} | {event["event_id"] for _, event in told.past}) == 300 + len(
        told.past
    )
    known = {event["lead"]["lead_id"] for _, event in told.past}
    acting = {event["lead"]["lead_id"] for event in events}
    assert acting & known
    assert acting - known
    for number, event in enumerate(events):
        decode_event(msgspec.json.encode(event), END_MS + 300 * number, b"key")


def tiers_after(seed: int, people: int, end_ms: int) -> Counter[str]:
    fold = fold_of(behaviour(seed, people, DAYS, end_ms).past)
    rows = [fold.row(lead_id) for lead_id in fold.lead_ids()]
    return Counter(row.tier_name for row in rows if row is not None)
