"""The demo's people behave believably: the same seed tells the same, all kinds happen, one in ten is hot."""

from __future__ import annotations

from collections import Counter

import msgspec

from schemas.naming import partition_of
from schemas.wire import decode_event
from scoring.partition import PartitionFold
from scoring.shipped import shipped_text
from streams.demo.behaviour import DAY, behaviour

BEGIN_MS = 1_772_446_500_000
DAYS = 30


def test_the_same_seed_tells_the_same_stories() -> None:
    assert behaviour(3, 40, 0, 10 * DAY) == behaviour(3, 40, 0, 10 * DAY)
    assert behaviour(3, 40, 0, 10 * DAY) != behaviour(4, 40, 0, 10 * DAY)


def test_every_event_is_good_and_all_sorts_of_things_happen() -> None:
    told = behaviour(7, 300, BEGIN_MS, BEGIN_MS + DAYS * DAY)
    for at_ms, event in told:
        assert decode_event(msgspec.json.encode(event), at_ms, b"key").received_at_ms == at_ms
    assert [at_ms for at_ms, _ in told] == sorted(at_ms for at_ms, _ in told)
    kinds = Counter(event["kind"] for _, event in told)
    assert kinds.keys() >= {"page_view", "email_open", "form_fill", "bounce", "sales_activity", "profile", "download"}
    assert any(event.get("machine") for _, event in told)


def test_one_lead_in_ten_is_hot_after_thirty_days() -> None:
    fold = PartitionFold()
    fold.start_with(shipped_text("b2b-default"))
    for at_ms, event in behaviour(7, 300, BEGIN_MS, BEGIN_MS + DAYS * DAY):
        while not fold.take(decode_event(msgspec.json.encode(event), at_ms, b"key"), at_ms):
            fold.finish()
    fold.finish()
    rows = [fold.row(lead_id) for lead_id in fold.lead_ids()]
    tiers = Counter(row.tier_name for row in rows if row is not None)
    assert 0.08 <= tiers["hot"] / len(rows) <= 0.12
    assert tiers["warm"] > tiers["hot"] / 2
    assert len({partition_of(lead_id, 4) for lead_id in fold.lead_ids()}) == 4
