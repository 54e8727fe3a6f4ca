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
from scoring.explanation import Explanation, RuleExplanation
from scoring.partition import PartitionFold
from streams.cli.base import TIME, Results, as_json, event_files, id_key_of, person, progress, say, with_settings
from streams.errors import InputError
from streams.event_files import size_of
from streams.event_lines import Refusals, each_line
from streams.file_scoring import FileScoring
from streams.model_files import load_model
from streams.settings import Settings

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

    FILE… holds the events or the rows of the log, of all leads or of this one, as `leadstream score` takes them.
    """
    model = None if model_file is None else load_model(model_file)
    scoring, refusals = FileScoring(id_key_of(settings), model, at_ms), Refusals()
    with progress("Reading", size_of(files)) as moved:
        for _ in each_line(files, scoring.take, refusals, moved):
            pass
        scoring.end()
    leads = scoring.leads()
    name, fold = _find(leads, lead, id_key_of(settings))
    row = fold.row(name)
    assert row is not None
    assert fold.kernel is not None
    told = explain_row(fold.kernel, row, fold.log_time_ms if at_ms is None else at_ms)
    if as_json:
        Results().line(_plain(asdict(told)))
    else:
        _print(told)
    for problem in scoring.problems:
        say(problem)
    return 1 if refusals.count else 0


def _find(leads: dict[str, PartitionFold], lead: str, id_key: bytes) -> tuple[str, PartitionFold]:
    """The lead that is meant, by any of its names."""
    for name in _names(lead, id_key):
        if name in leads:
            return name, leads[name]
    near = _near(lead, leads)
    hint = f"; did you mean {', '.join(near)}?" if near else f"; there are {len(leads):,} others" if leads else ""
    raise InputError(f"lead {lead} has no event in these files up to that time{hint}")


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
    since = "" if told.tier_since_ms is None else f" since {_day(told.tier_since_ms)}"
    console.print(f"[bold]{_safe(told.lead_id)}[/] is [bold]{told.tier}[/]{since}, as of {_day(told.at_ms)}")
    console.print(
        f"total [bold]{told.total}[/]: fit {told.fit}, engagement {told.engagement}, risk {told.risk}"
        f"   [dim]{told.model.name} version {told.model.version}[/]"
    )
    table = Table("points", "rule", "why", "since", "evidence", "then", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for rule in sorted(told.rules, key=lambda rule: (not rule.counts, -abs(rule.points))):
        if rule.points or rule.has_evidence:
            table.add_row(*_row(rule), style="" if rule.counts else "dim")
    console.print(table)
    for line in _outlook(told):
        console.print(line)


def _row(rule: RuleExplanation) -> list[str]:
    evidence = [f"{signal.signal} {', '.join(map(_day, signal.times_ms[-3:]))}" for signal in rule.signals]
    evidence += [f"{field.field} = {_safe(str(field.value))}" for field in rule.profile]
    beaten = f" ({rule.beaten_by} counts instead)" if rule.beaten_by else ""
    then = "" if rule.changes_at_ms is None else f"{rule.changes_to:+d} from {_day(rule.changes_at_ms)}"
    since = "" if rule.since_ms is None else _day(rule.since_ms)
    return [f"{rule.points:+d}", rule.rule, _safe(rule.words) + beaten, since, "\n".join(evidence), then]


def _outlook(told: Explanation) -> Iterator[str]:
    """What comes next, in sentences."""
    if told.held_until_ms is not None:
        yield f"The tier is held until {_day(told.held_until_ms)}; the points alone no longer give it."
    if told.changes_next_at_ms is None:
        yield "Time alone will change nothing more."
    else:
        yield f"Without another event: total {told.total_then}, {told.tier_then} from {_day(told.changes_next_at_ms)}."
    if told.next_tier is None:
        return
    missing = [
        f"{bar.missing} more {bar.score} (has {bar.has} of {bar.needs})" for bar in told.next_tier.bars if bar.missing
    ]
    if told.next_tier.requires_any and not told.next_tier.has_any:
        missing.append(f"points from one of {', '.join(told.next_tier.requires_any)}")
    yield f"To be {told.next_tier.tier}: {'; '.join(missing) or 'nothing is missing'}."


def _day(ms: int) -> str:
    return iso(ms)[:16].replace("T", " ")


def _safe(text: str) -> str:
    return text.replace("[", r"\[")
