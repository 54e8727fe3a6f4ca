"""What leaves is closed, and the structs of the hot path are the contracts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from schemas.dead_letters import DeadLetterHeaders, HeaderError, dead_letter_headers, original_headers, shortened
from schemas.limits import MAX_LETTER_BYTES
from schemas.outputs import (
    LeadScore,
    LeadScoreOut,
    ModelRef,
    Reason,
    ReasonOut,
    ScoringModel,
    TierChange,
    TierChangeOut,
    cloud_event_headers,
)

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"


def example(contract: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLES / contract / "v1" / f"{name}.json").read_text())
    return found


@pytest.mark.parametrize(
    ("contract", "struct"),
    [(TierChange, TierChangeOut), (LeadScore, LeadScoreOut), (Reason, ReasonOut), (ScoringModel, ModelRef)],
)
def test_structs_have_the_fields_of_their_contract_in_its_order(contract: type[BaseModel], struct: Any) -> None:
    assert tuple(contract.model_fields) == struct.__struct_fields__


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"seq": 0},
        {"seq": 1.0},
        {"total": True},
        {"total": 2**63},
        {"effective_at": "2026-03-02T10:15:00Z"},
        {"effective_at": "2026-02-30T10:15:00.000Z"},
        {"lead_id": ""},
        {"id": "crm-17"},
        {"cause": {}},
        {"cause": {"event_id": "1", "kind": "page_view", "deadline": "x"}},
        {"profile": {"a": None}},
        {"profile": {"a": 0.5}},
        {"reasons": [{"rule": "x"}]},
        {"model": None},
    ],
    ids=str,
)
def test_anything_else_is_refused(change: dict[str, Any]) -> None:
    TierChange.model_validate_json(json.dumps(example("tier_change", "by_event")))
    with pytest.raises(ValidationError):
        TierChange.model_validate_json(json.dumps(example("tier_change", "by_event") | change))


def test_cloud_events() -> None:
    change = TierChangeOut(
        "crm-17:1",
        "crm-17",
        1,
        "cold",
        "hot",
        "2026-03-02T10:15:00.000Z",
        "2026-03-02T10:15:00.000Z",
        *(0, 0, 0, 0),
        [],
        {"deadline": "x"},
        {},
        ModelRef("m", 1, "0" * 64),
    )
    assert cloud_event_headers(change) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"crm-17:1"),
        ("ce_type", b"leadstream.tier_change.v1"),
        ("ce_source", b"leadstream/score"),
        ("ce_time", b"2026-03-02T10:15:00.000Z"),
        ("ce_subject", b"crm-17"),
        ("content-type", b"application/json"),
    ]


def test_a_dead_letter_keeps_headers_and_replaces_those_of_an_earlier_one() -> None:
    own = [("trace", b"\xff\0"), ("trace", b"2")]
    first = dead_letter_headers("page-views", 1, 2, 3, "bad_json", "not JSON", own)
    second = dead_letter_headers("page-views", 1, 9, -5, "bad_time", "no time", first)
    assert original_headers(second) == own
    assert len(second) == len(first)
    read = DeadLetterHeaders.read(second)
    assert (read.reason, read.offset, read.timestamp_ms) == ("bad_time", 9, -1)


@pytest.mark.parametrize(
    ("key", "value", "own"),
    [
        (b"k" * 5_000_000, None, []),
        (None, b"v" * 5_000_000, []),
        (b"", b"", [(f"h{n}", b"x" * 500) for n in range(9000)]),
    ],
)
def test_a_letter_too_large_for_its_topic_is_cut_and_says_so(
    key: bytes | None, value: bytes | None, own: list[tuple[str, bytes]]
) -> None:
    kept_key, kept_value, headers, cut = shortened(key, value, own)
    letter = [*dead_letter_headers("page-views", 1, 2, 3, "too_large", "too large", headers), *cut]
    assert (DeadLetterHeaders.read(letter).whole_bytes or 0) > MAX_LETTER_BYTES
    assert len(kept_key or b"") + len(kept_value or b"") + sum(len(one) for _, one in letter) < 2_200_000
    assert (kept_key is None, kept_value is None) == (key is None, value is None)


def test_a_letter_of_usual_size_is_whole() -> None:
    own = [("trace", b"1")]
    assert shortened(b"k", b"v" * 1_000_000, own) == (b"k", b"v" * 1_000_000, own, [])


@pytest.mark.parametrize(
    "headers",
    [[], [("leadstream.reason", b"\xff")], [*dead_letter_headers("t", 0, 0, 0, "bad_json", "", [])[:-2]]],
)
def test_other_records_are_no_dead_letters(headers: list[tuple[str, bytes]]) -> None:
    with pytest.raises(HeaderError):
        DeadLetterHeaders.read(headers)
