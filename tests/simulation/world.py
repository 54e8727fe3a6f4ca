"""One seed, one story: people, clocks, workers that die, sleep, come and go, and a broker that is slow to answer.

Everything that happens is drawn from one `random.Random(seed)`, in one thread: the same seed gives the same story.
"""

from __future__ import annotations

import random

import msgspec

from schemas.internal import encode_model
from schemas.log import decode_record
from schemas.times import iso
from schemas.topics import (
    DEAD_LETTERS,
    LEAD_EVENTS,
    LEAD_INTERNAL,
    LEAD_SCORES,
    LEADS_CHANGELOG,
    RAW_TOPICS,
    TIER_CHANGES,
    topic_of_kind,
)
from scoring.reading import read_model
from streams.engine.errors import FailStop
from tests.faults.ledger import Ledger
from tests.faults.oracle import violations
from tests.faults.small_world import MODEL
from tests.pipeline import LogRecord
from tests.simulation.broker import Broker
from tests.simulation.ingest import Ingest
from tests.simulation.people import an_event
from tests.simulation.worker import Bugs, Worker

__all__ = ["World", "judge"]

PARTITIONS = 2
_BEGIN_MS = 1_772_446_500_000
_HOUR_MS = 3_600_000
_ACTIONS = 260


def judge(seed: int, bugs: Bugs | None = None, *, timeline: list[str] | None = None) -> list[str]:
    """Lives through a seed; everything that is not as promised at its end."""
    world = World(seed, bugs or Bugs(), timeline)
    try:
        world.live()
        world.come_to_rest()
        return violations(world.ledger(), prefix="", partitions=PARTITIONS)
    except Exception as error:  # noqa: BLE001  # a seeded bug may break anything; in a real run nothing may break
        return [f"the story ended by {type(error).__name__}: {error}"]
    finally:
        world.close()


