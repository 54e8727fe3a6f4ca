"""Bounds of what is taken in: sizes, lengths, depths, ages. A value beyond one of them is refused, never cut.

Text lengths count Unicode code points, sizes count bytes. All ends are included: what is equal to a bound is taken.
"""

from __future__ import annotations

__all__ = [
    "MAX_AGENT",
    "MAX_AGE_MS",
    "MAX_AHEAD_MS",
    "MAX_DEPTH",
    "MAX_DIGITS",
    "MAX_DWELL_MS",
    "MAX_EMAIL",
    "MAX_EVENT_BYTES",
    "MAX_FIELDS",
    "MAX_FIELD_NAME",
    "MAX_FIELD_TEXT",
    "MAX_ID",
    "MAX_INT",
    "MAX_INTERNAL_BYTES",
    "MAX_LETTER_BYTES",
    "MAX_LINE_BYTES",
    "MAX_MODEL_BYTES",
    "MAX_NAME",
    "MAX_TEXT",
    "MAX_TIME_MS",
    "MAX_TIME_TEXT",
    "MAX_URL",
    "MIN_INT",
]

MAX_EVENT_BYTES = 256 * 1024
"""The whole value of a raw record, unknown members included."""

MAX_LINE_BYTES = 512 * 1024
"""A line of a file: an event, or a row of the log as text (a model's file among it)."""

MAX_MODEL_BYTES = 256 * 1024
"""A model's file; `scoring` refuses a larger one too."""

MAX_INTERNAL_BYTES = 900_000
"""The value of a record of `lead-internal`; a Kafka broker takes a batch of 1 MiB by default."""

MAX_LETTER_BYTES = 4 * 1024 * 1024
"""Key, value and headers of a record that a dead letter keeps whole; `dead-letters` takes 8 MiB."""

MAX_DEPTH = 256
"""Objects and arrays inside one another, unknown members included."""

MAX_ID = 200
"""`event_id`, `lead_id`, `anonymous_id`, `message_id`, `session_id` and the like; at least 1."""

MAX_NAME = 64
"""Names of models, rules, tiers."""

MAX_EMAIL = 320
"""64 for the local part, `@`, 255 for the domain, as RFC 3696 counts them."""

MAX_TEXT = 1_000
"""Titles, reasons, assets and other short text."""

MAX_AGENT = 1_000
"""`user_agent`."""

MAX_URL = 8_192
"""`url`, `referrer`."""

MAX_FIELDS = 100
"""Members of `fields` of a form or a profile."""

MAX_FIELD_NAME = 100
"""A name in `fields`; at least 1."""

MAX_FIELD_TEXT = 4_000
"""A text in `fields`."""

MIN_INT = -(2**63)
MAX_INT = 2**63 - 1
"""Whole numbers fit into 64 bits with a sign."""

MAX_DIGITS = 4_000
"""Of one number as text; longer ones are not even read."""

MAX_DWELL_MS = 400 * 86_400_000
"""`dwell_ms`: from 0 to 400 days."""

MAX_TIME_TEXT = 64
"""A time as text."""

MAX_AGE_MS = 400 * 86_400_000
"""`occurred_at` may lie this far before the broker's time of the record."""

MAX_AHEAD_MS = 600_000
"""`occurred_at` may lie this far ahead of the broker's time of the record."""

MAX_TIME_MS = 253_402_300_799_999
"""The last millisecond of the year 9999; times count from 1970."""
