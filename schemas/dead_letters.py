"""Dead letters: the record as it was (key, bytes, headers), and headers that say where it was and what is wrong.

A record may be many times larger than what a topic takes, where its producer packed it well. Beyond 4 MiB a letter has
the beginning of it alone, and says how large it was: one record must never stop the stream.

Place and error use Kafka Connect's header names, so that tools for Connect's dead letter queues work. All values are
UTF-8 text. Nothing in them is personal: the message names the field and the rule, never a personal value.

>>> headers = dead_letter_headers("page-views", 3, 17, 1772446500000, "bad_email", "lead.email is no address", [])
>>> DeadLetterHeaders.read(headers).reason
'bad_email'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import ContractError
from schemas.limits import MAX_INT, MAX_LETTER_BYTES
from schemas.reasons import ReasonName

__all__ = ["DeadLetterHeaders", "Header", "HeaderError", "dead_letter_headers", "original_headers", "shortened"]

Header = tuple[str, bytes]

_STAGE = "VALUE_CONVERTER"
_CLASS = "schemas.errors.Refused"
_EXECUTING = "schemas.wire.decode_event"
_LAST_PARTITION = 2**31 - 1
_KEPT_BYTES = 1024 * 1024

Whole = Annotated[int, Field(ge=0, le=MAX_INT, strict=False)]


class HeaderError(ContractError):
    """Headers that are not those of a dead letter."""


class DeadLetterHeaders(BaseModel):
    """What the headers of a dead letter say; other headers are the original record's."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=True)

    topic: Annotated[str, Field(alias="__connect.errors.topic", min_length=1, max_length=249)]
    partition: Annotated[int, Field(alias="__connect.errors.partition", ge=0, le=_LAST_PARTITION, strict=False)]
    offset: Annotated[Whole, Field(alias="__connect.errors.offset")]
    connector_name: Annotated[str, Field(alias="__connect.errors.connector.name")]
    task_id: Annotated[Whole, Field(alias="__connect.errors.task.id")]
    stage: Annotated[Literal["VALUE_CONVERTER"], Field(alias="__connect.errors.stage")]
    executing_class: Annotated[str, Field(alias="__connect.errors.class.name")]
    exception_class: Annotated[str, Field(alias="__connect.errors.exception.class.name")]
    exception_message: Annotated[str, Field(alias="__connect.errors.exception.message")]
    reason: Annotated[ReasonName, Field(alias="leadstream.reason")]
    timestamp_ms: Annotated[int, Field(alias="leadstream.timestamp", strict=False, ge=-1, le=MAX_INT)]
    whole_bytes: Annotated[
        Whole | None, Field(alias="leadstream.whole.bytes", description="How large it was, where the letter is cut")
    ] = None

    @classmethod
    def read(cls, headers: Iterable[Header]) -> DeadLetterHeaders:
        """What the headers of a record say; of a header that comes twice the last one counts.

        Raises:
            HeaderError: They are not those of a dead letter.
        """
        try:
            texts = {name: value.decode() for name, value in headers if is_added(name)}
            return cls.model_validate(texts)
        except UnicodeDecodeError as error:
            message = "a dead letter's header is not UTF-8; was this record written by leadstream?"
            raise HeaderError(message) from error
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            message = f"dead letter header {first['loc'][0]!s}: {first['msg']}; was this record written by leadstream?"
            raise HeaderError(message) from error


def dead_letter_headers(
    topic: str,
    partition: int,
    offset: int,
    timestamp_ms: int,
    reason: ReasonName,
    message: str,
    headers: Sequence[Header],
    worker: str = "leadstream-ingest",
) -> list[Header]:
    """Headers of a dead letter: the record's own ones first, then the reason and the place.

    Headers of an earlier dead letter (a replayed record that fails again) are replaced.

    Args:
        topic: Topic of the raw record.
        partition: Where in the topic.
        offset: Where in the partition.
        timestamp_ms: Broker time of the raw record; -1 where it has none.
        reason: Reason of `Refused`.
        message: Text of `Refused`.
        headers: Headers of the raw record.
        worker: App id of the stage that refused it.
    """
    return [
        *original_headers(headers),
        ("__connect.errors.topic", topic.encode()),
        ("__connect.errors.partition", b"%d" % partition),
        ("__connect.errors.offset", b"%d" % offset),
        ("__connect.errors.connector.name", worker.encode()),
        ("__connect.errors.task.id", b"0"),
        ("__connect.errors.stage", _STAGE.encode()),
        ("__connect.errors.class.name", _EXECUTING.encode()),
        ("__connect.errors.exception.class.name", _CLASS.encode()),
        ("__connect.errors.exception.message", message.encode()),
        ("leadstream.reason", reason.encode()),
        ("leadstream.timestamp", b"%d" % max(timestamp_ms, -1)),
    ]


def shortened(
    key: bytes | None, value: bytes | None, headers: Sequence[Header]
) -> tuple[bytes | None, bytes | None, Sequence[Header], list[Header]]:
    """Key, value and own headers as a dead letter keeps them; of what is cut also the header that says so.

    >>> key, value, headers, said = shortened(b"k", bytes(5_000_000), [("trace", b"1")])
    >>> len(value), headers, said
    (1048576, [], [('leadstream.whole.bytes', b'5000007')])
    """
    size = len(key or b"") + len(value or b"") + sum(len(name) + len(own or b"") for name, own in headers)
    if size <= MAX_LETTER_BYTES:
        return key, value, headers, []
    said = [("leadstream.whole.bytes", b"%d" % size)]
    return key and key[:_KEPT_BYTES], value and value[:_KEPT_BYTES], [], said


def original_headers(headers: Iterable[Header]) -> list[Header]:
    """The headers that the raw record came with, for sending it to its topic again."""
    return [header for header in headers if not is_added(header[0])]


_ADDED = frozenset(field.alias for field in DeadLetterHeaders.model_fields.values())


def is_added(name: str) -> bool:
    """Whether a header was added by a dead letter."""
    return name in _ADDED
