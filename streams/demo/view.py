"""The board in a terminal: the hot list with owners, clocks and reasons, and what happens to leads and clocks."""

from __future__ import annotations

from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.outputs_wire import TierChangeOut
from schemas.routing_wire import SlaEventOut
from streams.demo.board import Board, Hot, News
from streams.demo.clock_words import left_until, owner_of, sla_detail, sla_words
from streams.demo.words import ago, because, lead_name, moment, outlook_words, who, why

__all__ = ["board_view"]

_COLOURS = ("bold red", "yellow", "blue")
_SLA_COLOURS = {"breached": "bold white on red", "escalated": "red", "reminded": "yellow", "answered": "green"}
_WIDE, _WIDER, _WIDEST = 100, 120, 150
_MAX_LEAD = 24
_MAX_OWNER = 16
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
        _news(board, now, width, changes),
    )


def _colour(board: Board, tier: str) -> str:
    return _COLOURS[min(board.tiers.index(tier), len(_COLOURS) - 1)] if tier in board.tiers else ""


def _headline(board: Board, now: datetime, width: int) -> Text:
    line = Text(" leadstream  ", style="bold", no_wrap=True, overflow="crop")
    for tier, count in board.counts().items():
        line.append(f" {tier} {count} ", style=_colour(board, tier))
    if overdue := board.overdue(int(now.timestamp() * 1000)):
        line.append(f" overdue {overdue} ", style="bold white on red")
    at = f"{now:%Y-%m-%d %H:%M:%S} UTC" if width >= _WIDE else f"{now:%H:%M:%S}"
    line.append(f"  {board.event_count:,} events  {at}", style="dim")
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
    table.add_column("owner", no_wrap=True, max_width=_MAX_OWNER, overflow="ellipsis")
    table.add_column("time left", justify="right", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    if widest:
        table.add_column("fit eng risk", no_wrap=True)
        table.add_column("who", no_wrap=True)
    table.add_column("why", ratio=1, no_wrap=True, overflow="ellipsis")
    if wide:
        table.add_column("since", no_wrap=True, justify="right")
        table.add_column("if nothing happens", no_wrap=True)
    best = board.best(rows)
    for hot in best:
        score = hot.score
        cells = [Text(" " + lead_name(score.lead_id)), Text(owner_of(hot.has)), _clock(hot, now)]
        cells.append(Text(str(score.total)))
        if widest:
            cells += [Text(f"{score.fit:>3} {score.engagement:>3} {score.risk:>4}"), Text(who(score.profile))]
        cells.append(Text(why(score.reasons)))
        if wide:
            outlook = outlook_words(now, board.outlook(score), short=not widest)
            cells += [Text(ago(now, score.tier_since)), Text(outlook)]
        # As texts: what events and models say is no markup.
        table.add_row(*cells)
    if not best:
        table.add_row(" nobody yet")
    return table


def _clock(hot: Hot, now: datetime) -> Text:
    """How much time is left, in the colour of its urgency; else why no clock runs."""
    if hot.due_ms is not None:
        left, style = left_until(hot.due_ms, int(now.timestamp() * 1000))
        return Text(left, style=style)
    sla = None if hot.has is None else hot.has.sla
    return Text("" if sla is None else sla.state, style="dim")


def _news(board: Board, now: datetime, width: int, rows: int) -> Table:
    wide, live = width >= _WIDE, width >= _WIDE and board.live_news > 0
    table = _table()
    table.add_column(" what happened", no_wrap=True)
    table.add_column("lead", no_wrap=True, style="bold", max_width=_MAX_LEAD, overflow="ellipsis")
    table.add_column("", no_wrap=True)
    if wide:
        table.add_column("total", justify="right", no_wrap=True)
    if live:
        table.add_column("told after", justify="right", no_wrap=True)
    table.add_column("because", ratio=1, no_wrap=True, overflow="ellipsis")
    for news in list(board.news)[:rows]:
        body = news.body
        what, total, detail = _of_clock(body) if isinstance(body, SlaEventOut) else _of_tier(board, body)
        cells = [Text(f" {_when(now, body.effective_at)}"), Text(lead_name(body.lead_id)), what]
        if wide:
            cells.append(Text(total))
        if live:
            cells.append(Text(_after(news)))
        table.add_row(*cells, Text(detail))
    return table


def _of_clock(event: SlaEventOut) -> tuple[Text, str, str]:
    return Text(sla_words(event), style=_SLA_COLOURS.get(event.what, "")), "", sla_detail(event)


def _of_tier(board: Board, change: TierChangeOut) -> tuple[Text, str, str]:
    """`▲ warm → hot`, in the colour of where it goes."""
    before, after = change.from_tier, change.to_tier
    places = {tier: place for place, tier in enumerate(board.tiers)}
    mark = "▲" if places.get(after, 0) < places.get(before, 0) else "▼"
    detail = f"{because(change.cause)}: {why(change.reasons)}"
    return Text(f"{mark} {before} → {after}", style=_colour(board, after)), str(change.total), detail


def _when(now: datetime, text: str) -> str:
    """The time of today, else the day: the seconds of last week are nobody's concern."""
    at = moment(text)
    return f"{at:%H:%M:%S}" if (now - at).total_seconds() < 12 * 3600 else f"{at:%b %d %H:%M}"


def _after(news: News) -> str:
    """How long the viewer's broker and workers took."""
    return "" if news.after_ms is None else f"{news.after_ms} ms"
