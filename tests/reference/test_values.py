"""What matches what, by the examples of the language page."""

from typing import Any

import pytest

from tests.reference.values import duration_ms, field_of, host_and_path, is_asked_for


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1ms", 1), ("2s", 2_000), ("3m", 180_000), ("24h", 86_400_000), ("7d", 604_800_000), ("5w", 3_024_000_000)],
)
def test_durations(text: str, expected: int) -> None:
    """A day is 24 h."""
    assert duration_ms(text) == expected


@pytest.mark.parametrize(
    ("asked", "value", "expected"),
    [
        ("demo", " DEMO ", True),
        (" Demo", "demo", True),
        ("demo", "demos", False),
        ("/pricing*", "/pricing", True),
        ("/pricing*", "/Pricing/annual", True),
        ("/pricing*", "/a/pricing", False),
        ("*pricing*", "/a/pricing/b", True),
        ("*.pdf", "/rfp.PDF", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a*b*c", "a-c-b", False),
        ("a.c", "abc", False),
        ("a?c", "abc", False),
        (["demo", "meeting"], "meeting", True),
        (["demo", "meeting"], "contact", False),
        (True, True, True),
        (True, "true", False),
        (True, 1, False),
        (False, 0, False),
        (1, True, False),
        (50, 50, True),
        (50, "50", True),
        (50, "050", True),
        (50, "50.0", False),
        (-5, "-5", False),
        ("50..500", 50, True),
        ("50..500", 500, True),
        ("50..500", 49, False),
        ("50..500", 501, False),
        ("50..500", "500", True),
        ("50..", 10**12, True),
        ("..49", 49, True),
        ("..49", 50, False),
        ("..49", "many", False),
        ("..49", True, False),
        ("demo", None, False),
        ("50", 50, False),
    ],
)
def test_is_asked_for(asked: Any, value: Any, expected: bool) -> None:
    """Text without case and blanks, `*` for anything, numbers and ranges with digits-only text, flags as such."""
    assert is_asked_for(asked, value) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Shop.example:8443/Pricing/?a=1", ("shop.example", "/Pricing")),
        ("https://shop.example", ("shop.example", "/")),
        ("https://shop.example/", ("shop.example", "/")),
        ("https://shop.example?a=/pricing", ("shop.example", "/")),
        ("https://shop.example/a%20b#part", ("shop.example", "/a b")),
        ("https://shop.example/a%2520b", ("shop.example", "/a%20b")),
        ("https://shop.example/a%3Fb", ("shop.example", "/a?b")),
        ("https://shop.example/a//", ("shop.example", "/a/")),
        ("https://me:secret@shop.example/x", ("shop.example", "/x")),
        ("/pricing", (None, "/pricing")),
        ("/pricing/?a=1", (None, "/pricing")),
        ("/", (None, "/")),
    ],
)
def test_host_and_path(url: str, expected: tuple[str | None, str | None]) -> None:
    """Percent-decoded once, without query, fragment and one last `/` unless it is the whole path."""
    assert host_and_path(url) == expected


def test_a_flag_left_out_is_false_where_the_kind_has_it() -> None:
    """`machine` of an e-mail that says nothing is `false`; a page view has no such field."""
    assert field_of({"kind": "email_open"}, "machine") is False
    assert field_of({"kind": "email_open", "machine": None}, "machine") is False
    assert field_of({"kind": "email_open", "machine": True}, "machine") is True
    assert field_of({"kind": "page_view"}, "machine") is None


def test_fields_of_a_form() -> None:
    """`fields.NAME` looks into the form."""
    filled = {"kind": "form_fill", "fields": {"urgency": "now"}}

    assert field_of(filled, "fields.urgency") == "now"
    assert field_of(filled, "fields.budget") is None
    assert field_of({"kind": "form_fill"}, "fields.urgency") is None
