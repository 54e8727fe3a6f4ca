"""`leadstream send`: events of files to their raw topics, every one acknowledged."""

from __future__ import annotations

import uuid
from typing import Any

import click
import msgspec

from schemas.lines import load_line
from schemas.log import EventRow
from schemas.times import iso, parse_iso
from schemas.topics import RAW_TOPICS, topic_of_kind
from schemas.wire import decode_event
from streams.cli.base import Results, as_json, event_files, id_key_of, progress, say, with_settings
from streams.clients import Sender, new_admin, partition_counts
from streams.clock import now_ms
from streams.errors import UsageError
from streams.event_files import size_of
from streams.event_lines import EventLines, Refusals, each_line
from streams.settings import Settings
from streams.topics_admin import is_history

__all__ = ["send"]


@click.command()
@event_files
@click.option("--history", is_flag=True, help="A past stream: each record has the log time of its line.")
@click.option("--now", "as_if_now", is_flag=True, help="As if it happened now: fresh times, the last one now, and ids.")
@as_json
@with_settings
def send(settings: Settings, files: tuple[str, ...], history: bool, as_if_now: bool, as_json: bool) -> int:
    """Send the events in FILE… to their topics, and wait until every one is acknowledged.

    Each line is one event, as in `leadstream score`; `-` is standard input, gzip is read as such. Lines that cannot
    be used are told on standard error, one JSON object each, and not sent; exit code 1. Sending a file twice doubles
    nothing: an event counts once by its id.

    --history wants topics made with `topics create --history`, and workers with LEADSTREAM_CLOCK=record.
    """
    if history and as_if_now:
        raise UsageError("--history keeps the times of the lines and --now replaces them: take one of the two")
    if history and settings.broker_profile != "embedded" and not is_history(settings, new_admin(settings)):
        raise UsageError(
            f"topic {settings.topic(RAW_TOPICS[0])} gives records the broker's time (or does not exist); "
            "make the topics with `leadstream topics create --history`"
        )
    refusals, outbox = Refusals(), _Outbox(settings, history)
    shifted = _Shifted(outbox) if as_if_now else None
    with progress("Sending", size_of(files)) as moved:
        for _ in each_line(files, shifted.take if shifted else outbox.take, refusals, moved):
            pass
        if shifted:
            shifted.send_all()
        outbox.sender.finish()
    told = {"sent": outbox.sender.acknowledged, "refused": refusals.count}
    if as_json:
        Results().line(told)
    else:
        say(
            f"{told['sent']:,} events sent to {settings.bootstrap_servers}, all acknowledged"
            + (f"; {refusals.count:,} lines refused" if refusals.count else "")
        )
    return 1 if refusals.count else 0


class _Outbox:
    """Sends lines as they are, to the topic of their kind; events of one lead to one partition."""

    def __init__(self, settings: Settings, history: bool) -> None:
        self._lines, self._history = EventLines(id_key_of(settings)), history
        self.id_key = id_key_of(settings)
        self.sender = Sender(settings)
        partition_counts(settings, self.sender.producer, RAW_TOPICS)
        self._topics = {name: settings.topic(name) for name in RAW_TOPICS}

    def take(self, raw: bytes) -> None:
        """Checks a line and hands it over.

        Raises:
            Refused: It is no event.
        """
        members = load_line(raw)
        self.send(raw, members["kind"], self._lines.read(raw, members))

    def send(self, raw: bytes, kind: str, row: EventRow) -> None:
        """Hands over a checked event."""
        self.sender.send(
            self._topics[topic_of_kind(kind)],
            raw,
            key=row.lead_id.encode(),
            timestamp_ms=max(row.received_at_ms, 1) if self._history else 0,
        )


class _Shifted:
    """Keeps events until all are read, and sends them as if the last of them had just happened."""

    def __init__(self, outbox: _Outbox) -> None:
        self._outbox = outbox
        self._lines = EventLines(outbox.id_key)
        self._events: list[dict[str, Any]] = []

    def take(self, raw: bytes) -> None:
        """Checks a line and keeps it.

        Raises:
            Refused: It is no event.
        """
        members = load_line(raw)
        self._lines.read(raw, members)
        self._events.append(members)

    def send_all(self) -> None:
        """Sends everything, with fresh ids: the same file may be sent again and counts again."""
        if not self._events:
            return
        run, now = uuid.uuid4().hex[:8], now_ms()
        shift = now - max(parse_iso(event["occurred_at"]) for event in self._events)
        for event in self._events:
            event.pop("received_at", None)
            event |= {
                "event_id": f"{event['event_id'][:100]}-{run}",
                "occurred_at": iso(parse_iso(event["occurred_at"]) + shift),
            }
            raw = msgspec.json.encode(event)
            self._outbox.send(raw, event["kind"], decode_event(raw, now, self._outbox.id_key))
