"""The ingest stage without a broker: what it makes of polls."""

from __future__ import annotations

import hashlib

import pytest

from schemas.dead_letters import DeadLetterHeaders
from schemas.internal import (
    encode_alarm,
    encode_assign,
    encode_forward,
    encode_merge,
    encode_model,
    encode_policy,
    encode_release,
)
from schemas.log import (
    ALARM_KEY,
    MODEL_KEY,
    POLICY_KEY,
    Alarm,
    ByHand,
    Download,
    EventRow,
    Link,
    Merge,
    ModelControl,
    NextPolicy,
)
from schemas.naming import lead_name, partition_of
from schemas.times import iso
from scoring.compiled import CompiledModel
from scoring.kernel import Kernel
from scoring.routing.shipped import shipped_policy
from scoring.row_codec import encode_row
from scoring.shipped import shipped_model
from streams.engine.stage import Record, TopicPartition
from tests.streams.polls import (
    INTERNAL,
    INTERNAL_1,
    OPENS,
    PARTITIONS,
    START_MS,
    TOPICS,
    VIEWS,
    Ingest,
    letters_of,
    log_of,
    raw,
    rows_of,
)

KERNEL = Kernel(CompiledModel(shipped_model("b2b-default")))
A_ROW = encode_row(KERNEL.model, KERNEL.new("a:1"))


def test_rows_go_by_time_to_the_partition_of_their_lead() -> None:
    ingest = Ingest()
    carried = ingest.poll({VIEWS: [raw(0, 10), raw(1, 30)], OPENS: [raw(7, 20), raw(8, 30, "bob")]})
    ann, bob = partition_of("ann", PARTITIONS), partition_of("bob", PARTITIONS)
    assert ann != bob
    ((key, safe, rows),) = log_of(carried, ann)
    assert key == b"ann"
    assert [row.event_id for row in rows if isinstance(row, EventRow)] == ["e0", "e7", "e1"]
    assert rows[0] == Download("ann", START_MS + 10, START_MS, "e0", "", "a.pdf")
    assert safe == 30 - 1000
    assert len(log_of(carried, bob)) == 1
    assert carried.positions == {VIEWS: 2, OPENS: 9}
    assert carried.records == 4
    assert not carried.hold
    assert ingest.progress.told[-1][VIEWS] == START_MS + 30


def test_safe_moves_with_the_rows_of_a_backlog() -> None:
    ingest = Ingest(pack_rows=2)
    ingest.poll({VIEWS: [raw(0, 0)]})
    carried = ingest.poll({VIEWS: [raw(number, 5000 + number) for number in range(1, 6)]})
    log = log_of(carried, partition_of("ann", PARTITIONS))
    assert [len(rows) for _, _, rows in log] == [2, 2, 1]
    assert [safe for _, safe, _ in log] == [4005] * 3, "five seconds later, and a second is for the brokers' clocks"
    carried = ingest.poll({tp: [raw(6 + number, 9000 + number) for number in range(3)] for tp in TOPICS.places()})
    for partition in range(PARTITIONS):
        for _, safe, rows in log_of(carried, partition):
            assert safe <= min(row.received_at_ms for row in rows) - START_MS


def test_a_record_without_a_place_in_the_log_is_a_dead_letter_as_it_was() -> None:
    ingest = Ingest()
    carried = ingest.poll({OPENS: [raw(3, 5), Record(4, START_MS + 6, b"key", b"{", (("trace", b"1"),)), raw(5, 7)]})
    (letter,) = carried.outputs[TopicPartition("dead-letters", OPENS.partition)]
    key, value, headers = letter
    assert (key, value, headers[0]) == (b"key", b"{", ("trace", b"1"))
    said = DeadLetterHeaders.read(headers)
    assert (said.topic, said.partition, said.offset, said.reason) == ("email-opens", 1, 4, "bad_json")
    assert said.timestamp_ms == START_MS + 6
    assert carried.positions == {OPENS: 6}


def test_an_alarm_stands_alone_behind_everything_older() -> None:
    ingest = Ingest()
    partition = partition_of("ann", PARTITIONS)
    alarm = Record(0, START_MS + 20, None, encode_alarm(partition))
    carried = ingest.poll({VIEWS: [raw(0, 10), raw(1, 20), raw(2, 21)], INTERNAL_1: [alarm]})
    log = log_of(carried, partition)
    assert [key for key, _, _ in log] == [b"ann", ALARM_KEY, b"ann"]
    assert log[1][2] == [Alarm(START_MS + 20)]
    assert [len(rows) for _, _, rows in log] == [2, 1, 1]


