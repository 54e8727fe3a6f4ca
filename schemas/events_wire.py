"""Inbound events as the hot path decodes them: the same fields and bounds as in `schemas.events`, as msgspec has them.

Each knows how to become its row of the log.
"""

from __future__ import annotations

import typing
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from schemas import log
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
    MAX_URL,
    MIN_INT,
)

__all__ = ["WIRE_EVENTS", "AnyWireEvent", "Lead", "WireEvent"]

Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
RequiredText = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Agent = Annotated[str, Meta(max_length=MAX_AGENT)]
RequiredUrl = Annotated[str, Meta(min_length=1, max_length=MAX_URL)]
Url = Annotated[str, Meta(max_length=MAX_URL)]
FieldName = Annotated[str, Meta(min_length=1, max_length=MAX_FIELD_NAME)]
FieldText = Annotated[str, Meta(max_length=MAX_FIELD_TEXT)]
FieldNumber = Annotated[int, Meta(ge=MIN_INT, le=MAX_INT)]
Fields = Annotated[dict[FieldName, FieldText | FieldNumber | bool | None], Meta(max_length=MAX_FIELDS)]


class Lead(msgspec.Struct, gc=False):
    """Who did it; see `schemas.events.Lead`."""

    lead_id: Id | None = None
    email: Annotated[str, Meta(max_length=MAX_EMAIL)] | None = None
    anonymous_id: Id | None = None


class WireEvent(msgspec.Struct, tag_field="kind", gc=False):
    """An event as it is on the wire; see `schemas.events.EventBase`."""

    event_id: Id
    occurred_at: str
    lead: Lead
    source: Annotated[str, Meta(max_length=MAX_ID)] | None = None

    def row(self, lead_id: str, received_ms: int, occurred_ms: int) -> log.EventRow:
        """The row of the log."""
        raise NotImplementedError


class PageView(WireEvent, tag="page_view", kw_only=True, gc=False):
    url: RequiredUrl
    title: Text | None = None
    referrer: Url | None = None
    dwell_ms: Annotated[int, Meta(ge=0, le=MAX_DWELL_MS)] | None = None
    user_agent: Agent | None = None
    session_id: Id | None = None

    def row(self, lead_id: str, received_ms: int, occurred_ms: int) -> log.EventRow:
        return log.PageView(
            lead_id,
            received_ms,
            occurred_ms,
            self.event_id,
            self.source or "",
            self.url,
            self.title,
            self.referrer,
            self.dwell_ms,
            self.user_agent,
            self.session_id,
        )


class Download(WireEvent, tag="download", kw_only=True, gc=False):
    asset: RequiredText
    url: Url | None = None

    def row(self, lead_id: str, received_ms: int, occurred_ms: int) -> log.EventRow:
        return log.Download(lead_id, received_ms, occurred_ms, self.event_id, self.source or "", self.asset, self.url)


class EmailOpen(WireEvent, tag="email_open", kw_only=True, gc=False):
    message_id: Id
    campaign_id: Id | None = None
    machine: bool | None = None
    user_agent: Agent | None = None

    def row(self, lead_id: str, received_ms: int, occurred_ms: int) -> log.EventRow:
        return log.EmailOpen(
            lead_id,
            received_ms,
            occurred_ms,
            self.event_id,
            self.source or "",
            self.message_id,
            self.campaign_id,
            self.machine or False,
            self.user_agent,
        )


class _EmailActivity(WireEvent, kw_only=True, gc=False):
    message_id: Id
    campaign_id: Id | None = None
    url: Url | None = None
    machine: bool | None = None
    in_reply_to: Id | None = None

    def row(self, lead_id: str, received_ms: int, occurred_ms: int) -> log.EventRow:
        row_type: Any = _ACTIVITY_ROWS[type(self)]
        row: log.EventRow = row_type(
            lead_id,
            received_ms,
            occurred_ms,
            self.event_id,
            self.source or "",
            self.message_id,
            self.campaign_id,
            self.url,
            self.machine or False,
            self.in_reply_to,
        )
        return row


class EmailSent(_EmailActivity, tag="email_sent", gc=False):
    pass


class EmailClick(_EmailActivity, tag="email_click", gc=False):
    pass


class EmailReply(_EmailActivity, tag="email_reply", gc=False):
    pass


class Unsubscribe(_EmailActivity, tag="unsubscribe", gc=False):
    pass


class Resubscribe(_EmailActivity, tag="resubscribe", gc=False):
    pass


class SpamComplaint(_EmailActivity, tag="complaint", gc=False):
    pass


_ACTIVITY_ROWS: dict[type[WireEvent], type[log.EventRow]] = {
    EmailSent: log.EmailSent,
    EmailClick: log.EmailClick,
    EmailReply: log.EmailReply,
    Unsubscribe: log.Unsubscribe,
    Resubscribe: log.Resubscribe,
    SpamComplaint: log.SpamComplaint,
}


class FormFill(WireEvent, tag="form_fill", kw_only=True, gc=False):
    form_id: Id
    form_type: Text | None = None
    fields: Fields | None = None

    def row(self, lead_id: str, received_ms: int, occurred_ms: int) -> log.EventRow:
        return log.FormFill(
            lead_id,
            received_ms,
            occurred_ms,
            self.event_id,
            self.source or "",
            self.form_id,
            self.form_type,
            self.fields or {},
        )


class Bounce(WireEvent, tag="bounce", kw_only=True, gc=False):
    message_id: Id
    bounce_type: Literal["hard", "soft", "blocked"]
    reason: Text | None = None

    def row(self, lead_id: str, received_ms: int, occurred_ms: int) -> log.EventRow:
        return log.Bounce(
            lead_id,
            received_ms,
            occurred_ms,
            self.event_id,
            self.source or "",
            self.message_id,
            self.bounce_type,
            self.reason,
        )


class Profile(WireEvent, tag="profile", kw_only=True, gc=False):
    fields: Fields

    def row(self, lead_id: str, received_ms: int, occurred_ms: int) -> log.EventRow:
        return log.Profile(lead_id, received_ms, occurred_ms, self.event_id, self.source or "", self.fields)


class SalesActivity(WireEvent, tag="sales_activity", kw_only=True, gc=False):
    activity: Literal[
        "contacted", "proposal_sent", "meeting_booked", "meeting_held", "accepted", "discarded", "won", "lost"
    ]
    by: Text | None = None
    reason: Text | None = None

    def row(self, lead_id: str, received_ms: int, occurred_ms: int) -> log.EventRow:
        return log.SalesActivity(
            lead_id,
            received_ms,
            occurred_ms,
            self.event_id,
            self.source or "",
            self.activity,
            self.by,
            self.reason,
        )


AnyWireEvent = (
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
    | SalesActivity
)

WIRE_EVENTS: dict[str, type[WireEvent]] = {
    str(struct.__struct_config__.tag): struct for struct in typing.get_args(AnyWireEvent)
}
"""The struct of each kind."""
