"""The operations of the API under /v1."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

import redis.asyncio
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.security import APIKeyHeader
from pydantic import StringConstraints
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from schemas.limits import MAX_ID
from scoring.language.problems import suggestion
from streams.serve.answers import fresh_headers, json_answer, leads_csv
from streams.serve.documents import LeadAnswer, OwnersAnswer, PageAnswer, ReportAnswer, answer, problems
from streams.serve.events import server_sent
from streams.view.keys import NOBODY, Keys
from streams.view.reader import Lead, ReadModel

__all__ = ["MAX_LISTENERS", "Shared", "digest", "operations"]

MAX_PAGE = 500
MAX_CSV = 100_000
MAX_LISTENERS = 100


@dataclass(slots=True)
class Shared:
    """What the operations share.

    Attributes:
        model: The read model.
        listening: Connections to Redis that wait for events.
        keys: Names of the keys.
        api_key: Digest of the key that is asked for; None: none is.
        listeners: How many listen to events.
    """

    model: ReadModel
    listening: redis.asyncio.Redis
    keys: Keys
    api_key: bytes | None
    listeners: list[int] = field(default_factory=lambda: [0])


class Order(StrEnum):
    """`due`: whose clock runs or is breached, the earliest due time first; `total`: the highest total first."""

    due = "due"
    total = "total"


TierName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
OwnerName = Annotated[str, StringConstraints(pattern=r"^(-|[a-z][a-z0-9_]{0,63})$")]

Tier = Annotated[TierName | None, Query(description="Of these leads alone; while a clock runs, of the clock's tier")]
Owner = Annotated[OwnerName | None, Query(description="Of these leads alone; `-`: of those that wait for somebody")]
Cursor = Annotated[str | None, Query(max_length=1_000, description="`next` of the part before")]
LeadId = Annotated[str, Path(min_length=1, max_length=MAX_ID + 2)]
LastEventId = Annotated[str | None, Header(max_length=100, description="`id` of the last event that was seen")]
Given = Annotated[
    str | None, Depends(APIKeyHeader(name="X-API-Key", auto_error=False, description="LEADSTREAM_API_KEY"))
]


def digest(key: str) -> bytes:
    """Of one length, so that comparing says nothing about the key."""
    return hashlib.sha256(key.encode()).digest()


def shared(request: Request) -> Shared:
    """What the operations share."""
    found: Shared = request.app.state.shared
    return found


async def allowed(request: Request, given: Given) -> None:
    """Lets through who has the key; compared in constant time."""
    wanted = shared(request).api_key
    if wanted is not None and not hmac.compare_digest(digest(given or ""), wanted):
        raise HTTPException(401, "send the key of LEADSTREAM_API_KEY as X-API-Key", {"WWW-Authenticate": "ApiKey"})


async def known(request: Request) -> None:
    """Lets through what the operation knows: a misspelt filter would be a list of everything."""
    names = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in names:
            raise HTTPException(422, f"query {name}: {suggestion(name, names, _it_takes(names))}")


def _it_takes(names: list[str]) -> str:
    return f"there is none; there are {', '.join(names)}" if names else "this takes none"


operations = APIRouter(prefix="/v1", dependencies=[Depends(allowed), Depends(known)])


def _text(kind: str, description: str) -> Mapping[int | str, dict[str, Any]]:
    return {200: {"description": description, "content": {kind: {"schema": {"type": "string"}}}}}


@operations.get(
    "/leads.csv",
    summary="The list as a table",
    responses={**_text("text/csv", "CSV, UTF-8"), **problems(422)},
    tags=["leads"],
)
async def csv_of_leads(
    request: Request,
    tier: Tier = None,
    owner: Owner = None,
    order: Order = Order.due,
    limit: Annotated[int, Query(ge=1, le=MAX_CSV)] = MAX_CSV,
) -> Response:
    """The list as a table. Cells that a spreadsheet would run begin with an apostrophe."""
    rows: dict[str, Lead] = {}
    first, cursor = None, None
    while len(rows) < limit:
        size = min(MAX_PAGE, limit - len(rows))
        fresh, page = await shared(request).model.page(order.value, tier or "", _owner(owner), size, cursor)
        first, cursor = first or fresh, page.cursor
        # A lead that moves meanwhile may come twice; it stands where it was found first.
        rows |= {lead.lead_id: lead for lead in page.leads}
        if cursor is None:
            break
    assert first is not None  # a limit is one at least
    return Response(leads_csv(first, rows.values()), media_type="text/csv", headers=fresh_headers(first))


@operations.get("/leads", summary="Leads by due time or by total", responses=answer(PageAnswer, 422), tags=["leads"])
async def leads(
    request: Request,
    tier: Tier = None,
    owner: Owner = None,
    order: Order = Order.due,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Cursor = None,
) -> Response:
    """Leads by due time or by total, a part at a time."""
    fresh, page = await shared(request).model.page(order.value, tier or "", _owner(owner), limit, cursor)
    return json_answer(fresh, {"count": page.length, "leads": page.leads, "next": page.cursor})


@operations.get("/leads/{lead_id:path}", summary="One lead", responses=answer(LeadAnswer, 404, 422), tags=["leads"])
async def lead(request: Request, lead_id: LeadId) -> Response:
    """One lead: scores with their reasons, owner and clock. An alias says which lead it is."""
    fresh, found = await shared(request).model.lead(lead_id)
    if found is None:
        raise HTTPException(404, f"nobody heard of lead {lead_id!r} yet")
    return json_answer(fresh, {"lead": found})


@operations.get("/owners", summary="Who has how many leads", responses=answer(OwnersAnswer, 422), tags=["owners"])
async def owners(request: Request) -> Response:
    """Who has how many leads, how many clocks run, and when the next one is due."""
    fresh, found = await shared(request).model.owners()
    return json_answer(fresh, {"owners": found})


@operations.get("/report", summary="What became of leads", responses=answer(ReportAnswer, 422), tags=["report"])
async def report(request: Request) -> Response:
    """What became of leads that entered a tier, over 28 rolling days: by tier, team and model version.

    An entry is a tier change into the tier; it *reached a meeting* with `meeting_booked` or `meeting_held`, it was
    *discarded* with `discarded`, and *answered* with the first of contacted, meeting_booked, meeting_held, accepted,
    discarded; the latency is the plain time from the entry to that. An activity belongs to the lead's latest entry into
    each tier. Shares are of all entries. The team is that of the entry's first assignment. Goals are for hot leads.
    """
    fresh, found = await shared(request).model.report()
    return json_answer(fresh, {"report": found})


_SSE = _text("text/event-stream", "Server-sent events")


@operations.get(
    "/events", summary="Tier changes and SLA events as they come", responses={**_SSE, **problems(422)}, tags=["events"]
)
async def events(request: Request, last_event_id: LastEventId = None) -> Response:
    """Tier changes (`tier_change`) and SLA events (`sla_event`) as they come, behind Last-Event-ID if it is given.

    `state` says how fresh they are, at first and whenever that changes; `reset` that some may be missing before it:
    look at the lists again.
    """
    here = shared(request)
    if here.listeners[0] >= MAX_LISTENERS:
        raise HTTPException(503, f"{MAX_LISTENERS} others listen already; come back later", {"Retry-After": "30"})
    await here.model.ask()
    stream = server_sent(here.model, here.listening, here.keys, last_event_id, here.listeners)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _owner(given: str | None) -> str | None:
    """The owner as the read model takes it: empty for all, None for nobody."""
    return None if given == NOBODY else given or ""
