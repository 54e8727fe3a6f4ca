"""The parts of the demo, in the order in which they are seen: the past, catching up, live."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from confluent_kafka import Producer
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.topics import LEAD_EVENTS, LEAD_SCORES, RAW_TOPICS, TIER_CHANGES, topic_of_kind
from scoring.shipped import shipped_model
from streams.clock import now, now_ms
from streams.demo.behaviour import DAY, behaviour
from streams.demo.board import Board, why
from streams.demo.feed import QUIET, Feed, Lag
from streams.demo.live import Crowd
from streams.demo.visitor import PAUSE_S, Visitors
from streams.demo.workers import Workers
from streams.errors import LeadstreamError
from streams.settings import Settings

__all__ = ["DemoOptions", "Show"]

_LIVE_PAUSE_S = 0.5
_CATCH_UP_LIMIT_S = 90


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What may be asked of the demo.

    Attributes:
        broker: `host:port` of a real Kafka, or None for the embedded broker.
        people: How many leads the thirty days have.
        days: How long the past is.
        seed: The same seed tells the same stories.
        for_s: End after so many seconds of live view; None: until Ctrl-C.
    """

    broker: str | None = None
    people: int = 300
    days: int = 30
    seed: int = 7
    for_s: float | None = None


class Show:
    """The parts of the demo, in the order in which they are seen."""

    def __init__(self, settings: Settings, environment: dict[str, str], options: DemoOptions, console: Console) -> None:
        model = shipped_model("b2b-default")
        self.settings, self.environment, self.options, self.console = settings, environment, options, console
        self.board = Board([tier.name for tier in model.tiers])
        self._producer = Producer({"bootstrap.servers": settings.bootstrap_servers, "linger.ms": 5} | QUIET)
        self._encode = msgspec.json.Encoder().encode

    def _send(self, event: dict[str, Any], timestamp_ms: int) -> None:
        topic = self.settings.topic(topic_of_kind(event["kind"]))
        while True:
            try:
                self._producer.produce(topic, self._encode(event), timestamp=timestamp_ms)
                return
            except BufferError:
                self._producer.poll(0.1)

    def tell_the_past(self) -> None:
        """Sends thirty days of events, each with the broker time that it had then."""
        end_ms = now_ms() - 60_000
        events = behaviour(self.options.seed, self.options.people, end_ms - self.options.days * DAY, end_ms)
        with self._progress() as progress:
            title = f"{self.options.days} days of {self.options.people} leads"
            for at_ms, event in progress.track(events, description=f"{title:<32}"):
                self._send(event, at_ms)
        if self._producer.flush(30):
            raise LeadstreamError(f"broker {self.settings.bootstrap_servers} did not take every event in 30 s")

    def catch_up(self, workers: Workers) -> None:
        """Waits until both stages have done the past, and shows how far they are."""
        end = time.monotonic() + _CATCH_UP_LIMIT_S
        with self._progress() as progress:
            for stage, topics, title in (
                ("ingest", list(RAW_TOPICS), "into the log (ingest)"),
                ("score", [LEAD_EVENTS], "scores and tiers (score)"),
            ):
                task = progress.add_task(f"{title:<32}", total=None)
                lag = Lag(self.settings, stage, topics)
                done, there = 0, 1
                while done < there:
                    workers.check()
                    if time.monotonic() > end:
                        raise LeadstreamError(f"the {stage} worker did not finish the past in {_CATCH_UP_LIMIT_S} s")
                    time.sleep(0.2)
                    done, there = lag.read()
                    progress.update(task, completed=done, total=max(there, 1))
                lag.close()

    def live(self, workers: Workers) -> None:
        """The live view, until Ctrl-C or the asked time is over."""
        feed = Feed(self.settings, [LEAD_SCORES, TIER_CHANGES])
        for topic, record in _until_quiet(feed):
            self._take(topic, record)
        self.board.sort()
        try:
            if self.console.is_terminal:
                with Live(console=self.console, screen=False, auto_refresh=False) as live:
                    self._go_on(feed, workers, lambda fresh: live.update(self._view(workers), refresh=True))
            else:
                self._plain_start(workers)
                self._go_on(feed, workers, self._plain_lines)
        finally:
            feed.close()

    def _take(self, topic: str, record: dict[str, Any]) -> bool:
        if topic == LEAD_SCORES:
            self.board.score(record)
            return False
        return self.board.change(record)

    def _go_on(self, feed: Feed, workers: Workers, show: Callable[[list[dict[str, Any]]], None]) -> None:
        crowd, visitors = Crowd(self.options.seed + 1, self.options.people + 1), Visitors()
        end = None if self.options.for_s is None else time.monotonic() + self.options.for_s
        next_event = next_visit = next_view = 0.0
        while end is None or time.monotonic() < end:
            workers.check()
            if time.monotonic() >= next_event:
                at_ms = now_ms()
                self._send(crowd.next_event(at_ms), at_ms)
                self._producer.poll(0)
                next_event = time.monotonic() + _LIVE_PAUSE_S
            if time.monotonic() >= next_visit:
                at_ms = now_ms()
                self._send(visitors.next_event(at_ms), at_ms)
                next_visit = time.monotonic() + PAUSE_S
            fresh = [record for topic, record in feed.read(0.05) if self._take(topic, record)]
            if fresh or time.monotonic() >= next_view:
                show(fresh)
                next_view = time.monotonic() + 0.5
        self._producer.flush(5)

    def _footer(self, workers: Workers) -> list[str]:
        variables = ("LEADSTREAM_BOOTSTRAP_SERVERS", "LEADSTREAM_TOPIC_PREFIX")
        prefix = " ".join(f"{name}={self.environment[name]}" for name in variables if self.environment[name])
        metrics = [f"metrics of {stage}: http://127.0.0.1:{port}/metrics" for stage, port in workers.ports.items()]
        return [
            "[bold]your own lead turns hot:[/] in another terminal, in this folder",
            f"  {prefix} .venv/bin/leadstream send --now examples/hot-lead.jsonl",
            *metrics,
            "Ctrl-C ends the demo and leaves nothing behind",
        ]

    def _view(self, workers: Workers) -> RenderableType:
        return self.board.render(now(), *self.console.size, self._footer(workers))

    def _plain_start(self, workers: Workers) -> None:
        counts = ", ".join(f"{count} {tier}" for tier, count in self.board.counts().items())
        self._line(f"after {self.options.days} days: {counts}; the newest tier changes:")
        for record in list(self.board.changes)[:8]:
            self._line("  " + self.board.line(record))
        self._line(f"{self.board.tiers[0]} leads now:")
        for record in self.board.best(10):
            next_at = record["changes_next_at"]
            until = f"changes next {next_at[:16]}Z" if next_at else "no change by time alone"
            self._line(f"  {record['lead_id']:<12} total {record['total']}  ({why(record['reasons'])}; {until})")
        for text in self._footer(workers):
            self._line(text)
        self._line("live tier changes:")

    def _plain_lines(self, fresh: list[dict[str, Any]]) -> None:
        for record in fresh:
            self._line(self.board.line(record))

    def _line(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True)

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
        )


def _until_quiet(feed: Feed) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that is there already."""
    quiet = 0
    while quiet < 3:
        records = feed.read(0.3)
        quiet = 0 if records else quiet + 1
        yield from records
