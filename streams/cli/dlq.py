"""`leadstream dlq`: what could not be used, why, and back to its topic after a fix."""

from __future__ import annotations

import base64
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import click
from rich.table import Table

from schemas.dead_letters import DeadLetterHeaders, HeaderError, original_headers
from schemas.reasons import REASONS
from schemas.times import iso
from schemas.topics import DEAD_LETTERS, LEAD_INTERNAL, RAW_TOPICS
from streams import breaker
from streams.cli.base import Commands, Results, as_json, person, progress, say, with_settings
from streams.cli.decoding import text_or_base64
from streams.dead_letters import Letter, Wanted, find_letters, marked_offset, replay
from streams.errors import InputError
from streams.settings import Settings
from streams.topic_reader import Record, read_one

__all__ = ["dlq"]

_reason = click.option("--reason", type=click.Choice(list(REASONS)), metavar="REASON", help="Only these.")
_topic = click.option(
    "--topic", type=click.Choice([*RAW_TOPICS, LEAD_INTERNAL]), metavar="TOPIC", help="Only from there."
)


class PlaceType(click.ParamType):
    """PARTITION:OFFSET."""

    name = "PARTITION:OFFSET"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """The two numbers, or an error of usage."""
        match = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,18})", str(value))
        if match is None:
            self.fail(f"{value!r} is not PARTITION:OFFSET, for example 3:17", param, ctx)
        return int(match[1]), int(match[2])


@click.group(cls=Commands)
def dlq() -> None:
    """Dead letters: records that ingest could not use, with a reason.

    They keep their key, bytes and headers for 90 days (a setting). Reasons: see schemas/README.md.
    """


@dataclass(slots=True)
class _Line:
    """One line of the list."""

    count: int = 0
    places: set[tuple[int, int]] | None = None
    newest: Letter | None = None

    def take(self, letter: Letter) -> None:
        self.count += 1
        self.places = (self.places or set()) | {letter.place}
        if self.newest is None or letter.record.timestamp_ms >= self.newest.record.timestamp_ms:
            self.newest = letter


@dlq.command(name="list")
@_reason
@_topic
@as_json
@with_settings
def list_(settings: Settings, reason: str | None, topic: str | None, as_json: bool) -> None:
    """Dead letters by reason and topic: how many, how many were sent back, the newest one."""
    lines: dict[tuple[str, str], _Line] = defaultdict(_Line)
    wanted = Wanted(reason, None if topic is None else settings.topic(topic))
    found = find_letters(settings, wanted, lambda letter: lines[letter.why.reason, letter.why.topic].take(letter))
    rows = [
        {
            "reason": key[0],
            "topic": key[1],
            "letters": line.count,
            "replayed": len((line.places or set()) & found.replayed),
            "newest": "{}:{}".format(*line.newest.place),
            "newest_at": iso(line.newest.record.timestamp_ms),
            "message": line.newest.why.exception_message,
        }
        for key, line in sorted(lines.items(), key=lambda item: (-item[1].count, item[0]))
        if line.newest is not None
    ]
    if found.strange:
        say(f"{found.strange} records in {settings.topic(DEAD_LETTERS)} are no dead letters of leadstream; not listed")
    if as_json:
        results = Results()
        for row in rows:
            results.line(row)
        return
    if not rows:
        click.echo("no dead letters")
        return
    table = Table("reason", "topic", "letters", "sent back", "newest", "at", "its message")
    for row in rows:
        table.add_row(*(str(value).replace("[", r"\[") for value in row.values()))
    person().print(table)


