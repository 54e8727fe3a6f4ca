"""Three trials of one engine: a backlog, a steady stream, and a start on a new machine."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.peers.events import Town, turning
from tests.bench.peers.kafka import Outputs, clean, make_topics, send, send_steadily
from tests.bench.peers.processes import cpu_s, end, memory_mb
from tests.bench.peers.story import Compared, Progress, Story, read_change
from tests.bench.peers.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.peers.peer import Peer, Run

__all__ = ["Backlog", "Latency", "Recovery", "Stuck", "backlog", "latency", "recovery"]

SILENCE_S = 90
"""An engine that tells nothing new for so long is given up."""


class Stuck(Exception):  # noqa: N818 - the state, not a mistake
    """An engine ended, or came no further."""


class Backlog(NamedTuple):
    """Cost of an event: all of the engine's processes (those ahead of the others apart, too), and the broker's."""

    events: int
    cpu_us: float
    broker_us: float
    wall_rate: float
    ahead_us: dict[str, float]
    compared: Compared

    def line(self) -> str:
        """For people who watch."""
        parts = "".join(f", {cost:.1f} of them {name}" for name, cost in self.ahead_us.items())
        return f"{self.cpu_us:.1f} µs an event{parts}, {self.wall_rate:,.0f} events/s, broker {self.broker_us:.1f} µs"


class Latency(NamedTuple):
    """From the sending of a raw record to its tier change in a reader's hand."""

    changes: int
    p50_ms: float
    p99_ms: float
    cpu_share: float
    compared: Compared

    def line(self) -> str:
        """For people who watch."""
        return f"p50 {self.p50_ms:.0f} ms, p99 {self.p99_ms:.0f} ms, {self.cpu_share * 100:.0f} % of a core"


class Recovery(NamedTuple):
    """From the start of its processes until leads of every partition are known again; memory then."""

    leads: int
    seconds: float
    memory_mb: float

    def line(self) -> str:
        """For people who watch."""
        return f"{self.leads:,} leads known again in {self.seconds:.1f} s, {self.memory_mb:,.0f} MB"


class _Watched:
    """An engine at work, and what it has told."""

    def __init__(self, peer: Peer, run: Run, story: Story) -> None:
        self.peer, self.run = peer, run
        self.progress = Progress(story)
        self.arrived: dict[str, float] = {}
        self.outputs = Outputs(run.bootstrap, peer.output(run))
        self._news = time.monotonic()
        self._silence_s = SILENCE_S + story.events / 2000  # a recovery is told by its last events alone

    def start(self) -> None:
        self.peer.start(self.run)
        self._news = time.monotonic()

    def pids(self, *without: str) -> list[int]:
        return [process.pid for name, process in self.peer.processes.items() if name not in without]

    def stop(self) -> None:
        end(self.peer.processes.values())
        self.peer.processes.clear()

    def look(self, within_s: float = 0.02) -> None:
        """Takes what has arrived."""
        for value in self.outputs.read(within_s):
            change = read_change(value)
            self.progress.take(change)
            self._news = time.monotonic()
            self.arrived.setdefault(change.event, self._news)

    def until(self, there: Callable[[], bool]) -> None:
        """Looks until something holds.

        Raises:
            Stuck: It does not come to hold.
        """
        self._news = time.monotonic()
        while not there():
            self.look()
            dead = [process for process in self.peer.processes.values() if process.poll() is not None]
            if dead or time.monotonic() - self._news > self._silence_s:
                what = f"ended with {dead[0].returncode}" if dead else f"told nothing new for {self._silence_s:.0f} s"
                raise Stuck(f"{self.peer.title} {what} after {self.progress.done:,} events; logs in {self.run.folder}")

    def compared(self) -> Compared:
        """What was told up to here; other partitions of the output may be a moment behind.

        Raises:
            Stuck: The engine ended.
        """
        upto, until = self.progress.places, time.monotonic() + 1
        self.until(lambda: not self.progress.compared(upto).missing or time.monotonic() > until)
        return self.progress.compared(upto)


