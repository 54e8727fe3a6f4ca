"""What the names of an event say of who is who."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

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
