"""All engines, round after round: each round has every engine once, so that the machine's moods meet all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.bench.peers import trials
from tests.bench.peers.events import DAY_MS, Town
from tests.bench.peers.kafka import make_topics, send
from tests.bench.peers.leadstream import RAW
from tests.bench.peers.ledger import Ledger
from tests.bench.peers.peer import Peer, Run
from tests.bench.peers.story import Story
from tests.kafka.broker import KafkaBroker

__all__ = ["TRIALS", "Meeting", "Sizes"]

TRIALS = ("backlog", "latency", "recovery")


class Sizes(NamedTuple):
    """How much of everything; slow engines take a part of warm-up, window and recovered leads."""

    warm: int
    window: int
    leads: int
    rate: int
    live_s: float
    live_warm_s: float
    recovered: int

    @classmethod
    def scaled(cls, scale: float) -> Sizes:
        """1 is the race; less is for trying it out."""
        return cls(
            warm=max(2_000, int(1_000_000 * scale)),
            window=max(20_000, int(2_000_000 * scale)),
            leads=max(1_000, int(50_000 * scale)),
            rate=1000,
            live_s=max(3.0, min(1.0, scale) * 15),
            live_warm_s=max(2.0, min(1.0, scale) * 5),
            recovered=max(1_000, int(1_000_000 * scale)),
        )


class Meeting:
    """Holds the trials and writes down what comes of them."""

    def __init__(
        self,
        broker: KafkaBroker,
        folder: Path,
        ledger: Ledger,
        sizes: Sizes,
        peers: Sequence[Peer],
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        self._broker, self._folder, self._ledger = broker, folder, ledger
        self._sizes, self._peers = sizes, peers
        self._seed, self._say = seed, say
        self._end_ms = int(time.time() * 1000) // DAY_MS * DAY_MS - DAY_MS
        self._story = Story()

    def hold(self, trial: str, rounds: int) -> None:
        """One trial, so many rounds of it."""
        if trial == "backlog":
            self._fill()
        for number in range(1, rounds + 1):
            # Each round begins with another engine.
            shift = number % len(self._peers) if self._peers else 0
            for peer in (*self._peers[shift:], *self._peers[:shift]):
                if trial == "recovery" and not peer.durable:
                    continue
                self._one(trial, number, rounds, peer)

    def _fill(self) -> None:
        town = Town(self._sizes.leads, self._sizes.warm + self._sizes.window, self._end_ms, self._seed)
        self._say(f"sending {town.events:,} events and working out what must come of them ...")
        make_topics(self._broker.bootstrap, f"race-{RAW}")
        raws = self._story.take(town.past())
        send(self._broker.bootstrap, f"race-{RAW}", raws, lambda sent: self._say(f"  {sent:,} sent"))

    def _one(self, trial: str, number: int, rounds: int, peer: Peer) -> None:
        name = f"{trial[0]}{number}_{peer.name.replace('-', '_')}"
        folder = self._folder / name
        folder.mkdir(parents=True)
        source = f"race-{RAW}" if trial == "backlog" else f"{name}-{RAW}"
        run = Run(self._broker.bootstrap, name, source, folder)
        began = time.monotonic()
        try:
            found = getattr(self, f"_{trial}")(peer, run)
        except trials.Stuck as reason:
            line = self._ledger.fail(trial, peer, str(reason), folder)
        else:
            line = self._ledger.add(trial, peer, number, found)
        self._say(f"{trial} {number}/{rounds} {peer.title}: {line} [{time.monotonic() - began:.0f} s]")

    def _backlog(self, peer: Peer, run: Run) -> trials.Backlog:
        share = peer.slow
        warm, window = self._sizes.warm // share, self._sizes.window // share
        assert self._broker.pid is not None
        return trials.backlog(peer, run, self._story, warm, window, self._broker.pid)

    def _latency(self, peer: Peer, run: Run) -> trials.Latency:
        town = Town(self._sizes.leads // 10, min(self._sizes.warm, 100_000), self._end_ms, self._seed)
        return trials.latency(peer, run, town, self._sizes.rate, self._sizes.live_s, self._sizes.live_warm_s)

    def _recovery(self, peer: Peer, run: Run) -> trials.Recovery:
        return trials.recovery(peer, run, self._sizes.recovered // peer.slow, self._end_ms)
