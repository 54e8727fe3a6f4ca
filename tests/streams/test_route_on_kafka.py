"""Route as a real process behind ingest and score: time that is asked for, policies, dead partitions, the past."""

from __future__ import annotations

import hashlib
import signal
import time
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.internal import AlarmRequest, decode_internal, encode_policy
from schemas.log import POLICY_KEY
from schemas.naming import partition_of
from schemas.routing_log import PolicyControl, RoutedTier, RoutingRow, encode_routing
from schemas.times import iso, parse_iso
from schemas.topics import DEAD_LETTERS, LEAD_INTERNAL, LEAD_ROUTING, ROUTES_CHANGELOG, SLA_EVENTS
from streams.engine.checkpoint import CHECKPOINT_KEY
from tests.faults.routing_oracle import routing_violations
from tests.streams.conftest import PARTITIONS
from tests.streams.live import event, metrics, send_then, wait_for
from tests.streams.routed import MODEL, POLICY, STAGES

pytestmark = pytest.mark.kafka

LONG_AGO_MS = 1_740_996_900_000
DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000


def test_a_clock_that_is_due_while_nothing_comes_asks_for_time_the_whole_way(make_routed: Any) -> None:
    routed = make_routed()
    routed.start(*STAGES)
    routed.ready()
    routed.pipeline.send([event(1, "ann", "form_fill", form_type="demo")])
    breach = wait_for(lambda: routed.events("breached"))["ann"]
    assert breach["effective_at"] == breach["due_at"]
    assert breach["elapsed_ms"] == 2_000
    (record,) = [one for one in routed.pipeline.read(SLA_EVENTS) if one.value and b":breached" in one.value]
    assert record.timestamp_ms - parse_iso(breach["due_at"]) < 4_000, "a breach is told within seconds"
    messages = [decode_internal(one.value) for one in routed.pipeline.read(LEAD_INTERNAL)]
    asked = {one.partition for one in messages if isinstance(one, AlarmRequest)}
    assert asked == set(range(PARTITIONS)), "every score partition held log time back, and was asked"

    wait_for(lambda: routed.events("escalated"))
    seen = wait_for(lambda: metrics(routed.ports["route"]))
    assert seen['leadstream_sla_events_total{tier="hot",what="breached"}'] == 1
    assert seen['leadstream_open_leads{owner="bob"}'] == 1
    assert seen["leadstream_waiting_leads"] == seen["leadstream_running_clocks"] == 0
    assert seen["leadstream_clocks_stopped_seconds"] == 0
    assert seen['leadstream_policy_version{policy="short"}'] == 1
    assert seen["leadstream_policy_setting_ignored"] == 0
    routed.pipeline.drained(stages=STAGES)
    routed.pipeline.stop()
    assert routing_violations(routed.pipeline, MODEL, PARTITIONS) == []


def test_a_dead_score_worker_stops_the_clocks_and_no_breach_is_false(make_routed: Any) -> None:
    routed = make_routed("4s", "20s")
    routed.start(*STAGES)
    routed.ready()
    leads = ("ann", "bea")
    routed.pipeline.send([event(number, lead, "form_fill", form_type="demo") for number, lead in enumerate(leads)])
    wait_for(lambda: len(routed.events("started")) == 2)
    routed.pipeline.end("score", signal.SIGKILL)
    routed.pipeline.send([event(3, "ann", "sales_activity", activity="contacted")])
    wait_for(lambda: metrics(routed.ports["route"]).get("leadstream_clocks_stopped_seconds", 0) > 2)
    due_ms = max(parse_iso(one["due_at"]) for one in routed.told())
    assert time.time() * 1000 > due_ms + 1_000
    assert not routed.events("breached"), "log time stands still: nobody knows whether an answer is on its way"

    routed.start("score")
    breached = wait_for(lambda: routed.events("breached"))
    assert breached.keys() == {"bea"}
    assert breached["bea"]["effective_at"] == breached["bea"]["due_at"]
    assert routed.events("answered")["ann"]["late_ms"] is None
    assert not routed.events("withdrawn")
    wait_for(lambda: metrics(routed.ports["route"]).get("leadstream_clocks_stopped_seconds") == 0)


