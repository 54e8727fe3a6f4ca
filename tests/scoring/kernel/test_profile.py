"""`profile`: while the profile matches; per field the latest writer wins."""

import pytest

from schemas.log import Field, LogRow
from tests.scoring.kernel.logs import DAY, HOUR, profile
from tests.scoring.kernel.one_rule import changes_next, gives

RULE = "{profile: {seniority: [vp, c_level], company_size: 50..500}, points: 10}"


def test_all_fields_must_match_and_since_is_the_latest_of_them() -> None:
    assert gives(RULE, profile(0, seniority="VP")) is None
    assert gives(RULE, profile(0, seniority=" Vp "), profile(HOUR, company_size=50)) == (10, HOUR)
    assert changes_next(RULE, profile(0, seniority="vp", company_size=50)) is None


@pytest.mark.parametrize(
    ("size", "matches"),
    [(50, True), (500, True), (49, False), (501, False), ("500", True), ("0500", True), ("5.0", False), (True, False)],
)
def test_ranges_and_text_of_digits(size: Field, matches: bool) -> None:
    found = gives(RULE, profile(0, seniority="vp", company_size=size))

    assert found == ((10, 0) if matches else None)


def test_the_latest_writer_wins_whatever_the_order_of_arrival() -> None:
    rows: list[LogRow] = [
        profile(HOUR, seniority="vp", company_size=60),
        profile(0, received=2 * HOUR, seniority="clerk"),
    ]
    assert gives(RULE, *rows) == (10, HOUR)
    assert gives(RULE, *rows, profile(3 * HOUR, seniority="clerk")) is None


def test_at_the_same_time_the_greater_digest_wins_whatever_the_order() -> None:
    one, two = ("e-1", "vp"), ("e-2", "clerk")

    def told(*order: tuple[str, str]) -> tuple[int, int] | None:
        rows = [profile(0, event_id=event_id, seniority=said) for event_id, said in order]
        return gives(RULE, profile(0, company_size=60), *rows)

    assert told(one, two) == told(two, one)


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_null_and_empty_text_delete_from_then_on(nothing: str | None) -> None:
    full = profile(HOUR, seniority="vp", company_size=60)

    assert gives(RULE, full, profile(DAY, seniority=nothing)) is None
    assert gives(RULE, full, profile(0, received=DAY, seniority=nothing)) == (10, HOUR)
    assert (
        gives(RULE, profile(DAY, received=0, seniority=nothing), profile(HOUR, seniority="vp", company_size=60)) is None
    )
