"""What a writer sends, and what it says of what the broker refuses."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from aiokafka.errors import MessageSizeTooLargeError, ProducerFenced
from aiokafka.producer.message_accumulator import BatchBuilder

from streams.engine.errors import FailStop
from streams.engine.writer import build_batches, writing


def test_records_are_packed_in_order_into_as_few_batches_as_fit() -> None:
    producer = SimpleNamespace(create_batch=lambda: BatchBuilder(400, 0, is_transactional=False))
    entries = [(b"k%d" % number, b"x" * 100, [("h", b"1")]) for number in range(7)]
    batches = build_batches(producer, [*entries, (b"big", b"x" * 2_000, ()), (None, b"", ())])
    # A record larger than a batch has one of its own.
    assert [batch.record_count() for batch in batches] == [2, 2, 2, 1, 1, 1]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ProducerFenced(), "rows[1] has a newer writer: another worker has taken over"),
        (MessageSizeTooLargeError("too large"), "the broker did not take a write to rows[1]: .*too large"),
        (TimeoutError(), r"the broker did not take a write to rows[1]: TimeoutError"),
    ],
)
def test_a_write_that_fails_is_told_by_name(error: Exception, said: str) -> None:
    with pytest.raises(FailStop, match=said.replace("[1]", r"\[1\]")), writing("rows[1]"):
        raise error
