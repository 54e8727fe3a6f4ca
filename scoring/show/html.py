"""The page as one HTML file that needs nothing else, and that prints on one sheet."""

from __future__ import annotations

from html import escape

from scoring.show.document import Document, Table

__all__ = ["as_html"]

_STYLE = """\
:root { color-scheme: light dark; }
body { font: 14px/1.4 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; }
h2 { font-size: 1.05rem; margin: 1.2rem 0 .3rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; }
dt { font-weight: 600; }
dd { margin: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .15rem .6rem .15rem 0; border-bottom: 1px solid #8884; }
th { font-weight: 600; }
td:first-child { white-space: nowrap; font-weight: 600; }
@page { size: A4; margin: 9mm; }
@media print {
  body { font-size: 6.8pt; line-height: 1.18; margin: 0; max-width: none; padding: 0; }
  h1 { font-size: 12pt; margin: 0 0 2pt; }
  h2 { font-size: 8pt; margin: 4pt 0 1pt; break-after: avoid; }
  th, td { padding: .2pt 6pt .2pt 0; }
  tr { break-inside: avoid; }
}"""


def as_html(page: Document) -> str:
    """Everything from the file is escaped; there is no script."""
    title = escape(page.title)
    facts = "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in page.facts)
    tables = "\n".join(_table(table) for table in page.tables)
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{_STYLE}
</style>
</head>
<body>
<h1>{title}</h1>
<dl>
{facts}
</dl>
{tables}
</body>
</html>
"""


def _table(table: Table) -> str:
    head = _row(table.head, "th")
    rows = "\n".join(_row(row, "td") for row in table.rows)
    return f"<h2>{escape(table.title)}</h2>\n<table>\n<thead>\n{head}\n</thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _row(cells: tuple[str, ...], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
