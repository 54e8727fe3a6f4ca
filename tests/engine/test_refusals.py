"""State that is not what it must be is refused by name, with exit code 4; compacted state is as good as all of it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from streams.engine.checkpoint import CHECKPOINT_KEY, OWNER_KEY, Checkpoint, encode_checkpoint
from tests.engine.oracle import read_topic
from tests.engine.world import PARTITIONS, World
from tests.kafka.broker import KafkaBroker

pytestmark = pytest.mark.kafka

FAST_COMPACTION = {"segment.ms": "1500", "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "1000"}


def refusal(world: World, exit_code: int = 4, **settings: object) -> str:
    """What a worker says that ends with this code."""
    worker = world.start(**settings)  # type: ignore[arg-type]  # settings of a worker
    assert worker.ended() == exit_code, worker.says()
    assert "Traceback" not in worker.says()
    return worker.says()


@pytest.fixture
def settled(world: World) -> World:
    """A world with state, and no worker."""
    worker = world.start().ready()
    world.load(60)
    world.settled()
    assert worker.stop() == 0
    return world


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"n0-1", msgspec.msgpack.encode([2, 1, 1, 1, 1]), "the row of b'n0-1' is of codec 2, this version reads 1"),
        (b"n0-1", b"\xc1\x00", "the row of b'n0-1' cannot be read"),
        (b"n0-1", b"", "the row of b'n0-1' cannot be read"),
        (CHECKPOINT_KEY, b"\x02\x90", "has codec 2, but this version reads codec 1: upgrade"),
        (CHECKPOINT_KEY, b"\x01\x93\x01", "a checkpoint cannot be read"),
        (CHECKPOINT_KEY, None, "the engine's record has nothing"),
        (OWNER_KEY, b"\x01\xc0", "an owner record cannot be read"),
    ],
)
def test_a_changelog_record_that_cannot_be_read(world: World, key: bytes, value: bytes | None, reason: str) -> None:
    world.write("counter-changelog", 2, key, value)
    said = refusal(world)
    assert reason in said
    assert f"{world.topic('counter-changelog')}[2], offsets 0 to" in said
    assert world.count("changes") == 0


def test_a_lost_changelog(settled: World) -> None:
    settled.remake("counter-changelog")
    said = refusal(settled)
    assert "has no checkpoint, but the group has committed offset" in said
    assert "Restore it, or delete the group" in said


def test_a_changelog_that_lost_its_end(settled: World) -> None:
    # As if an older copy had been restored: the last checkpoint is of an earlier time.
    settled.write("counter-changelog", 2, CHECKPOINT_KEY, encode_checkpoint(Checkpoint(1, 0, b"\0")))
    said = refusal(settled)
    assert "ends with a checkpoint at offset 1" in said
    assert "rows are missing. Restore the changelog" in said


def test_a_record_batch_that_the_disk_damaged(own_kafka: KafkaBroker, worlds: ExitStack, tmp_path: Path) -> None:
    world = worlds.enter_context(World(own_kafka.bootstrap, "damaged", tmp_path).make_topics())
    world.write("counter-changelog", 2, b"n2-1", msgspec.msgpack.encode([1, 1, 1, 1, 1]))
    own_kafka.stop()
    file = own_kafka.folder / "data" / f"{world.topic('counter-changelog')}-2" / f"{0:020}.log"
    data = bytearray(file.read_bytes())
    data[-1] ^= 0xFF
    file.write_bytes(data)
    own_kafka.start()
    assert f"{world.topic('counter-changelog')}[2], from offset 0 on: the checksum" in refusal(world)


def test_a_log_made_anew(settled: World) -> None:
    settled.remake("log")
    assert "the log was made anew" in refusal(settled)


def test_topics_with_other_partition_counts(world: World) -> None:
    said = refusal(world, partitions=PARTITIONS + 1)
    assert f"has {PARTITIONS} partitions, but {PARTITIONS + 1} are wanted" in said


def test_topics_that_nobody_made(kafka: KafkaBroker, worlds: ExitStack, tmp_path: Path) -> None:
    world = worlds.enter_context(World(kafka.bootstrap, "nothing", tmp_path))
    assert "the topic nothing-log does not exist" in refusal(world)


def test_recovery_from_a_compacted_changelog(kafka: KafkaBroker, worlds: ExitStack, tmp_path: Path) -> None:
    world = worlds.enter_context(World(kafka.bootstrap, "compacted", tmp_path))
    world.make_topics(changelog=FAST_COMPACTION)
    worker = world.start().ready()
    written = 0

    def cleaned() -> bool:
        nonlocal written
        world.load(40, per_second=200)
        left = read_topic(world.bootstrap, world.topic("counter-changelog")).values()
        written = max(written, sum(map(len, left)))
        # Records are gone, and not because the log's beginning was dropped.
        return all(messages and len(messages) < (messages[-1].offset() or 0) / 2 for messages in left)

    world.wait_for(cleaned, 60)
    worker.kill()
    world.load(40)
    world.start().ready()
    assert world.settled().changes > 50
