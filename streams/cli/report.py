"""`leadstream report`: what becomes of leads that enter a tier."""

from __future__ import annotations

from datetime import timedelta

import click
import msgspec
from rich.table import Table
from rich.text import Text

from streams.cli.base import Results, as_json, person, with_settings
from streams.cli.read_model import as_of_line, moment, read_model
from streams.demo.words import printable, span
from streams.settings import Settings
from streams.view.report import GOALS, Goals, Group, Report

__all__ = ["report"]

_decode = msgspec.json.Decoder(Report).decode


@click.command()
@as_json
@with_settings
def report(settings: Settings, as_json: bool) -> None:
    """Meetings, discarded leads and response latency by tier, team and model version, over 28 rolling days.

    Entries into a tier count, with what sales did until the lead's next entry into it: an entry reaches a meeting with
    meeting_booked or meeting_held, and is answered with the first of contacted, meeting_booked, meeting_held,
    accepted, discarded. Goals for hot leads: 70 % reach a meeting, fewer than 15 % are discarded, the answer comes
    within 24 to 48 h.
    """
    fresh, raw = read_model(settings, lambda model: model.report())
    if as_json:
        Results().line({"as_of": fresh.as_of, "stale": fresh.stale, "report": raw})
        return
    found = _decode(raw)
    console = person()
    # In a small terminal the names go on in a next line, and no number is cut.
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for name in ("tier", "team", "model"):
        table.add_column(name)
    for name in ("entries", "meeting", "discard", "answer", "<24 h", "<48 h", "half in", "90 % in"):
        table.add_column(name, justify="right", no_wrap=True)
    for total in found.tiers:
        _add(table, total, "bold")
        for group in found.groups:
            if group.tier == total.tier:
                _add(table, group, "")
    if not found.tiers:
        table.add_row(Text("no entries", style="dim"))
    console.print(table)
    console.print(Text(_goals(found.goals), style="dim"))
    when = f"{moment(found.since)} to {moment(found.until)}"
    console.print(Text(f"{when}; {as_of_line(fresh)}", style="red" if fresh.stale else "dim"))


def _goals(goals: Goals) -> str:
    low, high = goals.response_within_hours
    return (
        f"goals for hot leads: meeting at least {_percent(goals.meeting_share_at_least)}, discarded less than "
        f"{_percent(goals.discarded_share_below)}, answered within {low} to {high} h"
    )


def _add(table: Table, group: Group, style: str) -> None:
    meeting = "green" if group.meeting_share >= GOALS.meeting_share_at_least else "yellow"
    discarded = "green" if group.discarded_share < GOALS.discarded_share_below else "yellow"
    total = group.team is None
    latency = group.latency
    table.add_row(
        Text(group.tier if total else "", style=style),
        Text("all" if total else printable(group.team), style=style),
        Text("all" if total else printable(group.model), style=style),
        Text(str(group.entries), style=style),
        Text(_percent(group.meeting_share), style=meeting),
        Text(_percent(group.discarded_share), style=discarded),
        Text(_percent(group.answered / group.entries)),
        Text(_percent(group.answered_within_24h / group.entries)),
        Text(_percent(group.answered_within_48h / group.entries)),
        Text("" if latency is None else span(timedelta(milliseconds=latency.p50_ms))),
        Text("" if latency is None else span(timedelta(milliseconds=latency.p90_ms))),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
