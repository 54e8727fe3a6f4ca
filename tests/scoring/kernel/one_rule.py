"""A model with one rule, and what it gives at a moment."""

from __future__ import annotations

from schemas.log import LogRow
from schemas.times import parse_iso
from tests.scoring.kernel.logs import T0, Told, tell

SIGNALS = """
  a: {on: page_view, where: {path: /a}}
  b: {on: page_view, where: {path: /b}}
  c: {on: page_view, where: {path: /c}}
  ab: {on: page_view, where: {path: [/a, /b]}}
  visit: {on: page_view, distinct: session_id}
  open: {on: email_open, where: {machine: false}, distinct: message_id}
  form: {on: form_fill}
"""


def one_rule(rule: str, signals: str = SIGNALS) -> str:
    """The text of a model in which `r` is the only rule."""
    return f"model: test\nversion: 1\nsignals:{signals}\nrules: {{engagement: {{r: {rule}}}}}\ntiers: {{cold: {{}}}}\n"


def gives(rule: str, *rows: LogRow, at: int | None = None) -> tuple[int, int] | None:
    """(points, since from T0) of the rule at a moment, or None."""
    return given(tell(one_rule(rule), *rows, until=at))


def given(told: Told) -> tuple[int, int] | None:
    """(points, since from T0) of the rule, or None."""
    reason = told.reason()
    return None if reason is None else (reason.points, parse_iso(reason.since) - T0)


def changes_next(rule: str, *rows: LogRow, at: int | None = None) -> int | None:
    """When time alone changes it next, from T0."""
    score = tell(one_rule(rule), *rows, until=at).scores.get("lead-1")
    return None if score is None or score.changes_next_at is None else parse_iso(score.changes_next_at) - T0