@dlq.command()
@click.argument("place", type=PlaceType())
@as_json
@with_settings
def show(settings: Settings, place: tuple[int, int], as_json: bool) -> None:
    """One dead letter, whole: where it was, why it is here, its headers and bytes.

    PLACE is PARTITION:OFFSET in dead-letters, as `dlq list` and `read dead-letters` give it. A letter may hold
    addresses: it is shown as it came.
    """
    record = read_one(settings, DEAD_LETTERS, *place)
    if record is None:
        raise InputError(f"{settings.topic(DEAD_LETTERS)} has no record at {place[0]}:{place[1]}; see `dlq list`")
    try:
        why = DeadLetterHeaders.read(record.headers)
    except HeaderError as error:
        if (offset := marked_offset(record)) is not None:
            raise InputError(f"{place[0]}:{place[1]} notes that {place[0]}:{offset} was sent back") from error
        raise InputError(f"{place[0]}:{place[1]}: {error}") from error
    if as_json:
        Results().line(_whole(record, why))
        return
    _print_whole(record, why)


@dlq.command(name="replay")
@_reason
@_topic
@as_json
@with_settings
def replay_(settings: Settings, reason: str | None, topic: str | None, as_json: bool) -> None:
    """Send dead letters back to their topic, once each.

    Fix what was wrong first: a letter that still cannot be used comes back as a new one. What was sent back is
    noted in dead-letters, so running this twice doubles nothing. (One that is killed in the middle may send up to a
    thousand letters again; the same event counts once.) Do not run two at the same time.
    """
    found = find_letters(settings, Wanted(reason, None if topic is None else settings.topic(topic)))
    places = found.places - found.replayed
    with progress("sending back", len(places)) as moved:
        done, left = replay(settings, places, moved) if places else (0, 0)
    already = len(found.places & found.replayed)
    if as_json:
        Results().line({"replayed": done, "already": already, "left": left})
        return
    click.echo(f"{done} sent back, {already} had been sent back before")
    if left:
        say(f"{left} left where they are: from topics that ingest does not read, or not the whole record")


@dlq.command()
@click.argument("topic", type=click.Choice(RAW_TOPICS), metavar="TOPIC")
@with_settings
def release(settings: Settings, topic: str) -> None:
    """Let ingest read a topic on that the breaker paused.

    The breaker pauses a topic of which too many records were dead letters: something is wrong with whoever writes it.
    Mend that first; what is wrong already comes as dead letters once more, and may be replayed later.
    """
    pause = breaker.release(settings, topic)
    click.echo(
        f"{settings.topic(topic)} is released; it was paused for {pause.dead_letters} dead letters among its last "
        f"{pause.window} records, the last one {pause.last_reason}"
    )


def _whole(record: Record, why: DeadLetterHeaders) -> dict[str, Any]:
    return {
        "partition": record.partition,
        "offset": record.offset,
        "at": iso(record.timestamp_ms),
        "reason": why.reason,
        "message": why.exception_message,
        "from": {
            "topic": why.topic,
            "partition": why.partition,
            "offset": why.offset,
            "at": iso(why.timestamp_ms) if why.timestamp_ms >= 0 else None,
        },
        "headers": [[name, text_or_base64(value)] for name, value in record.headers],
        "key": text_or_base64(record.key),
        "value": text_or_base64(record.value),
    }


def _print_whole(record: Record, why: DeadLetterHeaders) -> None:
    came = f" at {iso(why.timestamp_ms)}" if why.timestamp_ms >= 0 else ""
    rows = [
        ("dead letter", f"{record.partition}:{record.offset}, written {iso(record.timestamp_ms)}"),
        ("reason", why.reason),
        ("message", why.exception_message),
        ("what to do", REASONS[why.reason].remedy),
        ("came from", f"{why.topic} {why.partition}:{why.offset}{came}"),
        ("key", _as_text(record.key)),
        *((f"header {name}", _as_text(value)) for name, value in original_headers(record.headers)),
    ]
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        click.echo(f"{name:<{width}}  {text}")
    size = 0 if record.value is None else len(record.value)
    click.echo(f"{'value':<{width}}  {size:,} bytes" if record.value is not None else f"{'value':<{width}}  none")
    if record.value:
        click.echo(_as_text(record.value))


def _as_text(content: bytes | None) -> str:
    """Bytes as they are where a terminal can show them, else as base64."""
    shown = text_or_base64(content)
    if isinstance(shown, str):
        return "".join(char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in shown)
    return "none" if content is None else "base64 " + base64.b64encode(content).decode()
