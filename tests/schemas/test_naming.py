"""Names of leads, and the partitions that they go to."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Refused
from schemas.limits import MAX_EMAIL
from schemas.naming import check_email, lead_name, partition_of

KEY = b"key"


def test_the_strongest_name_counts() -> None:
    by_address = lead_name(None, "ann@example.com", "b-1", KEY)
    assert lead_name("crm-17", "ann@example.com", "b-1", KEY) == "crm-17"
    assert by_address == lead_name(None, "ann@example.com", None, KEY)
    assert lead_name(None, None, "b-1", KEY) == "a:b-1"


def test_an_address_is_a_keyed_hash_that_never_changes() -> None:
    expected = "e:" + blake2b(b"ann@example.com", digest_size=16, key=KEY).hexdigest()
    for written in ("ann@example.com", " Ann@Example.com\t", "ANN@EXAMPLE.COM"):
        assert lead_name(None, written, None, KEY) == expected
    assert lead_name(None, "ann@example.com", None, b"another key") != expected


def test_keys_longer_than_the_hash_takes() -> None:
    names = {lead_name(None, "ann@example.com", None, b"k" * length) for length in (64, 65, 200)}
    assert len(names) == 3


def test_no_key_no_name() -> None:
    with pytest.raises(ValueError, match="LEADSTREAM_ID_KEY"):
        lead_name(None, "ann@example.com", None, b"")


@pytest.mark.parametrize("lead_id", ["a:", "a:1", "e:x"])
def test_reserved_names_are_refused(lead_id: str) -> None:
    with pytest.raises(Refused, match="reserved_lead_id"):
        lead_name(lead_id, None, None, KEY)


@pytest.mark.parametrize("lead_id", ["A:1", " a:1", "ae:1", "a", "e"])
def test_other_names_are_not(lead_id: str) -> None:
    assert lead_name(lead_id, None, None, KEY) == lead_id


@pytest.mark.parametrize("email", ["a@b", "ann+x@example.co.uk", "ünï@例え.jp", "=cmd()@x"])
def test_addresses(email: str) -> None:
    assert check_email(email) == email


@pytest.mark.parametrize("email", ["", "@", "a@", "@b", "a b@c", "a@b c", "a@b@c", "a\x00@b", "a@b\x7f", "a@b\n c"])
def test_what_is_no_address(email: str) -> None:
    with pytest.raises(Refused, match="bad_email"):
        check_email(email)


def test_the_longest_address() -> None:
    longest = "@example.com".rjust(MAX_EMAIL, "x")
    assert check_email(longest) == longest
    with pytest.raises(Refused, match="too_long"):
        check_email("x" + longest)


@given(st.text(min_size=1).filter(lambda text: text.isprintable()), st.integers(1, 64))
def test_partitions_are_in_range(lead_id: str, count: int) -> None:
    assert 0 <= partition_of(lead_id, count) < count


def test_partitions_are_those_of_librdkafka() -> None:
    assert [partition_of(lead_id, 8) for lead_id in ("crm-17", "crm-18", "a:b-1", "ünï")] == [0, 1, 6, 2]
