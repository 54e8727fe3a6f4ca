"""The ingest stage without a broker: what it makes of polls."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    LogRow,
    Merge,
    ModelControl,
    NextPolicy,
    decode_record,
)
from schemas.naming import lead_name, partition_of
from schemas.times import iso
from schemas.topics import RAW_TOPICS
from scoring.compiled import CompiledModel
from scoring.kernel import Kernel
from scoring.routing.shipped import shipped_policy
from scoring.row_codec import encode_row
from scoring.shipped import shipped_model
from streams.breaker import Breaker, Pause
from streams.engine.stage import Carried, FetchState, Publisher, Record, TopicPartition
from streams.health import Readiness
from streams.ingest import IngestStage, IngestTopics
from streams.ingest_watch import IngestWatch
from streams.metrics import Metrics
from streams.packs import Packer
from streams.progress import ProgressBoard
from streams.watch import Watch

START_MS = 1_772_446_500_000
PARTITIONS = 4
TOPICS = IngestTopics(
    dict.fromkeys((*RAW_TOPICS, "lead-internal"), 2), "lead-internal", "lead-events", "dead-letters", PARTITIONS
)
VIEWS, OPENS = TopicPartition("page-views", 0), TopicPartition("email-opens", 1)
KERNEL = Kernel(CompiledModel(shipped_model("b2b-default")))
A_ROW = encode_row(KERNEL.model, KERNEL.new("a:1"))
INTERNAL, INTERNAL_1 = TopicPartition("lead-internal", 0), TopicPartition("lead-internal", 1)


class Alone:
    """No other worker, no broker."""

    def __init__(self) -> None:
        self.board = ProgressBoard()
        self.told: list[Mapping[TopicPartition, int]] = []

    async def start(self, publisher: Publisher) -> None: ...

    async def stop(self) -> None: ...

    def check(self) -> None: ...

    def carried(self, bounds: Mapping[TopicPartition, int], newest_ms: int, *, alone: bool) -> None:
        self.told.append(bounds)

    def pause(self, pause: Pause) -> None:
        self.board.pauses[pause.topic] = pause


class Ingest:
    """A stage, and a short way to poll it."""

    def __init__(self, pack_rows: int = 100, window: int = 1000, together: int = 1000) -> None:
        self.progress = Alone()
        self.readiness = Readiness()
        watch = IngestWatch(Watch(Metrics("ingest"), self.readiness), "")
        breaker = Breaker(window, 0.5)
        self.stage = IngestStage(
            TOPICS, b"k" * 16, pack_rows, breaker, self.progress, watch, "ingest", together=together
        )
        self.stage.assigned(TOPICS.places())

    def poll(self, fetched: Mapping[TopicPartition, list[Record]], *, at_end: bool = True) -> Carried:
        idle = {tp: FetchState(at_end, 0.0, 0.0) for tp in TOPICS.places() if tp not in fetched}
        carried = self.stage.carry(fetched, idle)
        self.stage.acknowledged(carried)
        return carried


def raw(number: int, time_ms: int, lead: Any = "ann", **fields: Any) -> Record:
    event = {
        "event_id": f"e{number}",
        "kind": "download",
        "occurred_at": iso(START_MS),
        "lead": lead if isinstance(lead, dict) else {"lead_id": lead},
        "asset": "a.pdf",
    } | fields
    return Record(number, START_MS + time_ms, b"key", msgspec.json.encode(event), (("trace", b"1"),))


def log_of(carried: Carried, partition: int) -> list[tuple[bytes | None, int, list[LogRow]]]:
    """(key, safe from the start, rows) of every record for a partition of the log."""
    entries = carried.outputs.get(TopicPartition("lead-events", partition), [])
    decoded = [(key, *decode_record(value)) for key, value, _ in entries]
    return [(key, safe_ms - START_MS, rows) for key, safe_ms, rows in decoded]


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
    assert [DeadLetterHeaders.read(entry[2]).reason for entry in _letters(carried)] == ["unknown_value"]


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
    assert [DeadLetterHeaders.read(entry[2]).reason for entry in _letters(carried)] == [reason]


def _letters(carried: Carried) -> list[tuple[bytes | None, bytes | None, Any]]:
    return [entry for tp, entries in carried.outputs.items() if tp.topic == "dead-letters" for entry in entries]


def rows_of(carried: Carried) -> list[LogRow]:
    """All rows, by partition."""
    return [row for partition in range(PARTITIONS) for _, _, rows in log_of(carried, partition) for row in rows]


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
    reasons = [DeadLetterHeaders.read(entry[2]).reason for entry in _letters(carried)]
    assert sorted(reasons) == ["bad_policy", "bad_policy", "unknown_value"]


def test_the_breaker_stops_where_it_trips_and_goes_on_there() -> None:
    ingest = Ingest(window=4)
    bad = [Record(number, START_MS + number, None, b"{") for number in range(9)]
    carried = ingest.poll({OPENS: bad, VIEWS: [raw(0, 5)]})
    assert len(_letters(carried)) == 3
    assert carried.positions == {OPENS: 3, VIEWS: 1}
    assert carried.hold == {tp for tp in TOPICS.places() if tp.topic == "email-opens"}
    ingest.readiness.engine(ready=True, why="")
    assert "leadstream dlq release email-opens" in ingest.readiness.ready()[1]
    carried = ingest.poll({VIEWS: [raw(1, 100_000)]})
    assert carried.positions == {VIEWS: 2}
    ingest.progress.board.pauses.clear()
    carried = ingest.poll({})
    assert len(_letters(carried)) == 3
    assert carried.positions == {OPENS: 6}


def _rows_and_links(carried: Carried, partition: int) -> tuple[list[LogRow], set[tuple[str, str, int]]]:
    rows = [row for _, _, rows in log_of(carried, partition) for row in rows]
    links = {(row.lead_id, row.owner, row.hour_ms) for row in rows if isinstance(row, Link)}
    return [row for row in rows if not isinstance(row, Link)], links


Sent = st.tuples(
    st.sampled_from([VIEWS, TopicPartition("page-views", 1), OPENS, INTERNAL_1]),
    st.integers(0, 3),  # ms since the one before it
    st.integers(0, 5),  # what it is: most are events
    st.sampled_from(["ann", "bob", "eve"]),
)


def _sent(sent: list[tuple[TopicPartition, int, int, str]]) -> dict[TopicPartition, list[Record]]:
    """What was sent, as the broker keeps it."""
    kept: dict[TopicPartition, list[Record]] = {}
    at_ms = 0
    for number, (tp, passed_ms, what, lead) in enumerate(sent):
        at_ms += passed_ms
        if what == 0:
            record = Record(number, START_MS + at_ms, None, b"{")
        elif tp == INTERNAL_1:
            record = Record(number, START_MS + at_ms, None, encode_assign(lead, f"h{number}", owner="bob"))
            if what == 1:
                record = record._replace(value=encode_alarm(partition_of(lead, PARTITIONS)))
        else:
            record = raw(number, at_ms, {"lead_id": lead, "anonymous_id": f"{lead}-{what}"})
        kept.setdefault(tp, []).append(record)
    return kept


@settings(max_examples=150, deadline=None)
@given(st.lists(Sent, max_size=60), st.integers(1, 12), st.integers(1, 9))
def test_the_log_is_the_same_however_a_poll_is_sliced(
    sent: list[tuple[TopicPartition, int, int, str]], together: int, pack_rows: int
) -> None:
    """The same rows in the same order, the same dead letters; no `safe` is beyond a row that follows.

    Of several events that say who is who, the one that is decoded first says it.
    """
    kept = _sent(sent)
    whole, sliced = (Ingest(pack_rows, together=size).poll(kept) for size in (1_000, together))
    assert whole.positions == sliced.positions
    assert sorted(map(repr, _letters(whole))) == sorted(map(repr, _letters(sliced)))
    for partition in range(PARTITIONS):
        (rows, links), (sliced_rows, sliced_links) = (
            _rows_and_links(carried, partition) for carried in (whole, sliced)
        )
        assert sliced_rows == rows
        assert sliced_links == links
        said = 0
        for _, safe, found in log_of(sliced, partition):
            said = max(said, safe)
            assert all(row.received_at_ms - START_MS >= said for row in found)


@settings(max_examples=100, deadline=None)
@given(st.lists(Sent, max_size=60), st.integers(1, 12), st.integers(1, 8))
def test_nothing_is_lost_or_doubled_where_the_breaker_stops_in_the_midst_of_a_slice(
    sent: list[tuple[TopicPartition, int, int, str]], together: int, window: int
) -> None:
    ingest, kept = Ingest(window=window, together=together), _sent(sent)
    reached: dict[TopicPartition, int] = {}
    letters: list[Any] = []
    events: list[str] = []
    polls = 0
    fetched = kept
    while polls == 0 or ingest.progress.board.pauses:
        ingest.progress.board.pauses.clear()
        carried = ingest.poll(fetched)
        fetched = {}
        assert all(offset > reached.get(tp, -1) for tp, offset in carried.positions.items())
        reached |= carried.positions
        letters += _letters(carried)
        events += [row.event_id for row in rows_of(carried) if isinstance(row, EventRow)]
        polls += 1
        assert polls <= 1 + len(sent)
    assert reached == {tp: records[-1].offset + 1 for tp, records in kept.items()}
    bad = [record for records in kept.values() for record in records if record.value == b"{"]
    assert sorted(DeadLetterHeaders.read(headers).offset for _, _, headers in letters) == [
        record.offset for record in sorted(bad)
    ]
    good = [record for tp, records in kept.items() if tp != INTERNAL_1 for record in records if record.value != b"{"]
    assert sorted(events) == sorted(f"e{record.offset}" for record in good)


def test_good_records_between_bad_ones_keep_a_topic_going() -> None:
    ingest = Ingest(window=10)
    records = [raw(n, n) if n % 2 else Record(n, START_MS + n, None, b"{") for n in range(40)]
    carried = ingest.poll({OPENS: records})
    assert carried.positions == {OPENS: 40}
    assert len(_letters(carried)) == 20


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3000)), max_size=60),
    st.integers(1, 100),
    st.integers(1, 20),
    st.integers(0, 60),
)
def test_packs_hold_every_row_once_in_order_and_one_lead_gives_the_key(
    leads: list[tuple[int, int]], pack_rows: int, large: int, cut: int
) -> None:
    events = [
        Download(f"lead-{lead}", START_MS + number, START_MS, f"e{number}", "", "x" * (size * large))
        for number, (lead, size) in enumerate(leads)
    ]
    packer = Packer(PARTITIONS, pack_rows, 0, START_MS + 10_000)
    packer.add(events[:cut])
    packer.add(events[cut:])
    for partition, entries in enumerate(packer.finish()):
        rows: list[LogRow] = []
        for key, value, _ in entries:
            assert value is not None
            safe_ms, found = decode_record(value)
            assert safe_ms == found[0].received_at_ms
            assert len(value) <= 64 * 1024 or len(found) == 1
            assert len(found) <= pack_rows
            names = {row.lead_id for row in found if isinstance(row, EventRow)}
            assert key == (names.pop().encode() if len(names) == 1 else None)
            rows += found
        assert rows == [row for row in events if partition_of(row.lead_id, PARTITIONS) == partition]
