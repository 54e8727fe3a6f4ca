"""`leadstream send`: events of files to their raw topics, every one acknowledged."""

from __future__ import annotations

import uuid
from hashlib import blake2b
from typing import NamedTuple

import click
import msgspec

from schemas.errors import Refused
from schemas.limits import MAX_AGE_MS, MAX_AHEAD_MS, MAX_ID
from schemas.lines import load_line
from schemas.log import EVENT_ROWS, EventRow
from schemas.naming import partition_of
from schemas.times import iso, parse_iso
from schemas.topics import RAW_TOPICS, topic_of_kind
from schemas.wire import decode_event
from streams.cli.base import Results, as_json, event_files, id_key_of, progress, say, with_settings
from streams.clients import Sender, new_admin, partition_counts
from streams.clock import now_ms
from streams.engine.errors import StateRefused
from streams.errors import UsageError
from streams.event_files import size_of
from streams.event_lines import EventLines, Refusals, each_line
from streams.settings import Settings, variable
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
    refusals, outbox = Refusals(), _Outbox(settings, history)
    if history and settings.broker_profile != "embedded" and not is_history(settings, new_admin(settings)):
        raise StateRefused(
            f"topic {settings.topic(RAW_TOPICS[0])} at {settings.bootstrap_servers} gives records the broker's time; "
            "a past stream wants topics made with `leadstream topics create --history`, "
            f"for instance under another {variable('topic_prefix')}"
        )
    try:
        with progress("Sending", size_of(files)) as moved:
            if as_if_now:
                _send_as_if_now(outbox, files, refusals)
            else:
                for _ in each_line(files, outbox.take, refusals, moved):
                    pass
            outbox.sender.finish()
    except KeyboardInterrupt:
        say(f"{outbox.sender.acknowledged:,} events were acknowledged; to send all, send the files again")
        raise
    _tell(settings, outbox.sender.acknowledged, refusals.count, as_json=as_json)
    return 1 if refusals.count else 0


def _tell(settings: Settings, sent: int, refused: int, *, as_json: bool) -> None:
    if as_json:
        Results().line({"sent": sent, "refused": refused})
        return
    events = "1 event" if sent == 1 else f"{sent:,} events"
    lines = "; 1 line refused" if refused == 1 else f"; {refused:,} lines refused" if refused else ""
    click.echo(f"{events} sent to {settings.bootstrap_servers} and acknowledged{lines}")


class _Outbox:
    """Sends events to the topics of their kinds, those of one lead to one partition.

    Records have no key: who reads raw topics asks for none, and a name made without the stream's ID_KEY would be one
    that anybody can make of an address.
    """

    def __init__(self, settings: Settings, history: bool) -> None:
        self.id_key, self._history = id_key_of(settings), history
        self._lines = EventLines(self.id_key)
        self.sender = Sender(settings)
        counts = dict(zip(RAW_TOPICS, partition_counts(settings, self.sender.producer, RAW_TOPICS), strict=True))
        self._topics = {
            row_type: (settings.topic(topic_of_kind(kind)), counts[topic_of_kind(kind)])
            for kind, row_type in EVENT_ROWS.items()
        }

    def take(self, raw: bytes) -> None:
        """Checks a line and hands it over.

        Raises:
            Refused: It is no event, or one that the stream would not take now.
        """
        row = self._lines.read(raw)
        if not self._history and not -MAX_AHEAD_MS <= now_ms() - row.occurred_at_ms <= MAX_AGE_MS:
            decode_event(raw, now_ms(), self.id_key)
        self.send(raw, row)

    def send(self, raw: bytes, row: EventRow) -> None:
        """Hands over a checked event."""
        topic, partitions = self._topics[type(row)]
        self.sender.send(
            topic,
            raw,
            partition=partition_of(row.lead_id, partitions),
            timestamp_ms=max(row.received_at_ms, 1) if self._history else 0,
        )


class _Kept(NamedTuple):
    file: str
    line: int
    raw: bytes
    occurred_ms: int


def _send_as_if_now(outbox: _Outbox, files: tuple[str, ...], refusals: Refusals) -> None:
    """Reads everything, then sends it as if the last of it had just happened.

    Ids are fresh, so that the same file may be sent again and counts again; what has one id still has one.
    """
    lines, kept = EventLines(outbox.id_key), list[_Kept]()

    def keep(raw: bytes) -> None:
        row = lines.read(raw)
        kept.append(_Kept(refusals.file, refusals.line, raw, row.occurred_at_ms))

    for _ in each_line(files, keep, refusals, lambda _: None):
        pass
    run, now = uuid.uuid4().hex[:8], now_ms()
    shift_ms = now - max((one.occurred_ms for one in kept), default=now)
    for file, line, raw, _ in kept:
        fresh = _shifted(raw, shift_ms, run)
        try:
            outbox.send(fresh, decode_event(fresh, now, outbox.id_key))
        except Refused as refused:
            refusals.tell(refused, file, line)


def _shifted(raw: bytes, shift_ms: int, run: str) -> bytes:
    """An event at another time and under another id."""
    event = load_line(raw)
    event.pop("received_at", None)
    event_id, more = event["event_id"], f"-{run}"
    if len(event_id) + len(more) > MAX_ID:
        event_id = blake2b(event_id.encode(), digest_size=16).hexdigest()
    event |= {"event_id": event_id + more, "occurred_at": iso(parse_iso(event["occurred_at"]) + shift_ms)}
    return msgspec.json.encode(event)
