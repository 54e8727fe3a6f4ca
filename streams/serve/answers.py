"""How answers look: JSON with its freshness, problem details (RFC 9457), and cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from streams.view.reader import Fresh, Lead

__all__ = ["CSV_COLUMNS", "fresh_headers", "json_answer", "leads_csv", "problem"]

_encode = msgspec.json.Encoder().encode

CSV_COLUMNS = (
    "lead_id",
    "tier",
    "total",
    "fit",
    "engagement",
    "risk",
    "tier_since",
    "reasons",
    "owner",
    "team",
    "due_at",
    "clock",
    "as_of",
)

_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


def fresh_headers(fresh: Fresh) -> dict[str, str]:
    """The freshness of answers that are not JSON."""
    return {"Leadstream-As-Of": fresh.as_of or "", "Leadstream-Stale": fresh.stale or ""}


def json_answer(fresh: Fresh, members: dict[str, Any]) -> Response:
    """An answer with its freshness."""
    body = _encode({"as_of": fresh.as_of, "stale": fresh.stale, **members})
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def problem(status: int, detail: str, instance: str, fresh: Fresh, headers: dict[str, str] | None = None) -> Response:
    """Problem details."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
        "as_of": fresh.as_of,
        "stale": fresh.stale,
    }
    more = {"Cache-Control": "no-store", **(headers or {})}
    return Response(_encode(body), status, media_type="application/problem+json", headers=more)


def leads_csv(fresh: Fresh, leads: Iterable[Lead]) -> str:
    """A table of leads, with a line of names."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for lead in leads:
        score = {} if lead.score is None else msgspec.json.decode(lead.score)
        has = {} if lead.assignment is None else msgspec.json.decode(lead.assignment)
        sla = has.get("sla") or {}
        reasons = "; ".join(f"{reason['rule']} {reason['points']}" for reason in score.get("reasons", ()))
        numbers = [score.get(name) for name in ("total", "fit", "engagement", "risk")]
        cells = [lead.lead_id, score.get("tier"), *numbers, score.get("tier_since"), reasons]
        cells += [has.get("owner"), has.get("team"), sla.get("due_at"), sla.get("state"), fresh.as_of]
        writer.writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def _cell(value: object) -> object:
    """What begins like a formula is quoted: ids and names come from whoever sends events."""
    if isinstance(value, str) and value.startswith(_RUN_BY_SPREADSHEETS):
        return "'" + value
    return value
