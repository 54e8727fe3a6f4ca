"""The page as Markdown."""

from __future__ import annotations

import re

from scoring.show.document import Document, Table

__all__ = ["as_markdown"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def as_markdown(page: Document) -> str:
    """Headings and pipe tables; nothing from the file is taken for markup."""
    lines = [f"# {_escaped(page.title)}", ""]
    lines += [f"- **{name}:** {_escaped(value)}" for name, value in page.facts]
    for table in page.tables:
        lines += ["", f"## {_escaped(table.title)}", "", *_table(table)]
    return "\n".join(lines) + "\n"


def _table(table: Table) -> list[str]:
    return [_row(table.head), _row(("---",) * len(table.head), escape=False), *(_row(row) for row in table.rows)]


def _row(cells: tuple[str, ...], *, escape: bool = True) -> str:
    return "| " + " | ".join(_escaped(cell) if escape else cell for cell in cells) + " |"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
