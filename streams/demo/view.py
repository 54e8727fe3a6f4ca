"""The board in a terminal: the hot list with reasons and what comes next, and tier changes as they happen."""

from __future__ import annotations

from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.demo.board import Board, Change
from streams.demo.words import ago, because, lead_name, moment, outlook_words, who, why

__all__ = ["board_view"]

_COLOURS = ("bold red", "yellow", "blue")
_WIDE, _WIDER, _WIDEST = 100, 120, 150
_MAX_LEAD = 24
_FRAME_LINES = 6
_LEAST_ROWS = 2


def board_view(board: Board, now: datetime, width: int, height: int, notice: str = "") -> RenderableType:
    """The board, in at most so many lines; a notice comes before what happens just now."""
    room = max(2 * _LEAST_ROWS, height - _FRAME_LINES)
    changes = max(_LEAST_ROWS, room * 2 // 5)
    return Group(
        _headline(board, now, width),
        Text(f" {notice}", style="bold red") if notice else _latest_events(board),
        Text(),
        _hot_list(board, now, width, max(_LEAST_ROWS, room - changes)),
        Text(),
        _changes(board, now, width, changes),
    )


def _colour(board: Board, tier: str) -> str:
    return _COLOURS[min(board.tiers.index(tier), len(_COLOURS) - 1)] if tier in board.tiers else ""


def _headline(board: Board, now: datetime, width: int) -> Text:
    line = Text(" leadstream  ", style="bold", no_wrap=True, overflow="crop")
    for tier, count in board.counts().items():
        line.append(f" {tier} {count} ", style=_colour(board, tier))
    more = f"  {board.event_count:,} events  {now:%Y-%m-%d %H:%M:%S} UTC"
    line.append(more if width >= 80 else more[: -len(" UTC")], style="dim")
    return line


def _latest_events(board: Board) -> Text:
    shown = ", ".join(f"{lead_name(lead)} {kind}" for lead, kind in board.events)
    return Text(f" just now: {shown}" if shown else "", style="dim", no_wrap=True, overflow="ellipsis")


def _table() -> Table:
    return Table(box=None, expand=True, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")


def _hot_list(board: Board, now: datetime, width: int, rows: int) -> Table:
    """One row a lead; what does not fit is left out from the least important on."""
    wide, widest = width >= _WIDER, width >= _WIDEST
    table = _table()
    table.add_column(f" {board.tiers[0]} lead", no_wrap=True, style="bold", max_width=_MAX_LEAD, overflow="ellipsis")
    table.add_column("total", justify="right", no_wrap=True)
    if wide:
        table.add_column("fit eng risk", no_wrap=True)
    if widest:
        table.add_column("who", no_wrap=True)
    table.add_column("why", ratio=1, no_wrap=True, overflow="ellipsis")
    if wide:
        table.add_column("since", no_wrap=True, justify="right")
    table.add_column("if nothing happens", no_wrap=True)
    best = board.best(rows)
    for score in best:
        cells = [" " + lead_name(score.lead_id), str(score.total)]
        if wide:
            cells.append(f"{score.fit:>3} {score.engagement:>3} {score.risk:>4}")
        if widest:
            cells.append(who(score.profile))
        cells.append(why(score.reasons))
        if wide:
            cells.append(ago(now, score.tier_since))
        cells.append(outlook_words(now, board.outlook(score), short=not wide))
        # As texts: what events and models say is no markup.
        table.add_row(*map(Text, cells))
    if not best:
        table.add_row(" nobody yet")
    return table


def _changes(board: Board, now: datetime, width: int, rows: int) -> Table:
    wide, live = width >= _WIDE, width >= _WIDE and board.live_changes > 0
    table = _table()
    table.add_column(" tier change", no_wrap=True)
    table.add_column("lead", no_wrap=True, style="bold", max_width=_MAX_LEAD, overflow="ellipsis")
    table.add_column("", no_wrap=True)
    if wide:
        table.add_column("total", justify="right", no_wrap=True)
    if live:
        table.add_column("told after", justify="right", no_wrap=True)
    table.add_column("because", ratio=1, no_wrap=True, overflow="ellipsis")
    for change in list(board.changes)[:rows]:
        body = change.body
        cells = [Text(f" {_when(now, body.effective_at)}"), Text(lead_name(body.lead_id)), _arrow(board, change)]
        if wide:
            cells.append(Text(str(body.total)))
        if live:
            cells.append(Text(_after(change)))
        table.add_row(*cells, Text(f"{because(body.cause)}: {why(body.reasons)}"))
    return table


def _when(now: datetime, text: str) -> str:
    """The time of today, else the day: the seconds of last week are nobody's concern."""
    at = moment(text)
    return f"{at:%H:%M:%S}" if (now - at).total_seconds() < 12 * 3600 else f"{at:%b %d %H:%M}"


def _arrow(board: Board, change: Change) -> Text:
    """`▲ warm → hot`, in the colour of where it goes."""
    before, after = change.body.from_tier, change.body.to_tier
    places = {tier: place for place, tier in enumerate(board.tiers)}
    mark = "▲" if places.get(after, 0) < places.get(before, 0) else "▼"
    return Text(f"{mark} {before} → {after}", style=_colour(board, after))


def _after(change: Change) -> str:
    """How long the viewer's broker and workers took."""
    return "" if change.after_ms is None else f"{change.after_ms} ms"
