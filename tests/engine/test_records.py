"""Record batches as the broker sends them become chunks: nothing lost at their edges, nothing taken twice."""

from __future__ import annotations

import asyncio
import sys
from itertools import chain
from typing import Any

import pytest
from aiokafka import TopicPartition as Place
from aiokafka.consumer import fetcher
from aiokafka.consumer.subscription_state import Assignment
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.util import calc_crc32c_py

from streams.engine import records as engine_records
from streams.engine.errors import StateRefused
from streams.engine.fetching import ActiveView
from streams.engine.records import (
    Batch,
    BatchRecords,
    Chunk,
    FetchedBytes,
    Poll,
    install,
    to_batch,
    to_blocks,
    to_chunk,
)
from streams.engine.stage import Block, Record, TopicPartition

PLACE = Place("log", 3)
TP = TopicPartition("log", 3)


def batch_bytes(
    base: int, count: int, next_offset: int | None = None, packed: int = 0, stamped_ms: int | None = None
) -> bytes:
    """A record batch of values `v<offset>`; it may cover more offsets than it has records, as after compaction.

    Its records have their producer's times, unless a broker stamps it as a whole.
    """
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=packed, is_transactional=False, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=1 << 20,
    )  # fmt: skip
    for number in range(count):
        builder.append(number, timestamp=1_000 + number, key=b"k", value=b"v%d" % (base + number), headers=[])
    if next_offset is not None:
        builder.append(next_offset - base - 1, timestamp=2_000, key=None, value=b"last", headers=[])
    data = bytearray(builder.build())
    data[:8] = base.to_bytes(8, "big")
    if stamped_ms is not None:
        data[22] |= 0b1000
        data[35:43] = stamped_ms.to_bytes(8, "big")
        data[17:21] = calc_crc32c_py(bytes(data[21:])).to_bytes(4, "big")
    return bytes(data)


def unpack(data: bytes, fetch_offset: int, wants: object = to_chunk, check: bool = True) -> list[Any]:
    records = BatchRecords(PLACE, FetchedBytes(data), [], fetch_offset, wants, None, check, 0)
    return list(records)


def test_one_chunk_for_each_record_batch() -> None:
    first, second = unpack(batch_bytes(10, 3) + batch_bytes(13, 2), 10)
    assert first == Chunk(10, 13, [Record(o, 990 + o, b"k", b"v%d" % o, []) for o in (10, 11, 12)])
    assert (second.start, second.end, len(second.records)) == (13, 15, 2)


def blocks_of(data: bytes, fetch_offset: int) -> list[tuple[int, int, int, list[int]]]:
    """Of each block the time, the end, the size, and the offsets of its records."""
    blocks: list[Block] = [block for blocks in unpack(data, fetch_offset, to_blocks) for block in blocks]
    return [(*block[:3], [record.offset for record in block.records]) for block in blocks]


def test_what_a_broker_stamped_is_one_block() -> None:
    data = batch_bytes(10, 3, stamped_ms=7_000) + batch_bytes(13, 1, stamped_ms=7_001)
    assert blocks_of(data, 10) == [(7_000, 13, 3, [10, 11, 12]), (7_001, 14, 1, [13])]
    assert blocks_of(data, 12) == [(7_000, 13, 1, [12]), (7_001, 14, 1, [13])]
    assert blocks_of(data, 13) == [(7_001, 14, 1, [13])]
    assert blocks_of(data, 20) == []


def test_a_block_has_what_its_records_have() -> None:
    ((block,),) = unpack(batch_bytes(10, 2, stamped_ms=7_000), 10, to_blocks)
    assert [(r.offset, r.key, r.value, r.headers) for r in block.records] == [
        (10, b"k", b"v10", []),
        (11, b"k", b"v11", []),
    ]


@pytest.mark.parametrize("stamped_ms", [None, 7_000])
def test_a_block_can_be_read_in_parts(stamped_ms: int | None) -> None:
    blocks = [block for blocks in unpack(batch_bytes(10, 5, stamped_ms=stamped_ms), 11, to_blocks) for block in blocks]
    records = chain.from_iterable(block.records for block in blocks)
    assert next(records).offset == 11
    assert [record.offset for record in records] == [12, 13, 14]
    assert [list(block.records) for block in blocks] == [[]] * len(blocks)


def test_producers_times_part_a_batch_into_blocks() -> None:
    assert blocks_of(batch_bytes(10, 3), 11) == [(1_001, 12, 1, [11]), (1_002, 13, 1, [12])]
    assert blocks_of(batch_bytes(5, 1, next_offset=7), 0) == [(1_000, 6, 1, [5]), (2_000, 7, 1, [6])]


@pytest.mark.parametrize("packed", [1, 2, 3, 4], ids=["gzip", "snappy", "lz4", "zstd"])
def test_packed_blocks_are_unpacked_as_they_are_read(packed: int) -> None:
    ((_, end, size, offsets),) = blocks_of(batch_bytes(10, 300, packed=packed, stamped_ms=5), 10)
    assert (end, size, offsets) == (310, 300, list(range(10, 310)))


@pytest.mark.parametrize("packed", [1, 2, 3, 4], ids=["gzip", "snappy", "lz4", "zstd"])
def test_what_producers_pack_can_be_read(packed: int) -> None:
    (chunk,) = unpack(batch_bytes(10, 300, packed=packed), 10)
    assert [record.value for record in chunk.records] == [b"v%d" % number for number in range(10, 310)]


