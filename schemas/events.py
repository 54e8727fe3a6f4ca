"""What producers send: one strict contract per kind of event. Unknown members are ignored.

These models are the source: JSON Schema files are made of them, and what the fast decoder of `schemas.wire` refuses,
they judge and decide. Null is the same as missing. Lengths count code points; see `schemas.limits`.

>>> EVENTS["bounce"].model_fields["bounce_type"].annotation
typing.Literal['hard', 'soft', 'blocked']
"""

from __future__ import annotations

import typing
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    TypeAdapter,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from schemas.limits import (
    MAX_AGENT,
    MAX_DWELL_MS,
    MAX_EMAIL,
    MAX_FIELD_NAME,
    MAX_FIELD_TEXT,
    MAX_FIELDS,
    MAX_ID,
    MAX_INT,
    MAX_TEXT,
    MAX_TIME_TEXT,
    MAX_URL,
    MIN_INT,
)
from schemas.times import TimeWithoutZone, parse_iso

__all__ = ["EVENTS", "EVENT_ADAPTER", "Activity", "Event", "EventBase", "Id", "Lead", "Text", "Time"]


def _is_a_time(text: str) -> str:
    try:
        parse_iso(text)
    except TimeWithoutZone as error:
        raise PydanticCustomError("time_without_zone", "it does not say its zone; add Z or +01:00") from error
    except ValueError as error:
        raise PydanticCustomError("bad_time", "no such time; write it like 2026-03-02T10:15:00Z") from error
    return text


def _not_too_many(fields: object) -> object:
    """Counts before anything is looked at: a hundred thousand mistakes would take long to tell."""
    if isinstance(fields, dict) and len(fields) > MAX_FIELDS:
        raise PydanticKnownError(
            "too_long", {"field_type": "Dictionary", "max_length": MAX_FIELDS, "actual_length": len(fields)}
        )
    return fields


Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID)]
RequiredText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT)]
Agent = Annotated[str, StringConstraints(max_length=MAX_AGENT)]
RequiredUrl = Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL)]
Url = Annotated[str, StringConstraints(max_length=MAX_URL)]
Time = Annotated[
    str,
    StringConstraints(max_length=MAX_TIME_TEXT),
    AfterValidator(_is_a_time),
    Field(json_schema_extra={"format": "date-time"}),
]
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_FIELD_NAME)]
FieldText = Annotated[str, StringConstraints(max_length=MAX_FIELD_TEXT)]
FieldNumber = Annotated[int, Field(ge=MIN_INT, le=MAX_INT)]
Fields = Annotated[
    dict[FieldName, FieldText | FieldNumber | bool | None],
    Field(max_length=MAX_FIELDS),
    BeforeValidator(_not_too_many),
]

BounceType = Literal["hard", "soft", "blocked"]
Activity = Literal[
    "contacted", "proposal_sent", "meeting_booked", "meeting_held", "accepted", "discarded", "won", "lost"
]


class _Inbound(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Lead(_Inbound):
    """Who did it: at least one of the three. The strongest names the lead: `lead_id`, `email`, `anonymous_id`."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string"}}}
                for name in ("lead_id", "email", "anonymous_id")
            ]
        }
    )

    lead_id: Annotated[Id | None, Field(description="Your own id; not beginning with `a:` or `e:`")] = None
    email: Annotated[
        Annotated[str, StringConstraints(max_length=MAX_EMAIL)] | None,
        Field(description="Kept as a keyed hash of the trimmed lower-case address alone"),
    ] = None
    anonymous_id: Annotated[Id | None, Field(description="Of a visitor that has no name yet, such as a cookie")] = None


class EventBase(_Inbound):
    """What every event has."""

    event_id: Annotated[Id, Field(description="Unique; what is sent twice counts once")]
    kind: str
    occurred_at: Annotated[Time, Field(description="When it happened; RFC 3339 with a zone, milliseconds count")]
    lead: Lead
    source: Annotated[
        Annotated[str, StringConstraints(max_length=MAX_ID)] | None,
        Field(description="Who produced it: web, crm, mail …"),
    ] = None


class PageView(EventBase):
    """Somebody looked at a page."""

    kind: Literal["page_view"]
    url: RequiredUrl
    title: Text | None = None
    referrer: Url | None = None
    dwell_ms: Annotated[int, Field(ge=0, le=MAX_DWELL_MS)] | None = None
    user_agent: Agent | None = None
    session_id: Id | None = None


class Download(EventBase):
    """Somebody downloaded something."""

    kind: Literal["download"]
    asset: RequiredText
    url: Url | None = None


class EmailOpen(EventBase):
    """An e-mail was opened, by a person or by a machine that looks before them."""

    kind: Literal["email_open"]
    message_id: Id
    campaign_id: Id | None = None
    machine: bool | None = None
    user_agent: Agent | None = None


class _EmailActivity(EventBase):
    message_id: Id
    campaign_id: Id | None = None
    url: Url | None = None
    machine: bool | None = None
    in_reply_to: Id | None = None


class EmailSent(_EmailActivity):
    """An e-mail was sent to the lead."""

    kind: Literal["email_sent"]


class EmailClick(_EmailActivity):
    """A link in an e-mail was clicked."""

    kind: Literal["email_click"]


class EmailReply(_EmailActivity):
    """The lead replied."""

    kind: Literal["email_reply"]


class Unsubscribe(_EmailActivity):
    """The lead wants no more e-mails."""

    kind: Literal["unsubscribe"]


class Resubscribe(_EmailActivity):
    """The lead wants e-mails again."""

    kind: Literal["resubscribe"]


class SpamComplaint(_EmailActivity):
    """The lead called an e-mail spam."""

    kind: Literal["complaint"]


class FormFill(EventBase):
    """A form was filled in."""

    kind: Literal["form_fill"]
    form_id: Id
    form_type: Annotated[Text | None, Field(description="demo, meeting, rfp, contact, newsletter …")] = None
    fields: Annotated[Fields | None, Field(description="What was filled in")] = None


class Bounce(EventBase):
    """An e-mail came back."""

    kind: Literal["bounce"]
    message_id: Id
    bounce_type: BounceType
    reason: Text | None = None


class Profile(EventBase):
    """Who the lead is. The last writer by `occurred_at` wins, per field; null or blank text deletes a field."""

    kind: Literal["profile"]
    fields: Annotated[Fields, Field(description="title, seniority, department, industry, company, company_size …")]


class SalesActivity(EventBase):
    """What sales did."""

    kind: Literal["sales_activity"]
    activity: Activity
    by: Text | None = None
    reason: Text | None = None


Event = Annotated[
    PageView
    | Download
    | EmailOpen
    | EmailSent
    | EmailClick
    | EmailReply
    | Unsubscribe
    | Resubscribe
    | SpamComplaint
    | FormFill
    | Bounce
    | Profile
    | SalesActivity,
    Discriminator("kind"),
]

_KINDS: tuple[type[EventBase], ...] = typing.get_args(typing.get_args(Event)[0])

EVENTS: dict[str, type[EventBase]] = {typing.get_args(kind.model_fields["kind"].annotation)[0]: kind for kind in _KINDS}
"""The contract of each kind."""

EVENT_ADAPTER: TypeAdapter[EventBase] = TypeAdapter(Event)
"""Any event, told apart by `kind`."""
