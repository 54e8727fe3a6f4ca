"""However a poll is sliced and packed, the log is the same, and nothing is lost or doubled."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dead_letters import DeadLetterHeaders
from schemas.internal import (
    encode_alarm,
    encode_assign,
)
from schemas.log import (
    Download,
    EventRow,
    Link,
    LogRow,
    decode_record,
)
from schemas.naming import partition_of
from streams.engine.stage import Carried, Record, TopicPartition
from streams.packs import Packer
from tests.streams.polls import (
    INTERNAL_1,
    OPENS,
    PARTITIONS,
    START_MS,
    VIEWS,
    Ingest,
    letters_of,
    log_of,
    raw,
    rows_of,
)


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
    assert sorted(map(repr, letters_of(whole))) == sorted(map(repr, letters_of(sliced)))
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
        letters += letters_of(carried)
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
