"""Reading topics: order, ends, memory."""

import pytest

from streams import topic_reader
from streams.clients import Sender
from streams.settings import Settings
from streams.topic_reader import follow, read_one, read_there, scan


@pytest.fixture
def settings(embedded: str) -> Settings:
    return Settings.read()


def write(settings: Settings, *records: tuple[int, int, bytes]) -> None:
    sender = Sender(settings)
    for partition, timestamp_ms, value in records:
        sender.send("tier-changes", value, partition=partition, timestamp_ms=timestamp_ms)
    sender.finish()


def test_partitions_are_merged_by_time_and_each_keeps_its_order(settings: Settings) -> None:
    write(settings, (0, 10, b"a"), (0, 30, b"b"), (0, 20, b"c"), (1, 10, b"d"), (1, 25, b"e"), (3, 5, b"f"))

    assert [record.value for record in read_there(settings, "tier-changes")] == [b"f", b"a", b"d", b"e", b"b", b"c"]


def test_a_partition_far_behind_does_not_fill_memory(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_reader, "_FULL", 20)
    monkeypatch.setattr(topic_reader, "_LOW", 5)
    monkeypatch.setattr(topic_reader, "_BATCH", 10)
    write(settings, *((0, number, b"early") for number in range(1, 500)))
    write(settings, *((1, 1000 + number, b"late") for number in range(500)))

    records = list(read_there(settings, "tier-changes"))

    assert len(records) == 999
    assert [record.timestamp_ms for record in records] == sorted(record.timestamp_ms for record in records)


def test_an_empty_topic_ends_at_once(settings: Settings) -> None:
    assert list(read_there(settings, "tier-changes")) == []
    assert list(scan(settings, "tier-changes")) == []


def test_what_is_written_meanwhile_is_not_read(settings: Settings) -> None:
    write(settings, (0, 1, b"a"), (1, 2, b"b"))
    reading = read_there(settings, "tier-changes")

    first = next(reading)
    write(settings, (0, 1, b"new"))

    assert [first.value, *(record.value for record in reading)] == [b"a", b"b"]


def test_following_from_the_start_goes_on_with_what_comes(settings: Settings) -> None:
    write(settings, (0, 1, b"a"))
    following = follow(settings, "tier-changes", from_start=True)

    first = next(record for record in following if record is not None)
    write(settings, (2, 2, b"b"))
    second = next(record for record in following if record is not None)
    following.close()

    assert [first.value, second.value] == [b"a", b"b"]


def test_one_record_is_read_by_its_place(settings: Settings) -> None:
    write(settings, (0, 1, b"a"), (0, 2, b"b"))

    found = read_one(settings, "tier-changes", 0, 1)

    assert found is not None
    assert found.value == b"b"
    assert read_one(settings, "tier-changes", 0, 2) is None
    assert read_one(settings, "tier-changes", 99, 0) is None