@contextmanager
def _watched(peer: Peer, run: Run, story: Story) -> Iterator[_Watched]:
    """Topics before, nothing left behind."""
    peer.prepare(run)
    watched = _Watched(peer, run, story)
    try:
        with watched.outputs:
            yield watched
    finally:
        watched.stop()
        clean(run.bootstrap, peer.own(run), keep=[run.source])
        shutil.rmtree(run.local, ignore_errors=True)
        shutil.rmtree(run.durable, ignore_errors=True)


def backlog(peer: Peer, run: Run, story: Story, warm: int, window: int, broker_pid: int) -> Backlog:
    """Processor time behind a warm-up; the broker's in the window of those who write the tier changes."""
    with _watched(peer, run, story) as watched:
        progress = watched.progress
        watched.start()
        ahead = peer.stages()
        last = Window(watched.pids(*ahead), lambda: progress.done, 0)
        brokers = Window([broker_pid], lambda: progress.done, 0)
        early = {name: Window([peer.processes[name].pid], done, 0.1) for name, done in ahead.items()}
        windows = [last, brokers, *early.values()]
        goals = warm, min(warm + window, story.events)

        def moved() -> bool:
            for each in windows:
                if len(each.ends) < len(goals):
                    each.reached(goals[len(each.ends)])
            return all(len(each.ends) == len(goals) for each in windows)

        watched.until(moved)
        (done, _, began), (later, _, ended) = last.ends
        if any(ends[1][0] - ends[0][0] < window / 4 for ends in (each.ends for each in windows)):
            raise Stuck(f"{peer.title} was done before it could be watched: take more events")
        compared = watched.compared()
        ahead_us = {name: each.cpu_us for name, each in early.items()}
        return Backlog(
            later - done,
            last.cpu_us + sum(ahead_us.values()),
            brokers.cpu_us,
            (later - done) / (ended - began),
            ahead_us,
            compared,
        )


def latency(peer: Peer, run: Run, town: Town, rate: float, seconds: float, warm_s: float) -> Latency:
    """A steady stream behind a short backlog, which warms the engine."""
    story = Story()
    make_topics(run.bootstrap, run.source)
    send(run.bootstrap, run.source, story.take(town.past()))
    with _watched(peer, run, story) as watched:
        watched.start()
        watched.until(lambda: watched.progress.done >= story.events)
        live = list(story.take(town.live(int(rate * (warm_s + seconds)), 1000 / rate)))
        before, began = cpu_s(watched.pids()), time.monotonic()
        sent = send_steadily(run.bootstrap, run.source, live, rate, watched.look)
        share = (cpu_s(watched.pids()) - before) / (time.monotonic() - began)
        watched.until(lambda: watched.progress.done >= story.events)
        arrived, compared = watched.arrived, watched.compared()
    clean(run.bootstrap, run.source)
    delays = sorted(
        (arrived[event] - at) * 1000 for event, at in sent.items() if event in arrived and at > began + warm_s
    )
    if len(delays) < 20:
        raise Stuck(f"{peer.title} told only {len(delays)} tier changes in {seconds:.0f} s: take longer")
    return Latency(len(delays), statistics.median(delays), delays[int(len(delays) * 0.99)], share, compared)


def recovery(peer: Peer, run: Run, leads: int, at_ms: int) -> Recovery:
    """Fills state, ends the engine as an operator does, and starts it again where its disk is empty."""
    story = Story()
    make_topics(run.bootstrap, run.source)
    send(run.bootstrap, run.source, story.take(Town(leads, 0, at_ms).filling()))
    with _watched(peer, run, story) as watched:
        watched.start()
        watched.until(lambda: watched.progress.done >= story.events)
        settled = time.monotonic() + peer.commits_s
        watched.until(lambda: time.monotonic() > settled)
        watched.stop()
        shutil.rmtree(run.local, ignore_errors=True)
        send(run.bootstrap, run.source, story.take(turning("probe", story.events, at_ms + 60_000, part=slice(2, 3))))
        began = time.monotonic()
        watched.start()
        watched.until(lambda: watched.progress.done >= story.events)
        seconds = time.monotonic() - began
        memory = memory_mb(watched.pids())
        compared = watched.compared()
        if compared.missing or compared.different:
            raise Stuck(f"{peer.title} has not remembered every lead: {compared}; logs in {run.folder}")
    clean(run.bootstrap, run.source)
    return Recovery(story.leads, seconds, memory)
