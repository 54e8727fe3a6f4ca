"""What the demo shows: the hot list with reasons and what changes next, and tier changes as they happen."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

__all__ = ["Board", "why"]

_COLOURS = {"hot": "bold red", "warm": "yellow", "cold": "blue"}
_PLAIN: dict[str, Any] = {
    "title_justify": "left",
    "expand": True,
    "pad_edge": False,
    "box": box.SIMPLE_HEAD,
    "show_edge": False,
}
_ARROWS = {True: "▲", False: "▼"}


class Board:
    """The current score of every lead and the latest tier changes, as they were read from their topics."""

    def __init__(self, best_first: list[str]) -> None:
        self.tiers = best_first
        self.leads: dict[str, dict[str, Any]] = {}
        self.changes: deque[dict[str, Any]] = deque(maxlen=200)
        self.seen: dict[str, int] = {}

    def score(self, record: dict[str, Any]) -> None:
        """Takes a record of `lead-scores`; an alias is told under its owner's name."""
        if "merged_into" in record:
            self.leads.pop(record["lead_id"], None)
        else:
            self.leads[record["lead_id"]] = record

    def change(self, record: dict[str, Any]) -> bool:
        """Takes a record of `tier-changes`; False if this transition is known already."""
        lead = record["lead_id"]
        if record["seq"] <= self.seen.get(lead, 0):
            return False
        self.seen[lead] = record["seq"]
        self.changes.appendleft(record)
        return True

    def sort(self) -> None:
        """Newest first: what was there before the board was comes by partition."""
        self.changes = deque(sorted(self.changes, key=lambda record: record["effective_at"], reverse=True), maxlen=200)

    def counts(self) -> dict[str, int]:
        """Leads by tier, best first."""
        counts = dict.fromkeys(self.tiers, 0)
        for record in self.leads.values():
            counts[record["tier"]] = counts.get(record["tier"], 0) + 1
        return counts

    def best(self, limit: int) -> list[dict[str, Any]]:
        """The leads of the best tier, highest total first."""
        top = [record for record in self.leads.values() if record["tier"] == self.tiers[0]]
        return sorted(top, key=lambda record: (-record["total"], record["tier_since"], record["lead_id"]))[:limit]

    def render(self, now: datetime, width: int, height: int, footer: list[str]) -> RenderableType:
        """Everything, for a terminal of this size."""
        told = sum(1 + Text.from_markup(line).cell_len // (width - 3) for line in footer)
        room = max(6, height - told - 11)
        upper = max(3, room * 6 // 10)
        counts = "   ".join(f"[{_COLOURS.get(tier, '')}]{tier} {count}[/]" for tier, count in self.counts().items())
        return Group(
            Text.from_markup(f" leadstream demo   {counts}   [dim]{now:%Y-%m-%d %H:%M:%S} UTC[/]"),
            self._hot_list(now, upper),
            self._feed(max(3, room - upper)),
            Panel(Text.from_markup("\n".join(footer)), title="try it", title_align="left", border_style="dim"),
        )

    def _hot_list(self, now: datetime, rows: int) -> Table:
        table = Table(title=f"{self.tiers[0]} leads", **_PLAIN)
        for title, options in (
            ("lead", {"no_wrap": True}),
            ("total", {"justify": "right"}),
            ("fit/eng/risk", {"no_wrap": True}),
            ("why", {"ratio": 3, "no_wrap": True, "overflow": "ellipsis"}),
            ("since", {"no_wrap": True}),
            ("changes next", {"no_wrap": True}),
        ):
            table.add_column(title, **options)
        best = self.best(rows)
        for record in best:
            table.add_row(
                name(record["lead_id"]),
                str(record["total"]),
                f"{record['fit']} {record['engagement']} {record['risk']}",
                why(record["reasons"]),
                ago(now, record["tier_since"]),
                "in " + span(moment(record["changes_next_at"]) - now) if record["changes_next_at"] else "-",
            )
        if not best:
            table.add_row("nobody yet", "", "", "", "", "")
        return table

    def _feed(self, rows: int) -> Table:
        table = Table(title="tier changes", **_PLAIN)
        for title, ratio in (("when", 0), ("lead", 0), ("change", 0), ("total", 0), ("because", 3)):
            table.add_column(title, ratio=ratio or None, no_wrap=True, overflow="ellipsis")
        for record in list(self.changes)[:rows]:
            table.add_row(
                f"{moment(record['effective_at']):%m-%d %H:%M:%S}",
                name(record["lead_id"]),
                Text.from_markup(self.arrow(record)),
                str(record["total"]),
                f"{because(record['cause'])}: {why(record['reasons'])}",
            )
        return table

    def arrow(self, record: dict[str, Any]) -> str:
        """`▲ warm → hot`, with the colour of where it goes."""
        before, after = record["from_tier"], record["to_tier"]
        places = {tier: place for place, tier in enumerate(self.tiers)}
        up = places.get(after, 0) < places.get(before, 0)
        return f"[{_COLOURS.get(after, 'default')}]{_ARROWS[up]} {before} → {after}[/]"

    def line(self, record: dict[str, Any]) -> str:
        """A tier change as one plain line."""
        lead = name(record["lead_id"])
        return (
            f"{record['effective_at'][:19]}Z  {lead:<12} {record['from_tier']} -> {record['to_tier']}"
            f"  total {record['total']}  ({because(record['cause'])}: {why(record['reasons'])})"
        )


def moment(text: str) -> datetime:
    """A time of a contract."""
    return datetime.fromisoformat(text)


def why(reasons: list[dict[str, Any]]) -> str:
    """Reasons in a few words, largest first."""
    return ", ".join(f"{reason['rule'].replace('_', ' ')} {reason['points']:+d}" for reason in reasons) or "nothing"


def because(cause: dict[str, Any]) -> str:
    """What brought a change about, in words."""
    if "kind" in cause:
        return str(cause["kind"]).replace("_", " ")
    if "deadline" in cause:
        return f"time ({str(cause['deadline']).replace('_', ' ')})"
    if "merged_from" in cause:
        return f"is {name(cause['merged_from'])}"
    if "merged_into" in cause:
        return f"is {name(cause['merged_into'])} now"
    return f"model {cause.get('model')}"


def name(lead_id: str) -> str:
    """A lead's name, short: the hash of an address says nothing to anybody."""
    return f"{lead_id[:8]}…" if lead_id.startswith("e:") else lead_id


def span(length: timedelta) -> str:
    """A length of time in its largest unit: `3 d`, `5 h`, `12 min`, `40 s`."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def ago(now: datetime, text: str) -> str:
    """How long ago a time of a contract was."""
    return span(now - moment(text)) + " ago"
