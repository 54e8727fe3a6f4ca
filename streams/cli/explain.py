"""`leadstream explain`: why a lead has its score."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import click
from rich.table import Table

from schemas.errors import Refused
from schemas.naming import lead_name
from schemas.times import iso
from scoring.explain import explain as explain_row
from scoring.explanation import Explanation, NameEvidence, NextTier, RuleExplanation
from scoring.partition import PartitionFold
from streams.cli.base import TIME, Results, as_json, event_files, id_key_of, person, progress, say, with_settings
from streams.engine.collector import no_collector
from streams.errors import InputError
from streams.event_files import size_of
from streams.event_lines import Refusals
from streams.file_scoring import FileScoring
from streams.line_rows import reading
from streams.model_files import model_beside
from streams.settings import Settings, variable

__all__ = ["explain"]


@click.command()
@event_files
@click.option("--lead", required=True, metavar="ID", help="Its lead_id, e-mail address or anonymous_id.")
@click.option(
    "--model", "model_file", metavar="MODEL", help="A model file or a shipped name; rows of the log have one."
)
@click.option("--at", "at_ms", type=TIME, help="The moment that is asked about. Default: the last line's time.")
@as_json
@with_settings
def explain(
    settings: Settings, files: tuple[str, ...], lead: str, model_file: str | None, at_ms: int | None, as_json: bool
) -> int:
    """Why a lead has its score: every contribution, what it stands on, and what time will change.

    FILE… holds the events or the rows of the log, of all leads or of this one, as `leadstream score` takes them. Asked
    for a visitor or an address that turned out to be a lead, it explains that lead; it names all that is known to be
    the same person, and what came with each.
    """
    model = model_beside(files, model_file)
    scoring, refusals = FileScoring(model, at_ms, keep_merges=True), Refusals()
    with (
        no_collector(to_the_end=True),
        reading(files, id_key_of(settings)) as blocks,
        progress("Reading", size_of(files)) as moved,
    ):
        for block in blocks:
            for refusal in block.refused:
                refusals.note(refusal)
            scoring.take(block)
            moved(block.moved)
        scoring.end()
    leads = scoring.leads()
    asked = _find(leads, lead, settings)
    name = scoring.owner_of(asked)
    fold = leads[name]
    row = fold.row(name)
    assert row is not None
    assert fold.kernel is not None
    told = explain_row(fold.kernel, row, fold.log_time_ms if at_ms is None else at_ms, scoring.merges)
    if as_json:
        Results().line(_plain(asdict(told)))
    else:
        if name != asked:
            person().print(f"{_safe(asked)} is {_safe(name)}")
        _print(told)
    for problem in scoring.problems:
        say(problem)
    return 1 if refusals.count else 0


def _find(leads: dict[str, PartitionFold], lead: str, settings: Settings) -> str:
    """The lead that is meant, by any of its names.

    Raises:
        InputError: There is none; names like this one, and what may be the reason.
    """
    for name in _names(lead, id_key_of(settings)):
        if name in leads:
            return name
    problem = f"lead {lead} has no event in these files up to that time"
    if near := _near(lead, leads):
        raise InputError(f"{problem}; did you mean {', '.join(near)}?")
    if "@" in lead and settings.id_key is None:
        key = variable("id_key")
        raise InputError(f"{problem}; in rows of a log addresses are hashed with the stream's key: set {key}")
    raise InputError(problem + (f"; there are {len(leads):,} others" if leads else "; there are none at all"))


def _names(lead: str, id_key: bytes) -> Iterator[str]:
    yield lead
    with suppress(Refused):
        yield lead_name(None, lead, None, id_key)
    yield f"a:{lead}"


def _near(lead: str, leads: Collection[str]) -> list[str]:
    """At most three names like this one."""
    wanted = lead.lower()
    like = [name for name in leads if wanted in name.lower() or name.lower() in wanted]
    return sorted(like, key=len)[:3] or difflib.get_close_matches(lead, list(leads)[:20_000], n=3)


def _plain(value: Any) -> Any:
    """For JSON: `…_ms` becomes the text of the time, as in all records."""
    if isinstance(value, dict):
        return dict(_member(name, member) for name, member in value.items())
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value


def _member(name: str, value: Any) -> tuple[str, Any]:
    if not name.endswith("_ms"):
        return name, _plain(value)
    name = name.removesuffix("_ms")
    if isinstance(value, list | tuple):
        return name, [iso(moment) for moment in value]
    return name, None if value is None else iso(value)


def _print(told: Explanation) -> None:
    console = person()
    since = "" if told.tier_since_ms is None else f" since {_minute(told.tier_since_ms)}"
    console.print(f"[bold]{_safe(told.lead_id)}[/] is [bold]{told.tier}[/]{since}, as of {_minute(told.at_ms)}")
    console.print(
        f"total [bold]{told.total}[/]: fit {told.fit}, engagement {told.engagement}, risk {told.risk}"
        f"   [dim]{told.model.name} version {told.model.version}[/]"
    )
    rules = sorted(
        (rule for rule in told.rules if rule.points or rule.has_evidence),
        key=lambda rule: (not rule.counts, not rule.points, -abs(rule.points)),
    )
    if rules:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("points", justify="right")
        table.add_column("rule", no_wrap=True)
        table.add_column("why")
        for rule in rules:
            points = f"({rule.points:+d})" if rule.points and not rule.counts else _points(rule.points)
            table.add_row(points, rule.rule, "\n".join(_why(rule)), style="" if rule.counts else "dim")
        console.print(table)
    for line in _outlook(told):
        console.print(line)
    for name in told.names:
        console.print(_who(name))


def _why(rule: RuleExplanation) -> Iterator[str]:
    """What earns the points, what is known of it, and when the points began and end, a line each."""
    yield _safe(rule.words) + (f" ({rule.beaten_by} counts instead)" if rule.beaten_by else "")
    known = [f"{signal.signal} {', '.join(map(_minute, signal.times_ms[-3:]))}" for signal in rule.signals]
    known += [f"{field.field} = {_safe(str(field.value))}" for field in rule.profile]
    if known:
        yield f"[dim]{'; '.join(known)}[/]"
    when = [] if rule.since_ms is None else [f"since {_minute(rule.since_ms)}"]
    if rule.changes_at_ms is not None:
        when.append(f"{_points(rule.changes_to or 0)} from {_minute(rule.changes_at_ms)}")
    if when:
        yield f"[dim]{', '.join(when)}[/]"


def _who(name: NameEvidence) -> str:
    """Another name, and what came with it, in a sentence."""
    if name.merged_at_ms is None:
        return f"Also known as {_safe(name.name)}."
    came = ", ".join(f"{signal.signal} {', '.join(map(_minute, signal.times_ms[-3:]))}" for signal in name.signals)
    return f"Also known as {_safe(name.name)} since {_minute(name.merged_at_ms)}; with it came {came or 'nothing'}."


def _outlook(told: Explanation) -> Iterator[str]:
    """What is missing and what comes next, in sentences."""
    if told.next_tier is not None:
        yield f"For {told.next_tier.tier}: {'; '.join(_missing(told.next_tier)) or 'nothing is missing'}."
    if told.held_until_ms is not None:
        yield f"The tier is held until {_minute(told.held_until_ms)}; the points alone no longer give it."
    if told.changes_next_at_ms is None:
        yield "Time alone will change nothing more."
        return
    tier = f"still {told.tier}" if told.tier_then == told.tier else str(told.tier_then)
    yield f"Without another event: total {told.total_then} from {_minute(told.changes_next_at_ms)}, {tier}."


def _missing(tier: NextTier) -> Iterator[str]:
    for bar in tier.bars:
        if bar.missing:
            yield f"{bar.missing} more {bar.score} (has {bar.has} of {bar.needs})"
    if tier.requires_any and not tier.has_any:
        yield f"points from {' or '.join(tier.requires_any)}"


def _points(points: int) -> str:
    return f"{points:+d}" if points else "0"


def _minute(ms: int) -> str:
    return iso(ms)[:16].replace("T", " ")


def _safe(text: str) -> str:
    """Text of an event for a terminal: no markup, and nothing that moves its cursor."""
    return "".join(char if char.isprintable() else "�" for char in text).replace("[", r"\[")
