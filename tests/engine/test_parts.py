"""Parts of the engine without a broker: what is acknowledged, where a partition goes on, what ends a process."""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from faust.types import TP

from streams.engine import guard as guard_module
from streams.engine.checkpoint import CHECKPOINT_KEY, OWNER_KEY, Checkpoint, Owner, encode_checkpoint, encode_owner
from streams.engine.config import EngineConfig, Security
from streams.engine.errors import BrokerUnreachable, EngineError, FailStop, StateRefused
from streams.engine.guard import Guard
from streams.engine.observer import Health, NullObserver
from streams.engine.records import Batch, Chunk
from streams.engine.recovery import start_of
from streams.engine.stage import Position, Record, TopicPartition
from streams.engine.table import OwnedPartition
from streams.engine.transport import CarryConsumer, EngineConsumer
from streams.engine.versions import PINNED, check_versions
from tests.engine.toy import Counter, CounterPartition

PLACE = TP("log", 1)


def consumer(kind: type[Any]) -> Any:
    """A consumer with nothing but its books of what is acknowledged."""
    made: Any = object.__new__(kind)
    made._acked, made._acked_index, made._unacked_messages = defaultdict(list), defaultdict(set), set()
    return made


def test_the_greatest_acknowledged_offset_is_committed_once() -> None:
    books = consumer(EngineConsumer)
    assert books._new_offset(PLACE) is None
    books._acked[PLACE] = [99, 499]
    books._acked_index[PLACE] = {99, 499}
    assert books._new_offset(PLACE) == 500
    assert books._new_offset(PLACE) is None
    assert not books._acked_index[PLACE]


def test_positions_of_a_carry_stage_are_committed_and_its_polls_are_not() -> None:
    books = consumer(CarryConsumer)
    message = Message()
    books._unacked_messages.add(message)
    assert books.ack(message)
    assert message.acked
    assert not books._unacked_messages
    books.done({PLACE: 0, TP("log", 2): 7})
    assert books._new_offset(PLACE) == 0
    assert books._new_offset(TP("log", 2)) == 7


class Message:
    """What Faust says of a poll."""

    acked = False
    tp = PLACE
    offset = 1 << 62


def owned(checkpoint: Checkpoint | None = None) -> OwnedPartition:
    part = OwnedPartition(1, CounterPartition(), cast(Any, None))
    part.checkpoint = checkpoint
    return part


@pytest.mark.parametrize(
    ("checkpoint", "committed", "available", "start"),
    [
        (None, None, (0, 9), Position(0)),
        (None, 0, (3, 9), Position(3)),
        (Checkpoint(5, 2, b""), None, (0, 9), Position(5, 2)),
        (Checkpoint(5, 2, b""), 5, (5, 5), Position(5, 2)),
        (Checkpoint(9, 0, b""), 3, (0, 9), Position(9)),
    ],
)
def test_a_partition_goes_on_at_its_checkpoint(
    checkpoint: Checkpoint | None, committed: int | None, available: tuple[int, int], start: Position
) -> None:
    assert start_of(owned(checkpoint), PLACE, Counter("x"), committed, available) == start


