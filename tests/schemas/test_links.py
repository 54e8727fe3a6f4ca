"""What the names of an event say of who is who."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.links import Links
from schemas.naming import HOUR_MS, lead_name
from schemas.wire import decode_event, judge_event
from tests.schemas.samples import BROKER_MS, KEY, event

ANN = lead_name(None, "ann@example.com", None, KEY)


@pytest.mark.parametrize(
    ("lead", "expected"),
    [
        ({"anonymous_id": "b"}, []),
        ({"email": "ann@example.com"}, []),
        ({"lead_id": "crm-17"}, []),
        ({"lead_id": "crm-17", "anonymous_id": "b"}, [("a:b", "crm-17")]),
        ({"email": " Ann@Example.com", "anonymous_id": "b"}, [("a:b", ANN)]),
        ({"lead_id": "crm-17", "email": "ann@example.com"}, [(ANN, "crm-17")]),
        ({"lead_id": "crm-17", "email": "ann@example.com", "anonymous_id": "b"}, [("a:b", "crm-17"), (ANN, "crm-17")]),
    ],
)
@pytest.mark.parametrize("decode", [decode_event, judge_event])
def test_weaker_names_belong_to_the_strongest(
    decode: Callable[..., object], lead: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    links = Links(KEY)
    decode(json.dumps(event(lead=lead)).encode(), BROKER_MS, KEY, links)
    taken = links.taken()
    assert [(link.lead_id, link.owner) for link in taken] == expected
    hour_ms = (BROKER_MS - 1_000) // HOUR_MS * HOUR_MS
    assert all((link.received_at_ms, link.hour_ms) == (BROKER_MS, hour_ms) for link in taken)
    assert links.taken() == []


def test_what_was_said_is_not_said_again_as_long_as_there_is_room() -> None:
    links = Links(KEY, most=2)
    for owner, hour in (("x", 5), ("x", 5), ("x", 4), ("y", 4), ("y", 4), ("x", 5), ("x", 6)):
        links.note(owner, None, "b", 1, hour * HOUR_MS)
    assert [(link.owner, link.hour_ms // HOUR_MS) for link in links.taken()] == [("x", 5), ("y", 4), ("x", 5), ("x", 6)]
    for visitor in ("c", "d", "b"):
        links.note("x", None, visitor, 1, 6 * HOUR_MS)
    assert [link.lead_id for link in links.taken()] == ["a:c", "a:d", "a:b"]


NAMES = st.tuples(
    st.sampled_from(["crm-1", "crm-2", "crm-3"]),
    st.sampled_from([None, "a@example.com", "b@example.com"]),
    st.sampled_from([None, "browser-1", "browser-2"]),
    st.sampled_from([0, 1, HOUR_MS - 1, HOUR_MS, 3 * HOUR_MS]),
)


@given(told=st.lists(NAMES, max_size=60), most=st.sampled_from([1, 2, 100]))
@settings(max_examples=300, deadline=None)
def test_what_is_known_needs_no_word(told: list[tuple[str, str | None, str | None, int]], most: int) -> None:
    """Events whose names are known are passed over: the links are those of one that looks at every event."""
    all_told, passed_over = Links(KEY, most), Links(KEY, most)
    for owner, email, visitor, occurred_ms in told:
        all_told.note(owner, email, visitor, 7, occurred_ms)
        if not passed_over.knows(owner, email, visitor, occurred_ms):
            passed_over.note(owner, email, visitor, 7, occurred_ms)

        assert passed_over.taken() == all_told.taken()
