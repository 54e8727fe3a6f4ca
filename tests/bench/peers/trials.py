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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.peers.peer import Peer, Run

__all__ = ["Backlog", "Latency", "Recovery", "Stuck", "backlog", "latency", "recovery"]

SILENCE_S = 90
"""An engine that tells nothing new for so long is given up."""


class Stuck(Exception):  # noqa: N818 - the state, not a mistake
    """An engine ended, or came no further."""


class Backlog(NamedTuple):
    """Cost of an event: all of the engine's processes, and the broker beside them."""

    events: int
    cpu_us: float
    broker_us: float
    wall_rate: float
    compared: Compared

    def line(self) -> str:
        """For people who watch."""
        return f"{self.cpu_us:.1f} µs an event, {self.wall_rate:,.0f} events/s, broker {self.broker_us:.1f} µs"


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


class _Window:
    """Some processes between the moment when so many events were done and the one when as many more were.

    A moment is noted when the news has ended or for a quarter of a second: who tells tier changes in bursts is
    further than the first of them says.
    """

    def __init__(self, pids: list[int], done: Callable[[], int], each_s: float) -> None:
        self._pids, self._done, self._each_s = pids, done, each_s
        self._next = self._since = self._last = 0.0
        self.ends: list[tuple[int, float, float]] = []

    def reached(self, goal: int) -> bool:
        """Whether they are there; notes what has been used until then."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._each_s
        done, before = self._done(), self._last
        self._last = done
        if done < goal:
            return False
        self._since = self._since or now
        if done > before and now < self._since + 0.25:
            return False
        self.ends.append((done, cpu_s(self._pids), now))
        self._since = 0.0
        return True

    @property
    def cpu_us(self) -> float:
        """Of an event."""
        (done, cpu, _), (later, more, _) = self.ends
        return (more - cpu) / (later - done) * 1e6


def backlog(peer: Peer, run: Run, story: Story, warm: int, window: int, broker_pid: int) -> Backlog:
    """Processor time behind a warm-up; the broker's in the window of those who write the tier changes."""
    with _watched(peer, run, story) as watched:
        progress = watched.progress
        watched.start()
        ahead = peer.stages()
        last = _Window(watched.pids(*ahead), lambda: progress.done, 0)
        brokers = _Window([broker_pid], lambda: progress.done, 0)
        windows = [last, brokers]
        windows += [_Window([peer.processes[name].pid], done, 0.1) for name, done in ahead.items()]
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
        upto, until = progress.places, time.monotonic() + 1  # other partitions of the output may be a moment behind
        watched.until(lambda: not progress.compared(upto).missing or time.monotonic() > until)
        compared = progress.compared(upto)
        own = sum(each.cpu_us for each in windows) - brokers.cpu_us
        return Backlog(later - done, own, brokers.cpu_us, (later - done) / (ended - began), compared)


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
        arrived, compared = watched.arrived, watched.progress.compared()
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
        if not watched.progress.compared().missing:
            found = Recovery(story.leads, seconds, memory)
    clean(run.bootstrap, run.source)
    return found