def test_a_model_goes_to_every_partition_and_comes_from_one() -> None:
    model = shipped_model("b2b-default")
    value = encode_model(model.name, model.version, model.sha256, model.text)
    ingest = Ingest()
    carried = ingest.poll({INTERNAL: [Record(0, START_MS, None, value)]})
    for partition in range(PARTITIONS):
        ((key, _, rows),) = log_of(carried, partition)
        assert key == MODEL_KEY
        assert rows == [ModelControl(START_MS, model.name, model.version, model.sha256, model.text)]
    carried = ingest.poll({INTERNAL_1: [Record(0, START_MS, None, value)]})
    assert [DeadLetterHeaders.read(entry[2]).reason for entry in letters_of(carried)] == ["unknown_value"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (encode_alarm(PARTITIONS), "number_out_of_range"),
        (encode_model("m", 1, "0" * 64, "model: m"), "digest_mismatch"),
        (b'{"type": "x"}', "unknown_kind"),
        (b'{"type": "merge"}', "missing_field"),
        (encode_merge(Merge("crm-1", 0, "a:1", b"\x02", 1)), "bad_merge"),
        (encode_merge(Merge("a:1", 0, "crm-1", A_ROW, 1)), "bad_merge"),
        (b'{"type": "forward", "rows": "e30="}', "bad_merge"),
        (None, "null_value"),
    ],
)
def test_internal_messages_that_cannot_be_used(value: bytes | None, reason: str) -> None:
    carried = Ingest().poll({INTERNAL: [Record(0, START_MS, None, value)]})
    assert [DeadLetterHeaders.read(entry[2]).reason for entry in letters_of(carried)] == [reason]


def test_weaker_names_are_linked_to_the_strongest_once_an_hour() -> None:
    ingest = Ingest()
    address = lead_name(None, "ann@example.com", None, b"k" * 16)
    three = {"lead": {"lead_id": "ann", "email": " Ann@example.com", "anonymous_id": "b-1"}}
    hour_ms = START_MS // 3_600_000 * 3_600_000
    rows = rows_of(ingest.poll({VIEWS: [raw(0, 10, **three), raw(1, 11, **three)]}))
    links = [row for row in rows if isinstance(row, Link)]
    assert sorted((link.lead_id, link.owner, link.hour_ms, link.received_at_ms - START_MS) for link in links) == [
        ("a:b-1", "ann", hour_ms, 10),
        (address, "ann", hour_ms, 10),
    ]
    assert {row.lead_id for row in rows if isinstance(row, EventRow)} == {"ann"}
    again = three | {"occurred_at": iso(START_MS - 1)}
    assert not [row for row in rows_of(ingest.poll({VIEWS: [raw(2, 12, **again)]})) if isinstance(row, Link)]
    later = three | {"occurred_at": iso(hour_ms + 3_600_000)}
    carried = ingest.poll({VIEWS: [raw(3, 3_600_000, **later)]})
    assert {row.hour_ms for row in rows_of(carried) if isinstance(row, Link)} == {hour_ms + 3_600_000}


def test_events_with_one_name_bring_no_link() -> None:
    leads = [{"lead_id": "x"}, {"email": "ann@example.com"}, {"anonymous_id": "b"}, {"lead_id": "x", "email": None}]
    rows = rows_of(Ingest().poll({VIEWS: [raw(number, number, lead=lead) for number, lead in enumerate(leads)]}))
    assert len(rows) == len(leads)
    assert all(isinstance(row, Download) for row in rows)


def test_merges_and_forwarded_events_go_to_their_owners() -> None:
    merge = Merge("ann", START_MS, "a:1", A_ROW, 3)
    event = Download("ann", START_MS - 5_000, START_MS - 9_000, "e9", "", "a.pdf")
    internal = [
        Record(0, START_MS + 20, None, encode_merge(merge)),
        Record(1, START_MS + 21, None, encode_forward([event, event])),
    ]
    carried = Ingest().poll({VIEWS: [raw(0, 10)], INTERNAL_1: internal})
    rows = [row for _, _, rows in log_of(carried, partition_of("ann", PARTITIONS)) for row in rows]
    assert rows == [
        event,
        event,
        Download("ann", START_MS + 10, START_MS, "e0", "", "a.pdf"),
        Merge("ann", START_MS + 20, "a:1", A_ROW, 3),
    ]