@pytest.mark.parametrize("jump_s", [7_200, -7_200])
def test_a_host_whose_clock_jumps_makes_no_false_breach_and_holds_none_back(make_routed: Any, jump_s: int) -> None:
    routed = make_routed("7s", "30s")
    for stage in STAGES:
        command = ("-m", "tests.streams.wrong_clock", stage, "4", str(jump_s))
        routed.pipeline.start(stage, command=command, metrics_port=routed.ports[stage])
    routed.ready()
    leads = ("ann", "bea")
    routed.pipeline.send([event(number, lead, "form_fill", form_type="demo") for number, lead in enumerate(leads)])
    wait_for(lambda: len(routed.events("started")) == len(leads))
    due_ms = parse_iso(routed.events("started")["bea"]["due_at"])
    while time.time() * 1000 < due_ms - 2_000:
        assert not routed.events("breached")
        routed.pipeline.send([event(int(time.time() * 10), "cid")])
        time.sleep(0.3)
    routed.pipeline.send([event(9, "ann", "sales_activity", activity="contacted")])
    breached = wait_for(lambda: routed.events("breached"))
    assert due_ms <= time.time() * 1000 < due_ms + 10_000
    assert breached.keys() == {"bea"}
    assert routed.events("answered").keys() == {"ann"}
    routed.pipeline.stop()
    assert routing_violations(routed.pipeline, MODEL, PARTITIONS) == []


def test_of_policies_that_are_published_at_once_the_first_of_the_log_holds(make_routed: Any) -> None:
    routed = make_routed("1h", "2h")
    routed.start(*STAGES)
    routed.ready()
    texts = [POLICY.format(version=2, members=who, within="1h", after="2h") for who in ("ann", "cid")]
    broken = texts[0].replace("team: desk", "team: nobody")
    producers = [Producer({"bootstrap.servers": routed.pipeline.bootstrap}) for _ in range(3)]
    for producer, text in zip(producers, (*texts, broken), strict=True):
        digest = hashlib.sha256(text.encode()).hexdigest()
        value = encode_policy("short", 2, digest, text)
        producer.produce(routed.pipeline.prefix + LEAD_INTERNAL, value, partition=0)
    assert not any(producer.flush(20) for producer in producers)
    wait_for(lambda: len(routed.policies()) == 3)
    policies = routed.policies()
    assert [row.version for row in policies] == [1, 2, 2]
    assert b"bad_policy" in {value for one in routed.pipeline.read(DEAD_LETTERS) for _, value in one.headers}

    routed.pipeline.send([event(1, "zoe", "form_fill", form_type="demo")])
    (first,) = wait_for(lambda: routed.assignments("zoe"))
    assert first["owner"] == ("ann" if policies[1].body == texts[0] else "cid")
    assert first["policy"] == {"name": "short", "version": 2}

    # What the log has holds, whatever a worker's settings say.
    other = routed.folder / "other.yaml"
    other.write_text(policies[2].body)
    routed.pipeline.end("route", signal.SIGTERM)
    routed.start("route", policy=other)
    routed.ready()
    wait_for(lambda: metrics(routed.ports["route"]).get("leadstream_policy_setting_ignored") == 1)
    assert "but the log has short version 2" in routed.pipeline.log("route").read_text()
    routed.pipeline.drained(stages=STAGES)
    routed.pipeline.stop()
    assert routing_violations(routed.pipeline, MODEL, PARTITIONS) == []