@pytest.mark.parametrize(
    ("checkpoint", "committed", "available", "reason"),
    [
        (None, 4, (0, 9), "x-counter-changelog[1] has no checkpoint, but the group has committed offset 4 of log[1]"),
        (
            Checkpoint(5, 0, b""),
            6,
            (0, 9),
            "ends with a checkpoint at offset 5 of log[1], but the group has committed 6",
        ),
        (Checkpoint(5, 0, b""), None, (0, 4), "goes on at offset 5 of log[1], which holds offsets 0 to 3"),
        (Checkpoint(5, 0, b""), None, (6, 9), "dropped what was not read"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    checkpoint: Checkpoint | None, committed: int | None, available: tuple[int, int], reason: str
) -> None:
    with pytest.raises(StateRefused) as refused:
        start_of(owned(checkpoint), PLACE, Counter("x"), committed, available)
    assert reason in str(refused.value)


def test_the_engines_own_records_never_reach_the_stage() -> None:
    part = owned()
    owner = encode_owner(Owner("p", 1, 2, 3))
    row = msgspec.msgpack.encode([1, 2, 3, 4, 5])
    part.restore([
        Record(0, 0, OWNER_KEY, owner),
        Record(1, 0, b"name", row),
        Record(2, 0, CHECKPOINT_KEY, encode_checkpoint(Checkpoint(7, 0, b"memo"))),
        Record(3, 0, b"gone", row),
        Record(4, 0, b"gone", None),
    ])  # fmt: skip
    assert part.checkpoint == Checkpoint(7, 0, b"memo")
    assert part.restored == 3
    assert list(cast(CounterPartition, part.state).rows) == [b"name"]


def piece(start: int, end: int, *records: Record) -> Batch:
    """A piece of the changelog."""
    return Batch(TopicPartition("changelog", 1), [Chunk(start, end, list(records))], 0)


OURS = Owner("we", 2, 7, 5)


def claimed(offset: int, owner: Owner = OURS) -> Record:
    return Record(offset, 0, OWNER_KEY, encode_owner(owner))


def taken_over(*pieces: Batch) -> OwnedPartition:
    """A partition of which these pieces were read; our claim lies at offset 9."""
    part = owned()
    part.writer = cast(Any, SimpleNamespace(owner=OURS, last_offset=9))
    for one in pieces:
        part.read(one)
    return part


def test_a_changelog_is_read_in_pieces_up_to_our_claim() -> None:
    part = taken_over(piece(0, 4), piece(3, 9), piece(9, 10, claimed(9)))
    part.check_whole(0)
    assert part.known_to == 9
    part.load(Position(3))
    part.writer.last_offset = 12
    assert part.known_to == 12


@pytest.mark.parametrize(
    ("pieces", "first"),
    [
        ([], 0),
        ([piece(0, 9)], 0),
        ([piece(5, 10, claimed(9))], 0),
        ([piece(5, 10, claimed(9))], 4),
        ([piece(0, 10, claimed(9)), piece(10, 12, claimed(11, Owner("they", 3, 7, 6)))], 0),
        ([piece(0, 10, claimed(9, Owner("we", 1, 7, 4)))], 0),
    ],
)
def test_a_changelog_that_was_not_read_whole_is_not_opened(pieces: list[Batch], first: int) -> None:
    with pytest.raises(FailStop, match="partition 1 was taken over by another process, or its changelog was not read"):
        taken_over(*pieces).check_whole(first)


def test_a_changelog_whose_beginning_was_dropped_is_whole() -> None:
    taken_over(piece(5, 10, claimed(9))).check_whole(5)


def test_a_piece_that_is_missing_is_noticed() -> None:
    with pytest.raises(FailStop, match="the piece before is missing: it was read up to offset 3"):
        taken_over(piece(0, 4), piece(5, 9))


def test_a_changelog_record_without_a_key_is_refused() -> None:
    with pytest.raises(StateRefused, match="record at offset 4 has no key"):
        owned().restore([Record(4, 0, None, b"row")])


@pytest.mark.parametrize(
    ("error", "code"),
    [(BrokerUnreachable("b"), 3), (StateRefused("s"), 4), (FailStop("f"), 5), (ValueError("v"), 5)],
)
def test_every_end_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, code: int
) -> None:
    ended = ends(monkeypatch)
    with pytest.raises(_Ended):
        Guard(1, 1).end(error)
    assert ended == [code]
    # A traceback is for what nobody foresaw.
    assert (caplog.records[-1].exc_info is None) == isinstance(error, EngineError)


class _Ended(BaseException):
    """Instead of the end of the process."""


def ends(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Exit codes that a guard wanted."""
    codes: list[int] = []

    def leave(code: int) -> None:
        codes.append(code)
        raise _Ended

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(guard_module.logging, "shutdown", lambda: None)
    return codes


def test_a_process_that_slept_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = ends(monkeypatch)
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    guard = Guard(sleep_limit_s=60, ready_timeout_s=60)
    monkeypatch.setattr(guard_module, "boot_seconds", lambda: now + 59)
    guard.check_awake()
    monkeypatch.setattr(guard_module, "boot_seconds", lambda: now + 62)
    with pytest.raises(_Ended):
        guard.check_awake()
    assert ended == [5]


def test_a_library_task_that_dies_ends_the_process_and_a_cancelled_one_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = ends(monkeypatch)
    guard = Guard(60, 60)

    async def dies() -> None:
        raise AssertionError("Did we not perform bootstrap?")

    async def both() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        cancelled, dying = asyncio.create_task(asyncio.sleep(9)), asyncio.create_task(dies())
        guard.watch_task(cast(Any, cancelled), "a sleeper")
        cancelled.cancel()
        await asyncio.wait([cancelled])
        assert ended == []
        guard.watch_task(cast(Any, dying), "the coordinator")
        await asyncio.wait([dying])

    asyncio.run(both())
    assert ended == [5]


def test_trouble_makes_a_ready_worker_unready_until_it_is_over() -> None:
    said: list[tuple[bool, str]] = []

    class Listening(NullObserver):
        def health(self, ready: bool, why: str) -> None:
            said.append((ready, why))

    health = Health(Listening())
    health.trouble("silence")
    assert said == []
    health.set(True, "working")
    health.set(True, "working")
    health.trouble(None)
    health.trouble("silence")
    health.set(False, "reassigned")
    health.trouble(None)
    assert said == [(False, "silence"), (True, "working"), (False, "silence"), (False, "reassigned")]


@pytest.mark.parametrize("name", PINNED)
def test_another_version_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    check_versions()
    monkeypatch.setattr("streams.engine.versions.version", {**PINNED, name: "9.9"}.__getitem__)
    with pytest.raises(StateRefused, match=f"{name} 9.9 is installed, but this engine is made for {PINNED[name]}"):
        check_versions()


def test_security_that_is_not_complete_is_refused() -> None:
    with pytest.raises(StateRefused, match="needs an SSL context"):
        Security(protocol="SSL")
    with pytest.raises(StateRefused, match="needs a user name and a password"):
        Security(protocol="SASL_PLAINTEXT", username="me")
    named = Security(protocol="SASL_PLAINTEXT", username="me", password="secret")
    assert "secret" not in repr(EngineConfig(bootstrap="b:1", app_id="a", partitions=1, security=named))
