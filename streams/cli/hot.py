"""`leadstream hot`: who must be called next."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import click
import msgspec
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from schemas.times import parse_iso
from streams.cli.base import Results, as_json, person, with_settings
from streams.cli.read_model import as_of_line, read_model
from streams.clock import now_ms
from streams.demo.clock_words import time_left
from streams.demo.words import lead_name, printable
from streams.settings import Settings
from streams.view.keys import NOBODY
from streams.view.reader import Fresh, Lead, NotWhole, Page, ReadModel, RedisAway

__all__ = ["hot", "hot_table"]

_REDRAW_S = 1.0
_MOST = 500
_REASONS = 3
_FRAME_LINES = 4


@click.command()
@click.option("--tier", default="", help="Only leads whose clock runs for this tier, or that are in it.")
@click.option("--owner", default="", help="Only this owner's; '-': those that wait for somebody.")
@click.option("--order", type=click.Choice(["due", "total"]), default="due", help="By due time (default), or by total.")
@click.option("--limit", type=click.IntRange(1, _MOST), help="So many at most; without it as many as fit, or 20.")
@as_json
@with_settings
def hot(
    settings: Settings, tier: str, owner: str, order: Literal["due", "total"], limit: int | None, as_json: bool
) -> None:
    """Leads whose clock runs or is breached, the earliest due time first: with their reasons, owner and time left.

    In a terminal the table is live until Ctrl-C; elsewhere, and with --json, it is told once. --order total shows all
    leads by their total, also those without a clock.
    """
    console = person()
    live = console.is_terminal and not as_json
    rows = limit or (max(1, console.height - _FRAME_LINES) if live else 20)

    async def look(model: ReadModel) -> tuple[Fresh, Page]:
        return await model.page(order, tier, None if owner == NOBODY else owner, rows)

    async def watch(model: ReadModel) -> None:
        fresh, page = await look(model)
        with Live(console=console, auto_refresh=False, vertical_overflow="crop") as screen:
            while True:
                screen.update(_view(settings, fresh, page), refresh=True)
                await asyncio.sleep(_REDRAW_S)
                try:
                    fresh, page = await look(model)
                except (NotWhole, RedisAway) as error:
                    fresh = error.fresh  # what was last seen stays there, and is told to be stale

    if live:
        read_model(settings, watch)
        return
    fresh, page = read_model(settings, look)
    if as_json:
        Results().line({"as_of": fresh.as_of, "stale": fresh.stale, "count": page.length, "leads": page.leads})
    else:
        console.print(_view(settings, fresh, page))


def _view(settings: Settings, fresh: Fresh, page: Page) -> RenderableType:
    # Of a past stream log time is the only now there is.
    past = settings.clock == "record" and fresh.as_of is not None
    at_ms = parse_iso(fresh.as_of) if past and fresh.as_of is not None else now_ms()
    foot = f"{len(page.leads)} of {page.length}, {as_of_line(fresh)}"
    return Group(hot_table(page.leads, at_ms), Text(foot, style="red" if fresh.stale else "dim"))


def hot_table(leads: list[Lead], now: int) -> Table:
    """The table; the time left is coloured by urgency."""
    # What is too long for the terminal is cut from the reasons, and from nothing else.
    table = Table(box=None, expand=True, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("lead", "tier"):
        table.add_column(name, no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("why", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("owner", no_wrap=True)
    table.add_column("time left", justify="right", no_wrap=True)
    for lead in leads:
        score: dict[str, Any] = {} if lead.score is None else msgspec.json.decode(lead.score)
        has: dict[str, Any] = {} if lead.assignment is None else msgspec.json.decode(lead.assignment)
        left, style = time_left(has.get("sla"), now)
        why = ", ".join(
            f"{reason['rule'].replace('_', ' ')} {reason['points']:+d}"
            for reason in score.get("reasons", ())[:_REASONS]
        )
        runs = bool(left)
        table.add_row(
            Text(lead_name(lead.lead_id), style="bold"),
            Text(str((has if runs else score).get("tier") or "")),
            Text(str(score.get("total", ""))),
            Text(why),
            Text(
                printable(has.get("owner") or ("waiting" if runs else "")), style="" if has.get("owner") else "yellow"
            ),
            Text(left, style=style),
        )
    if not leads:
        table.add_row(Text("nobody", style="dim"))
    return table