def test_hand_commands_go_to_the_partition_of_their_lead_by_their_time() -> None:
    forwarded = ByHand("ann", START_MS - 5_000, "h9", by="eve")
    internal = [
        Record(0, START_MS + 5, None, encode_assign("ann", "h1", owner="bob", by="eve")),
        Record(1, START_MS + 20, None, encode_assign("ann", "h2", team="desk")),
        Record(2, START_MS + 21, None, encode_release("a:7", "h3")),
        Record(3, START_MS + 22, None, encode_forward([forwarded])),
    ]
    carried = Ingest().poll({VIEWS: [raw(0, 10)], INTERNAL_1: internal})
    rows = [row for _, _, rows in log_of(carried, partition_of("ann", PARTITIONS)) for row in rows]
    assert [row for row in rows if getattr(row, "lead_id", "") == "ann"] == [
        forwarded,
        ByHand("ann", START_MS + 5, "h1", "bob", None, "eve"),
        Download("ann", START_MS + 10, START_MS, "e0", "", "a.pdf"),
        ByHand("ann", START_MS + 20, "h2", None, "desk"),
    ]
    assert ByHand("a:7", START_MS + 21, "h3") in [
        row for _, _, rows in log_of(carried, partition_of("a:7", PARTITIONS)) for row in rows
    ]


def test_a_policy_goes_to_the_first_partition_alone_and_comes_from_there() -> None:
    policy = shipped_policy("b2b-default")
    request = encode_policy(policy.name, policy.version, policy.sha256, policy.text)
    bad = policy.text.replace("members: [senior_1]", "members: [nobody]")
    digest = hashlib.sha256(bad.encode()).hexdigest()
    records = {
        INTERNAL: [
            Record(0, START_MS + 3, None, request),
            Record(1, START_MS + 4, None, encode_policy(policy.name, policy.version, digest, bad)),
            Record(2, START_MS + 5, None, encode_policy(policy.name, 7, policy.sha256, policy.text)),
        ],
        INTERNAL_1: [Record(9, START_MS + 3, None, request)],
    }
    carried = Ingest().poll(records)
    row = NextPolicy(START_MS + 3, policy.name, policy.version, policy.sha256, policy.text)
    log = [[(key, rows) for key, _, rows in log_of(carried, partition)] for partition in range(PARTITIONS)]
    assert log == [[(POLICY_KEY, [row])], [], [], []]
    reasons = [DeadLetterHeaders.read(entry[2]).reason for entry in letters_of(carried)]
    assert sorted(reasons) == ["bad_policy", "bad_policy", "unknown_value"]


def test_the_breaker_stops_where_it_trips_and_goes_on_there() -> None:
    ingest = Ingest(window=4)
    bad = [Record(number, START_MS + number, None, b"{") for number in range(9)]
    carried = ingest.poll({OPENS: bad, VIEWS: [raw(0, 5)]})
    assert len(letters_of(carried)) == 3
    assert carried.positions == {OPENS: 3, VIEWS: 1}
    assert carried.hold == {tp for tp in TOPICS.places() if tp.topic == "email-opens"}
    ingest.readiness.engine(ready=True, why="")
    assert "leadstream dlq release email-opens" in ingest.readiness.ready()[1]
    carried = ingest.poll({VIEWS: [raw(1, 100_000)]})
    assert carried.positions == {VIEWS: 2}
    ingest.progress.board.pauses.clear()
    carried = ingest.poll({})
    assert len(letters_of(carried)) == 3
    assert carried.positions == {OPENS: 6}


def test_good_records_between_bad_ones_keep_a_topic_going() -> None:
    ingest = Ingest(window=10)
    records = [raw(n, n) if n % 2 else Record(n, START_MS + n, None, b"{") for n in range(40)]
    carried = ingest.poll({OPENS: records})
    assert carried.positions == {OPENS: 40}
    assert len(letters_of(carried)) == 20
