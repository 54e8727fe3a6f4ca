"""The parts of the demo, in the order in which they are seen: the past, catching up, live."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.naming import partition_of
from schemas.outputs_wire import TierChangeOut
from schemas.routing_wire import SlaEventOut
from schemas.topics import LEAD_EVENTS, LEAD_ROUTING, RAW_TOPICS, topic_of_kind
from scoring.shipped import shipped_model
from streams.clients import Sender
from streams.clock import now, now_ms
from streams.demo.behaviour import Crowd, behaviour
from streams.demo.board import TOPICS, Board, Hot
from streams.demo.clock_words import left_until, owner_of, sla_line
from streams.demo.feed import Feed, Lag, Record
from streams.demo.forgotten import Forgotten
from streams.demo.invitation import invitation
from streams.demo.screen import Screen
from streams.demo.stopping import Stopping
from streams.demo.visitor import PAUSE_S, Visitors
from streams.demo.words import change_line, lead_name, outlook_words, why
from streams.demo.workers import Workers
from streams.errors import LeadstreamError
from streams.settings import Settings

__all__ = ["DemoOptions", "Show"]

_MEAN_PAUSE_S = 0.3
_CATCH_UP_LIMIT_S = 90
_FULL_INVITATION_LINES = 36


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

    def __init__(
        self,
        settings: Settings,
        environment: dict[str, str],
        options: DemoOptions,
        console: Console,
        stopping: Stopping,
    ) -> None:
        self._settings, self._environment, self._options = settings, environment, options
        self._console, self._stopping = console, stopping
        self._sender = Sender(settings)
        self._encode = msgspec.json.Encoder().encode
        end_ms = now_ms() - 60_000
        self._behaviour = behaviour(options.seed, options.people, options.days, end_ms)
        self._forgotten = Forgotten(now_ms())
        self._board = Board(shipped_model(settings.model))
        self._notice = self.line

    def line(self, text: str) -> None:
        """A plain line."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Something that the viewer should know, wherever it is seen now."""
        self._notice(text)

    def _send(self, event: dict[str, Any], timestamp_ms: int) -> None:
        self._sender.send(
            self._settings.topic(topic_of_kind(event["kind"])),
            self._encode(event),
            partition=partition_of(next(iter(event["lead"].values())), self._settings.partitions),
            timestamp_ms=timestamp_ms,
        )

    def tell_the_past(self) -> None:
        """Sends thirty days of events, each with the broker time that it had then."""
        past = sorted([*self._behaviour.past, *self._forgotten.past], key=itemgetter(0))
        with self._progress() as progress:
            title = f"{self._options.days} days of {self._options.people} leads"
            for at_ms, event in progress.track(past, description=f"{title:<32}"):
                self._stopping.check()
                self._send(event, at_ms)
            while self._sender.producer.flush(0.2):
                self._stopping.check()
        self._sender.finish()

    def catch_up(self, workers: Workers) -> None:
        """Waits until the stages have done the past, and shows how far they are."""
        end = time.monotonic() + _CATCH_UP_LIMIT_S
        stages = (
            ("ingest", RAW_TOPICS, "into the log, in order (ingest)"),
            ("score", (LEAD_EVENTS,), "scores and tiers (score)"),
            ("route", (LEAD_ROUTING,), "owners and clocks (route)"),
        )
        with self._progress() as progress:
            tasks = {stage: progress.add_task(f"{title:<32}", total=None) for stage, _, title in stages}
            for stage, topics, _ in stages:
                with Lag(self._settings, stage, topics) as lag:
                    done = there = 0
                    while not there or done < there:
                        workers.check()
                        if time.monotonic() > end:
                            raise LeadstreamError(f"the {stage} worker did not do the past in {_CATCH_UP_LIMIT_S} s")
                        self._stopping.wait(0.2)
                        done, there = lag.read()
                        progress.update(tasks[stage], completed=done, total=there or None)

    def live(self, workers: Workers) -> None:
        """The live view, until the viewer ends it or the asked time is over."""
        console, board = self._console, self._board
        with Feed(self._settings, TOPICS) as feed:
            for record in self._until_quiet(feed):
                board.take(record)
            board.sort()
            if console.is_terminal and not console.is_dumb_terminal and not console.options.ascii_only:
                with Screen(console, board, partial(self._invitation, workers)) as screen:
                    self._notice = screen.say
                    self._go_on(feed, workers, screen.show)
            else:
                for line in self._where_it_stands(workers):
                    self.line(line)
                self._go_on(feed, workers, self._tell)

    def _until_quiet(self, feed: Feed) -> Iterator[Record]:
        """Everything that is there already."""
        quiet = 0
        while quiet < 2:
            self._stopping.check()
            records = feed.read(0.2)
            quiet = 0 if records else quiet + 1
            yield from records

    def _go_on(self, feed: Feed, workers: Workers, show: Callable[[list[TierChangeOut | SlaEventOut]], None]) -> None:
        """Lets the crowd act and shows what comes of it."""
        crowd = Crowd(self._options.seed + 1, self._behaviour.unfinished, self._options.people + 1)
        visitors = Visitors()
        begin = next_event = next_visit = time.monotonic()
        while self._options.for_s is None or time.monotonic() < begin + self._options.for_s:
            self._stopping.check()
            workers.check()
            if time.monotonic() >= next_event:
                at_ms = now_ms()
                self._send(crowd.next_event(at_ms), at_ms)
                next_event = time.monotonic() + crowd.next_pause_s(_MEAN_PAUSE_S)
            if time.monotonic() >= next_visit:
                at_ms = now_ms()
                self._send(visitors.next_event(at_ms), at_ms)
                next_visit = time.monotonic() + PAUSE_S
            for call in self._forgotten.late_calls(now_ms()):
                self._send(call, now_ms())
            records = feed.read(0.05)
            read_ms = now_ms()
            fresh = [news for record in records if (news := self._board.take(record, read_ms))]
            # A lead's tier before the clock that it starts, whichever topic was read first.
            show(sorted(fresh, key=lambda news: (news.effective_at, isinstance(news, SlaEventOut))))

    def _invitation(self, workers: Workers, width: int, height: int) -> list[str]:
        return invitation(self._environment, workers, width, short=height < _FULL_INVITATION_LINES)

    def _where_it_stands(self, workers: Workers) -> Iterator[str]:
        """What the board shows, as plain lines."""
        board, at = self._board, now()
        counts = ", ".join(f"{count} {tier}" for tier, count in board.counts().items())
        yield f"after {self._options.days} days: {counts}; what happened last:"
        yield from (f"  {_news_line(news.body)}" for news in list(board.news)[:8])
        yield f"{board.tiers[0]} leads now:"
        for hot in board.best(10):
            score = hot.score
            reasons = f"{why(score.reasons)}; if nothing happens: {outlook_words(at, board.outlook(score))}"
            yield f"  {lead_name(score.lead_id):<12} {_whose(hot):<30} total {score.total}  ({reasons})"
        yield from invitation(self._environment, workers)
        yield "live, tier changes and clocks:"

    def _tell(self, fresh: list[TierChangeOut | SlaEventOut]) -> None:
        for news in fresh:
            self.line(_news_line(news))

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
        )


def _whose(hot: Hot) -> str:
    if hot.due_ms is None:
        return owner_of(hot.has)
    return f"{owner_of(hot.has)}, {left_until(hot.due_ms, now_ms())[0]}"


def _news_line(news: TierChangeOut | SlaEventOut) -> str:
    return sla_line(news) if isinstance(news, SlaEventOut) else change_line(news)
