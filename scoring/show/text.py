"""The page for a terminal: plain text, 120 columns at most."""

from __future__ import annotations

import textwrap

from scoring.show.document import Document, Table

__all__ = ["WIDTH", "as_text"]

WIDTH = 120
_GAP = "  "
_LEAST_WIDE = 30


def as_text(page: Document) -> str:
    """Aligned tables under underlined titles."""
    label = max(len(name) for name, _ in page.facts)
    lines = [page.title, "=" * len(page.title), ""]
    lines += [f"{name:<{label}}{_GAP}{value}" for name, value in page.facts]
    for table in page.tables:
        lines += ["", *_table(table)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _table(table: Table) -> list[str]:
    rows = [table.head, *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    others = sum(widths) - widths[table.wide] + len(_GAP) * (len(widths) - 1)
    widths[table.wide] = min(widths[table.wide], max(WIDTH - others, _LEAST_WIDE))
    lines = [table.title, "-" * len(table.title)]
    for row in rows:
        cells = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
        for number in range(max(len(cell) for cell in cells)):
            parts = (cell[number] if number < len(cell) else "" for cell in cells)
            lines.append(_GAP.join(f"{part:<{width}}" for part, width in zip(parts, widths, strict=True)))
    return lines
