"""What a lead remembers: the whole history trimmed at the end is what trimming after every event leaves."""

from random import Random
from typing import Any

import pytest

from tests.reference.evidence import Evidence, Occurrence, latest_in_order, latest_of_each_key, latest_together
from tests.reference.model import read_model
from tests.reference.plain_yaml import plain_model
from tests.reference.stories import visit


def a_model(rules: str, keep: str = "", distinct: str = "") -> dict[str, Any]:
    """A model that remembers visits."""
    return plain_model(
        f"version: 1\nsignals: {{visit: {{on: page_view{keep}{distinct}}}}}\n"
        f"rules: {{engagement: {rules}}}\ntiers: {{cold: {{}}}}"
    )


def trimmed_step_by_step(arrivals: list[Occurrence], keep: int) -> list[Occurrence]:
    """What is left where everything beyond `keep` is forgotten for good after every arrival."""
    kept: list[Occurrence] = []
    for arrival in arrivals:
        kept = latest_of_each_key([*kept, arrival])[-keep:]
    return kept


def test_trimming_the_whole_history_equals_trimming_after_every_arrival() -> None:
    """Few keys and few times, so that pushed-out keys come back, earlier and later, and times are equal."""
    random = Random(1)
    for _ in range(3_000):
        arrivals = [(random.randrange(8), random.randrange(5)) for _ in range(random.randrange(14))]
        keep = random.randrange(1, 5)
        assert latest_of_each_key(arrivals)[-keep:] == trimmed_step_by_step(arrivals, keep)


@pytest.mark.parametrize(
    ("rules", "keep", "expected"),
    [
        ("{a: {each: visit, points: 1}}", "", 16),
        ("{a: {each: visit, points: 1}}", ", keep: 3", 3),
        ("{a: {each: visit, at_most: 20, points: 1}}", ", keep: 3", 20),
        ("{a: {repeat: visit, times: 5, within: 1d, points: 1}}", ", keep: 3", 5),
        ("{a: {streak: [visit], times: 17, points: 1}}", "", 17),
        ("{a: {only: visit, none_of: [], within: 1d, points: 1}}", ", keep: 1", 1),
    ],
)
def test_keep_is_never_fewer_than_the_rules_need(rules: str, keep: str, expected: int) -> None:
    """Sixteen by default, what the file says, or what `times` and `at_most` ask for."""
    assert read_model(a_model(rules, keep)).signals["visit"].keep == expected


def test_a_match_stays_when_later_activity_pushes_its_occurrences_out() -> None:
    """Two are kept: the pair at 0 and 5 is gone, what it earned is not; a later pair takes its place."""
    evidence = Evidence(read_model(a_model("{a: {repeat: visit, times: 2, within: 10ms, points: 1}}", ", keep: 2")))
    found = []
    for at in (0, 5, 100, 200, 205, 195):
        evidence.add(visit(at))
        found.append(evidence.matches.get("a"))

    first, later = visit(5)["occurred_at"], visit(205)["occurred_at"]
    assert found == [None, first, first, first, later, later]
    assert [time for time, _ in evidence.kept("visit")] == [visit(200)["occurred_at"], later]


def test_a_key_counts_once_at_its_latest_time_and_without_the_field_an_event_is_its_own_key() -> None:
    """Two visits of one session are one; a duplicate is one; the session's name and an event's name never mix."""
    evidence = Evidence(read_model(a_model("{a: {each: visit, points: 1}}", distinct=", distinct: session_id")))
    for row in (
        visit(9, session_id="s", event_id="x"),
        visit(3, session_id="s", event_id="y"),
        visit(4, event_id="s"),
        visit(4, event_id="s"),
        visit(4, session_id=None, event_id="t"),
    ):
        evidence.add(row)

    assert [time - visit(0)["occurred_at"] for time, _ in evidence.kept("visit")] == [4, 4, 9]


def test_chains_in_order_are_found_as_by_trying_all() -> None:
    """Every choice of one time of each signal, tried."""
    random = Random(2)
    for _ in range(1_000):
        times = [sorted(random.randrange(12) for _ in range(random.randrange(5))) for _ in range(3)]
        within = random.randrange(1, 8)
        tried = [(a, b, c) for a in times[0] for b in times[1] for c in times[2]]
        in_order = [c for a, b, c in tried if a <= b <= c and c - a < within]
        anyhow = [max(one) for one in tried if max(one) - min(one) < within]

        assert latest_in_order(times, within) == max(in_order, default=None)
        assert latest_together(times, within) == max(anyhow, default=None)
