"""Why an input is refused: a closed list. A reason is the metric's label, the header of the dead letter, and the docs.

>>> REASONS["bad_email"].meaning
'`lead.email` is no address.'
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

__all__ = ["REASONS", "ReasonName", "RefusalReason"]

ReasonName = Literal[
    "null_value",
    "empty_body",
    "too_large",
    "byte_order_mark",
    "bad_utf8",
    "bad_json",
    "too_deep",
    "not_finite",
    "not_an_object",
    "duplicate_key",
    "nul_character",
    "lone_surrogate",
    "missing_field",
    "unknown_field",
    "unknown_kind",
    "unknown_value",
    "wrong_type",
    "fractional_number",
    "number_out_of_range",
    "empty_text",
    "too_long",
    "too_many_fields",
    "no_lead_name",
    "reserved_lead_id",
    "bad_email",
    "bad_time",
    "time_without_zone",
    "time_too_old",
    "time_ahead",
    "bad_broker_time",
    "bad_received_at",
    "digest_mismatch",
    "bad_model",
    "bad_merge",
    "bad_policy",
]


class RefusalReason(NamedTuple):
    """One line of the table of reasons."""

    name: ReasonName
    meaning: str
    remedy: str


_TABLE = (
    RefusalReason(
        "null_value",
        "The record has no value (a tombstone).",
        "Raw topics are not compacted: send an event, or nothing.",
    ),
    RefusalReason("empty_body", "The value is empty or blank.", "Send one JSON object per record."),
    RefusalReason("too_large", "The value is larger than 256 KiB.", "Send the event without its attachments."),
    RefusalReason("byte_order_mark", "The value begins with a byte order mark.", "Write UTF-8 without a BOM."),
    RefusalReason("bad_utf8", "The value is not UTF-8.", "Encode the JSON as UTF-8, not compressed, no other format."),
    RefusalReason(
        "bad_json", "The value is not JSON.", "Look at the bytes with `leadstream dlq show`; mend the producer."
    ),
    RefusalReason("too_deep", "Objects or arrays lie more than 256 deep.", "Send a flat event."),
    RefusalReason("not_finite", "A number is NaN or infinite.", "Leave the field out where there is no number."),
    RefusalReason("not_an_object", "The JSON is an array, a text, a number or null.", "One object per record."),
    RefusalReason("duplicate_key", "A line of a file has a key twice in one object.", "Write each key once."),
    RefusalReason("nul_character", "A text contains U+0000.", "Take it out before sending."),
    RefusalReason("lone_surrogate", "A text contains half a surrogate pair.", "Cut text between characters only."),
    RefusalReason("missing_field", "A required field is missing or null.", "Send every required field of the kind."),
    RefusalReason(
        "unknown_field", "An internal message has a field that it should not have.", "Upgrade the older side."
    ),
    RefusalReason("unknown_kind", "`kind` or `type` is none of the known ones.", "See the list of kinds; spell it so."),
    RefusalReason(
        "unknown_value",
        "A field with a closed list of values has another one.",
        "See the list in the event's JSON Schema.",
    ),
    RefusalReason(
        "wrong_type", "A field has another JSON type.", 'No `true` or `"5"` for a number, no objects as text.'
    ),
    RefusalReason("fractional_number", "A number has a fraction or an exponent.", "Whole numbers only; or send text."),
    RefusalReason("number_out_of_range", "A number is beyond its bounds or 64 bits.", "See the bounds in the schema."),
    RefusalReason("empty_text", "An id or a name is empty.", "Leave an optional field out instead."),
    RefusalReason("too_long", "A text is longer than its bound.", "See the bounds in the schema."),
    RefusalReason("too_many_fields", "`fields` has more than 100 members.", "Send what scoring can use."),
    RefusalReason(
        "no_lead_name",
        "None of `lead_id`, `email` and `anonymous_id` is there.",
        "Send at least one of the three in `lead`.",
    ),
    RefusalReason(
        "reserved_lead_id",
        "`lead.lead_id` begins with `a:` or `e:`.",
        "These name unknown visitors and addresses; use `anonymous_id` or `email`, or other ids.",
    ),
    RefusalReason(
        "bad_email", "`lead.email` is no address.", "One `@` with text before and behind it, no blanks inside."
    ),
    RefusalReason("bad_time", "A time is not RFC 3339, or there is no such time.", "Write 2026-03-02T10:15:00Z."),
    RefusalReason("time_without_zone", "A time does not say its zone.", "Add `Z` or an offset such as `+01:00`."),
    RefusalReason(
        "time_too_old",
        "`occurred_at` is more than 400 days before the time of the record.",
        "Send past events in history mode (`--history`), stamped as they were.",
    ),
    RefusalReason(
        "time_ahead",
        "`occurred_at` is more than 10 minutes ahead of the time of the record.",
        "Set the producer's clock.",
    ),
    RefusalReason(
        "bad_broker_time",
        "The record has no time, or one beyond the years 1970 to 9999.",
        "Check the topic's `message.timestamp.type` with `leadstream topics check`.",
    ),
    RefusalReason(
        "bad_received_at", "`received_at` of a line is no time.", "Write it like `occurred_at`, or leave it out."
    ),
    RefusalReason("digest_mismatch", "`sha256` of a model or policy is not that of its `body`.", "Publish it anew."),
    RefusalReason("bad_model", "A model has errors, or another name or version.", "`leadstream model check` it."),
    RefusalReason(
        "bad_merge",
        "What comes from an alias cannot be read, or does not go from a weaker name to a stronger one.",
        "Only score workers write merges; upgrade the older side.",
    ),
    RefusalReason("bad_policy", "A policy has errors, or another name or version.", "`leadstream policy check` it."),
)

REASONS: dict[str, RefusalReason] = {reason.name: reason for reason in _TABLE}
"""Every reason by name."""

if tuple(REASONS) != get_args(ReasonName):
    _message = "schemas.reasons: the names and the table do not agree"
    raise AssertionError(_message)