def test_records_before_the_position_are_left_out() -> None:
    (chunk,) = unpack(batch_bytes(10, 5), 12)
    assert (chunk.start, chunk.end) == (12, 15)
    assert [record.offset for record in chunk.records] == [12, 13, 14]


def test_a_batch_that_lies_before_the_position_moves_nothing() -> None:
    (chunk,) = unpack(batch_bytes(10, 2), 20)
    assert chunk == Chunk(20, 20, [])


def test_gaps_of_compaction_are_covered() -> None:
    # Offsets 0 to 4 and 7 to 8 are gone.
    first, second = unpack(batch_bytes(5, 1, next_offset=7) + batch_bytes(9, 1), 0)
    assert (first.start, first.end, [record.offset for record in first.records]) == (0, 7, [5, 6])
    assert (second.start, second.end) == (7, 10)


@pytest.fixture(params=[True, False], ids=["by the processor", "by aiokafka"])
def checked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert engine_records._BY_PROCESSOR, "the library's native part is missing here"
    monkeypatch.setattr(engine_records, "_BY_PROCESSOR", request.param)


@pytest.mark.usefixtures("checked")
@pytest.mark.parametrize("place", [21, 70_000, 140_000, -1], ids=["attributes", "second piece", "third piece", "end"])
def test_a_wrong_checksum_is_refused_with_the_place(place: int) -> None:
    before, damaged, behind = batch_bytes(0, 1), bytearray(batch_bytes(1, 12_000)), batch_bytes(12_001, 1)
    assert len(damaged) > 150_000
    assert len(unpack(before + bytes(damaged) + behind, 0)) == 3

    damaged[place] ^= 1 if place > 21 or place < 0 else 0b100000
    data = before + bytes(damaged) + behind
    with pytest.raises(StateRefused, match=r"log\[3\], from offset 1 on: the checksum of a record batch is wrong"):
        unpack(data, 0)


def test_checksums_are_looked_at_where_that_is_asked_for() -> None:
    data = bytearray(batch_bytes(0, 1) + batch_bytes(1, 1))
    data[-2] ^= 1
    assert len(unpack(bytes(data), 0, check=False)) == 2


@pytest.mark.usefixtures("checked")
def test_record_batches_of_an_old_form_have_another_checksum() -> None:
    builder = LegacyRecordBatchBuilder(magic=1, compression_type=0, batch_size=1 << 20)
    builder.append(0, 1_000, b"k", b"old")
    old = bytes(builder.build())
    (chunk,) = unpack(old, 0)
    assert [record.value for record in chunk.records] == [b"old"]
    with pytest.raises(StateRefused, match="from offset 0 on"):
        unpack(old[:-1] + b"?", 0)


def test_other_consumers_of_the_process_get_aiokafkas_records() -> None:
    (record,) = unpack(batch_bytes(7, 1), 7, wants=None)
    assert type(record) is fetcher.ConsumerRecord
    assert (record.offset, record.value) == (7, b"v7")


def test_aiokafkas_fetcher_unpacks_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetcher, "PartitionRecords", fetcher.PartitionRecords)
    monkeypatch.setattr(fetcher, "MemoryRecords", fetcher.MemoryRecords)
    install()
    assert (fetcher.PartitionRecords, fetcher.MemoryRecords) == (BatchRecords, FetchedBytes)


def test_chunks_of_a_fetch_are_one_batch() -> None:
    batch = to_batch(PLACE, unpack(batch_bytes(10, 3) + batch_bytes(13, 2, next_offset=20), 11), behind=4)
    assert (batch.topic, batch.partition, batch.start, batch.end, batch.offset) == ("log", 3, 11, 20, 19)
    assert [record.offset for record in batch.records] == [11, 12, 13, 14, 19]
    assert batch.behind == 4
    assert batch.value is batch


def test_nothing_but_its_user_holds_a_batch() -> None:
    batch, poll = Batch(TP, [Chunk(0, 1, [])], 0), Poll(TP, 0, {}, {}, {})
    # The name here and the call's own argument.
    assert (sys.getrefcount(batch), sys.getrefcount(poll)) == (2, 2)


def test_a_partition_that_waits_keeps_what_was_fetched_of_it() -> None:
    """What `Fetcher.fetched_records` does with the partitions that it is asked for: membership is all it looks at."""
    waiting = {PLACE}
    view = ActiveView({PLACE, Place("log", 4)}, waiting.__contains__)
    assert bool(view)
    assert PLACE not in view
    assert Place("log", 4) in view
    assert Place("log", 5) not in view
    waiting.clear()
    assert PLACE in view


def test_positions_move_when_chunks_are_taken() -> None:
    async def taken() -> tuple[list[Chunk], int]:
        assignment = Assignment([PLACE])
        state = assignment.state_value(PLACE)
        state.reset_to(10)
        records = BatchRecords(PLACE, FetchedBytes(batch_bytes(10, 3)), [], 10, to_chunk, None, True, 0)
        fetched = fetcher.FetchResult(PLACE, assignment=assignment, partition_records=records, backoff=0)
        return fetched.getall(5_000), state.position

    chunks, position = asyncio.run(taken())
    assert [chunk.end for chunk in chunks] == [13]
    assert position == 13
