"""`leadstream lead`: one lead, everything that is known of it now."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import click
import msgspec
from rich.table import Table
from rich.text import Text

from streams.cli.base import Results, as_json, person, with_settings
from streams.cli.read_model import as_of_line, moment, read_model
from streams.clock import now_ms
from streams.demo.clock_words import time_left
from streams.demo.words import printable
from streams.errors import InputError
from streams.settings import Settings
from streams.view.reader import Lead

__all__ = ["lead"]


@click.command()
@click.argument("lead_id", metavar="ID")
@as_json
@with_settings
def lead(settings: Settings, lead_id: str, as_json: bool) -> None:
    """Score with its reasons, owner and clock of one lead, from Redis. `explain` tells the evidence.

    Of a visitor or an address that turned out to be a lead, that lead is shown.
    """
    fresh, found = read_model(settings, lambda model: model.lead(lead_id))
    seen = [lead_id]
    while found is not None and found.merged_into is not None and found.merged_into not in seen and not as_json:
        owner = found.merged_into
        seen.append(owner)
        fresh, found = read_model(settings, lambda model, name=owner: model.lead(name))  # type: ignore[misc]
    if found is None:
        raise InputError(f"nobody heard of lead {seen[-1]!r} yet ({as_of_line(fresh)})")
    if as_json:
        Results().line({"as_of": fresh.as_of, "stale": fresh.stale, "lead": found})
        return
    console = person()
    for alias, name in pairwise(seen):
        console.print(Text(f"{printable(alias)} is {printable(name)} now", style="dim"))
    console.print(_table(found))
    console.print(Text(as_of_line(fresh), style="red" if fresh.stale else "dim"))


def _table(found: Lead) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("lead", Text(found.lead_id, style="bold"))
    if found.score is not None:
        _add_score(table, msgspec.json.decode(found.score))
    if found.assignment is not None:
        _add_assignment(table, msgspec.json.decode(found.assignment))
    return table


def _add_score(table: Table, score: dict[str, Any]) -> None:
    since = f" since {moment(score['tier_since'])}" if score.get("tier_since") else ""
    table.add_row("tier", Text(f"{score['tier']}{since}"))
    parts = f"fit {score['fit']}, engagement {score['engagement']}, risk {score['risk']}"
    table.add_row("total", Text(f"{score['total']} ({parts})"))
    for reason in score["reasons"]:
        table.add_row(
            "", Text(f"{reason['points']:+4d} {reason['rule'].replace('_', ' ')}, since {moment(reason['since'])}")
        )
    if score.get("changes_next_at"):
        table.add_row("changes", Text(f"by time alone at {moment(score['changes_next_at'])}"))
    for name, value in score.get("profile", {}).items():
        table.add_row(printable(name), Text(printable(value)))


def _add_assignment(table: Table, has: dict[str, Any]) -> None:
    who = has["owner"] or "nobody yet"
    team = f", team {has['team']}" if has["team"] else ""
    table.add_row(
        "owner", Text(f"{who}{team} since {moment(has['since'])} ({has['reason']['pick'].replace('_', ' ')})")
    )
    for owner, why in has["reason"]["passed"].items():
        table.add_row("", Text(f"passed over: {owner}, {why.replace('_', ' ')}"))
    if has["sla"] is not None:
        left, style = time_left(has["sla"], now_ms())
        text = Text(f"{has['sla']['state']}, due {moment(has['sla']['due_at'])}")
        table.add_row("clock", text.append(_how_long(left), style=style))


def _how_long(left: str) -> str:
    return "" if not left else f", {left}" if left.endswith("over") else f", {left} left"