def test_route_that_was_away_for_days_of_log_time_tells_what_it_would_have_told(make_routed: Any) -> None:
    routed = make_routed("20h", "22h", history=True, clock="record")
    times = [LONG_AGO_MS + number * 7 * MINUTE for number in range(900)]
    events = [_past(number, at_ms) for number, at_ms in enumerate(times)]
    # Time goes on where nobody does anything, so that every clock has done what it had to.
    names = [next(f"z{number}" for number in range(99) if partition_of(f"z{number}", PARTITIONS) == place)
             for place in range(PARTITIONS)]  # fmt: skip
    events += [(times[-1] + 3 * DAY, event(5_000 + n, name, at_ms=times[-1] + 3 * DAY)) for n, name in enumerate(names)]
    send_then(routed.pipeline, events)
    routed.start("ingest", "score")
    wait_for(lambda: routed.pipeline.lag("ingest") == 0)
    routed.pipeline.drained()
    for point, times_passed in (("recovered", 1), ("published", 1)):
        worker = ("-m", "tests.faults.worker", "route", point, str(times_passed))
        routed.pipeline.start("route", command=worker)
        assert routed.pipeline.ended("route", 40) == -signal.SIGKILL
    routed.start("route")
    routed.pipeline.drained(stages=STAGES)
    routed.pipeline.stop()
    assert routing_violations(routed.pipeline, MODEL, PARTITIONS) == []
    told = routed.told()
    assert {one["effective_at"][:7] for one in told} == {iso(LONG_AGO_MS)[:7]}
    whats = {one["what"] for one in told}
    assert whats >= {"started", "breached", "escalated", "answered", "cancelled"}
    assert not [one for one in routed.pipeline.read(LEAD_INTERNAL) if b"alarm" in (one.value or b"")]


def test_an_owner_with_more_leads_than_a_batch_of_the_log_holds_goes(make_routed: Any) -> None:
    """All of them lose the owner in one step, whose rows are one record batch."""
    routed, leads, many = make_routed("300h", "301h"), 40_000, 2_000
    now_ms = int(time.time() * 1000)
    gone = POLICY.format(version=2, members="cid", within="300h", after="301h").replace("bob: {}, ", "")
    rows = [RoutedTier(f"lead-{number:08d}-of-somebody", 1, "hot", now_ms, {}) for number in range(leads)]
    records: list[tuple[list[RoutingRow], bytes | None]] = [([_policy(routed.first, 1)], POLICY_KEY)]
    records += [(rows[place : place + many], None) for place in range(0, leads, many)]  # type: ignore[misc]  # all are rows
    records.append(([_policy(gone, 2)], POLICY_KEY))
    producer = Producer({"bootstrap.servers": routed.pipeline.bootstrap})
    for packed, key in records:
        producer.produce(routed.pipeline.prefix + LEAD_ROUTING, encode_routing(packed), key=key)
    assert not producer.flush(20)
    routed.start("route")
    routed.pipeline.drained(stages=["route"])
    routed.ready()
    seen = metrics(routed.ports["route"])
    assert seen['leadstream_open_leads{owner="cid"}'] == leads
    kept = [one for one in routed.pipeline.read(ROUTES_CHANGELOG) if one.key == CHECKPOINT_KEY]
    assert len(kept) > leads // many


def _policy(text: str, version: int) -> PolicyControl:
    return PolicyControl(0, "short", version, hashlib.sha256(text.encode()).hexdigest(), text)


def _past(number: int, at_ms: int) -> tuple[int, dict[str, Any]]:
    """The number-th event of that time: leads are busy for an hour; a third asks for a person, a third is answered."""
    lead = number // 9
    kind = ("page_view", "form_fill", "page_view", "form_fill", "sales_activity" if lead % 3 else "page_view")[
        number % 5
    ]
    fields = {"form_type": "demo" if lead % 3 == 1 else "contact"} if kind == "form_fill" else {}
    if kind == "sales_activity":
        fields = {"activity": "contacted"}
    return at_ms, event(number, f"lead-{lead}", kind, at_ms=at_ms, **fields)
