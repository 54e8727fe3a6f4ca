"""State that Kafka has cleaned meanwhile, and input that nobody can use; the oracle recounts."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Mapping

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from schemas.dead_letters import DeadLetterHeaders
from schemas.limits import MAX_AGE_MS, MAX_AHEAD_MS
from schemas.times import iso
from schemas.topics import DEAD_LETTERS, LEADS_CHANGELOG, TOPICS_BY_NAME
from streams.clock import now_ms
from streams.settings import Settings
from streams.topics_admin import settings_of
from tests.faults.conftest import MakeTrial
from tests.faults.load import Load
from tests.faults.trial import Trial
from tests.kafka.broker import KafkaBroker
from tests.schemas.poison import POISON
from tests.schemas.samples import BROKER_MS, event
from tests.streams.live import wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SEED = 3
CLEANED_AT_ONCE = {"segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "1000"}


def configure(trial: Trial, topic: str, values: Mapping[str, str | None]) -> None:
    """Changes settings of a topic; None: as the broker has it."""
    entries = [
        ConfigEntry(
            name, value, incremental_operation=AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET
        )
        for name, value in values.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, trial.prefix + topic, incremental_configs=entries)
    admin = AdminClient({"bootstrap.servers": trial.bootstrap})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(10)


def is_cleaned(trial: Trial, topic: str) -> bool:
    """Half of what was written is gone in every partition, and not because the topic's beginning was dropped."""
    records = trial.read(topic)
    counts = {number: len(list(group)) for number, group in itertools.groupby(records, lambda one: one.partition)}
    ends = {record.partition: record.offset for record in records}
    return len(counts) == trial.partitions and all(2 * counts[number] < end for number, end in ends.items())


def test_recovery_from_what_compaction_left(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    trial = make_trial(kafka)
    trial.begin()
    trial.ready("score")
    configure(trial, LEADS_CHANGELOG, CLEANED_AT_ONCE)
    with Load(trial, SEED, leads=12):
        wait_for(lambda: is_cleaned(trial, LEADS_CHANGELOG), 40)
        trial.end("score", signal.SIGKILL)
        wanted = settings_of(TOPICS_BY_NAME[LEADS_CHANGELOG], Settings.read(trial.environment), history=False)
        configure(trial, LEADS_CHANGELOG, {name: wanted.get(name) for name in CLEANED_AT_ONCE})
        trial.start("score")
        time.sleep(2)
    trial.judge(doubles=False)


def poison_of_now() -> list[tuple[str, bytes | None, str]]:
    """The corpus, as if it had been made now: name, value, and why it is refused."""
    then, now = iso(BROKER_MS - 1_000).encode(), iso(now_ms()).encode()
    found = [
        (one.name, one.value and one.value.replace(then, now), str(one.reason))
        for one in POISON
        if one.broker_ms == BROKER_MS and one.reason not in ("time_too_old", "time_ahead")
    ]
    times = {"time_too_old": now_ms() - MAX_AGE_MS - 1, "time_ahead": now_ms() + MAX_AHEAD_MS + 60_000}
    return found + [
        (reason, msgspec.json.encode(event(occurred_at=iso(at_ms))), reason) for reason, at_ms in times.items()
    ]


STRANGE_KEYS = (None, b"", b"\xff\xfe", b"k" * 200_000)
STRANGE_HEADERS: tuple[list[tuple[str, str | bytes | None]], ...] = (
    [],
    [("content-type", b"text/csv")],
    [("empty", None)],
    [(f"h{n}", b"\xff") for n in range(1000)],
)


def test_poison_is_told_apart_and_the_rest_flows(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    """With strange keys and headers, packed so that 20 MB fit into what a topic takes; ingest dies in its midst."""
    trial, poison = make_trial(kafka), poison_of_now()
    trial.begin()
    producer = Producer(
        {"bootstrap.servers": kafka.bootstrap, "compression.type": "zstd", "message.max.bytes": 30_000_000}
    )
    ways = itertools.cycle(itertools.product(STRANGE_KEYS, STRANGE_HEADERS))
    with Load(trial, SEED):
        trial.ready("score")
        for number, (name, value, _) in enumerate(poison):
            key, headers = next(ways)
            producer.produce(trial.prefix + "email-opens", value, key, headers=[("poison", name.encode()), *headers])
            if number == len(poison) // 2:
                producer.flush(20)
                trial.end("ingest", signal.SIGKILL)
                trial.start("ingest")
        assert not producer.flush(20)
        for key, headers in itertools.product(STRANGE_KEYS, STRANGE_HEADERS):
            good = msgspec.json.encode(event(occurred_at=iso(now_ms()), lead={"lead_id": "strange"}))
            producer.produce(trial.prefix + "page-views", good, key, headers=headers)
        assert not producer.flush(20)
        wait_for(lambda: len(trial.read(DEAD_LETTERS)) >= len(poison))
        time.sleep(3)
    ledger = trial.judge()
    letters = [(dict(letter.headers), DeadLetterHeaders.read(letter.headers)) for letter in ledger.letters]
    # Only one is so large that its own headers, and so its name, are gone.
    told = {
        headers.get("poison", b"20 MB").decode(): why.reason
        for headers, why in letters
        if "poison" in headers or why.whole_bytes
    }
    assert told == {name: reason for name, _, reason in poison}