class World:
    """The broker, one ingest worker, some score workers, and chance."""

    def __init__(self, seed: int, bugs: Bugs, timeline: list[str] | None = None) -> None:
        self.chance = random.Random(seed)
        self._bugs, self._timeline = bugs, timeline
        self.broker = Broker(_BEGIN_MS)
        self.ingest = Ingest(self.broker, PARTITIONS, self.chance)
        self.workers: list[Worker] = []
        self._generation = self._born = self._sent = self._model = 0
        self._asked: dict[int, int] = {}
        self._publish_model()
        self._join()

    # --- what may happen --------------------------------------------------------------------------------------------

    def live(self) -> None:
        """So many things happen, one after the other."""
        happenings = (
            (self._send, 22),
            (self._ingest_goes_on, 22),
            (self._score_goes_on, 60),
            (self._time_passes, 10),
            (self._ask_for_time, 6),
            (self._commit, 3),
            (self._compact, 2),
            (self._kill, 2),
            (self._kill_ingest, 1),
            (self._join, 2),
            (self._rebalance, 2),
            (self._fall_asleep, 2),
            (self._wake, 2),
            (self._publish_model, 1),
        )
        actions, weights = zip(*happenings, strict=True)
        for action in self.chance.choices(actions, weights, k=_ACTIONS):
            action()

    def _send(self) -> None:
        chance = self.chance
        for _ in range(chance.randrange(1, 4)):
            self._sent += 1
            event = an_event(chance, self._sent, self.broker.clock_ms)
            value = msgspec.json.encode(event) if chance.random() < 0.98 else b"{"
            topic = topic_of_kind(event["kind"])
            for _ in range(2 if chance.random() < 0.15 else 1):
                self.broker.append(topic, 0, [(None, value, ())])
        self._tell(f"sent {self._sent} events")

    def _ingest_goes_on(self) -> None:
        if self.ingest.task is None:
            self.ingest.begin()
        self._tell(f"ingest: {self.ingest.go_on()}")

    def _score_goes_on(self) -> None:
        busy = [(worker, number) for worker in self.workers for number in worker.owned]
        if not busy:
            return
        worker, number = self.chance.choice(busy)
        if number not in worker.tasks and not worker.begin(number, self.chance.choice([1, 4, 1000])):
            return
        self._drive(worker, number)

    def _drive(self, worker: Worker, number: int) -> None:
        try:
            self._tell(f"{worker.name}[{number}]: {worker.go_on(number)}")
        except FailStop as error:
            self._tell(f"{worker.name} ends: {error}")
            self._ends(worker)

    def _ends(self, worker: Worker) -> None:
        self.workers.remove(worker)
        worker.close()
        if worker.awake:
            self._rebalance()

    def _time_passes(self) -> None:
        # It stands still, or jumps over what is due.
        self.broker.clock_ms += self.chance.choice([0, 1, 1000, _HOUR_MS, 30 * _HOUR_MS])

    def _ask_for_time(self) -> None:
        for worker in self.workers:
            for number, message in worker.alarms():
                if self._asked.get(number) != self.broker.clock_ms:
                    self._asked[number] = self.broker.clock_ms
                    self.broker.append(LEAD_INTERNAL, 0, [(None, message, ())])
                    self._tell(f"{worker.name}[{number}] asks for time")

    def _commit(self) -> None:
        for worker in self.workers:
            if worker.awake:
                for number, offset in worker.done.items():
                    if number in worker.owned:
                        self.broker.committed[LEAD_EVENTS, number] = offset

    def _compact(self) -> None:
        for topic in (LEADS_CHANGELOG, LEAD_SCORES):
            self.broker.compact(topic, self.chance.randrange(PARTITIONS), self.chance)

    def _kill(self) -> None:
        if self.workers:
            worker = self.chance.choice(self.workers)
            self._tell(f"{worker.name} is killed")
            self._ends(worker)

    def _kill_ingest(self) -> None:
        self._tell("ingest is killed")
        self.ingest.close()
        self.ingest = Ingest(self.broker, PARTITIONS, self.chance)

    def _join(self) -> None:
        if len(self.workers) < 3:
            self._born += 1
            self.workers.append(Worker(f"w{self._born}", self.broker, PARTITIONS, self._bugs))
            self._tell(f"w{self._born} joins")
            self._rebalance()

    def _rebalance(self) -> None:
        """Those that are awake share the partitions; those that are not go on with what they had."""
        self._generation += 1
        awake = [worker for worker in self.workers if worker.awake]
        if not awake:
            return
        owners = [self.chance.choice(awake) for _ in range(PARTITIONS)]
        for worker in list(awake):
            numbers = frozenset(number for number, owner in enumerate(owners) if owner is worker)
            self._tell(f"{worker.name} gets {sorted(numbers)}")
            try:
                worker.assign(numbers, self._generation)
            except FailStop as error:
                self._tell(f"{worker.name} ends: {error}")
                self._ends(worker)
                return

    def _fall_asleep(self) -> None:
        """Stopped, or cut off: the group goes on without it, and it does not know."""
        awake = [worker for worker in self.workers if worker.awake]
        if awake:
            worker = self.chance.choice(awake)
            worker.awake = False
            self._tell(f"{worker.name} is a zombie")
            self._rebalance()

    def _wake(self) -> None:
        for worker in self.workers:
            if not worker.awake:
                worker.awake = True
                self._tell(f"{worker.name} hears of the group again")
        self._rebalance()

    def _publish_model(self) -> None:
        if self._model < 3:
            self._model += 1
            points, quiet = (20, "2d") if self._model % 2 else (40, "12h")
            text = MODEL.format(version=self._model, demo_points=points, quiet=quiet)
            model = read_model(text, "faults")
            message = encode_model(model.name, model.version, model.sha256, text)
            self.broker.append(LEAD_INTERNAL, 0, [(None, message, ())])
            self._tell(f"model {self._model} is published")

    # --- the end ----------------------------------------------------------------------------------------------------

    def come_to_rest(self) -> None:
        """Nothing bad happens any more: everything is worked off, and whatever is due by then."""
        for worker in list(self.workers):
            if not worker.awake:
                self.workers.remove(worker)
                worker.close()
        if not self.workers:
            self._join()
        self._rebalance()
        self.broker.clock_ms += 3 * 24 * _HOUR_MS
        for _ in range(60):
            before = self._ends_of_topics()
            for _ in range(3):
                self._ingest_until_done()
            for number in range(PARTITIONS):
                self._score_until_done(number)
            self._ask_for_time()
            if before == self._ends_of_topics():
                return
            self.broker.clock_ms += 1000
        raise TimeoutError("it does not come to rest")

    def _ingest_until_done(self) -> None:
        while True:
            if self.ingest.task is None:
                self.ingest.begin()
            while self.ingest.go_on() is not None:
                pass
            if all(self.ingest.positions[topic] == self.broker.end(topic, 0) for topic in self.ingest.positions):
                return

    def _score_until_done(self, number: int) -> None:
        while True:
            owner = next((worker for worker in self.workers if number in worker.owned), None)
            if owner is None:
                self._join()
                self._rebalance()
                continue
            if number not in owner.tasks and not owner.begin(number, 1000):
                return
            self._drive(owner, number)

    def _ends_of_topics(self) -> tuple[int, ...]:
        logs = [self.broker.end(LEAD_EVENTS, number) for number in range(PARTITIONS)]
        return (self.broker.end(LEAD_INTERNAL, 0), *logs)

    def ledger(self) -> Ledger:
        """What lies on the broker."""
        topic = self.broker.topic
        log = []
        for record in topic(LEAD_EVENTS, PARTITIONS):
            assert record.value is not None
            safe_ms, rows = decode_record(record.value)
            log.append(LogRecord(record.partition, record.offset, safe_ms, rows, record.value))
        return Ledger(
            {name: topic(name, 1) for name in RAW_TOPICS},
            topic(LEAD_INTERNAL, 1),
            log,
            topic(DEAD_LETTERS, PARTITIONS),
            topic(TIER_CHANGES, PARTITIONS),
            topic(LEAD_SCORES, PARTITIONS),
            topic(LEADS_CHANGELOG, PARTITIONS),
        )

    def close(self) -> None:
        """Nobody goes on."""
        self.ingest.close()
        for worker in self.workers:
            worker.close()

    def _tell(self, what: str) -> None:
        if self._timeline is not None:
            self._timeline.append(f"{iso(self.broker.clock_ms)}  {what}")
