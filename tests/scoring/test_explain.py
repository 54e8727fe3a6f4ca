"""Why a lead has its score."""

from __future__ import annotations

import pytest

from schemas.log import LogRow
from scoring.explain import explain
from scoring.explanation import Explanation, ProfileEvidence, RuleExplanation
from scoring.partition import PartitionFold
from scoring.row_codec import encode_row
from scoring.shipped import shipped_text
from tests.scoring.kernel.logs import DAY, HOUR, MINUTE, T0, form, log, new_fold, opened, profile, run, sent, view
from tests.scoring.kernel.one_rule import one_rule


def folded(model: str, *rows: LogRow) -> PartitionFold:
    """A fold of some rows."""
    fold = new_fold(model)
    run(fold, log(rows))
    return fold


def told(fold: PartitionFold, at: int) -> Explanation:
    """The explanation of the only lead."""
    row = fold.row("lead-1")
    assert fold.kernel is not None
    assert row is not None
    before = encode_row(fold.kernel.model, row), list(row.points), row.due, row.seen_at, row.stale
    explanation = explain(fold.kernel, row, T0 + at)

    assert (encode_row(fold.kernel.model, row), list(row.points), row.due, row.seen_at, row.stale) == before
    return explanation


def rule_of(rule: str, *rows: LogRow, at: int) -> RuleExplanation:
    """The explanation of the rule of a model with one."""
    (found,) = told(folded(one_rule(rule), *rows), at).rules
    return found


def evidence(found: RuleExplanation) -> list[tuple[str, str, list[int]]]:
    """(signal, key, times from T0)."""
    return [(one.signal, one.key, [time - T0 for time in one.times_ms]) for one in found.signals]


STANDS_ON: list[tuple[str, list[LogRow], list[tuple[str, str, list[int]]]]] = [
    ("{each: a, points: 5}", [view(1), view(2)], [("a", "each", [2])]),
    ("{each: a, at_most: 2, points: 5}", [view(1), view(2), view(3)], [("a", "each", [2, 3])]),
    (
        "{each: [a, b], at_most: 2, points: 5}",
        [view(1), view(2, "/b"), view(3)],
        [("a", "each", [3]), ("b", "each", [2])],
    ),
    ("{repeat: a, times: 2, within: 5ms, points: 5}", [view(1), view(2), view(9)], [("a", "repeat", [1, 2])]),
    ("{repeat: a, times: 2, within: 5ms, points: 5}", [view(1), view(9)], [("a", "repeat", [1, 9])]),
    (
        "{together: [a, b], within: 5ms, points: 5}",
        [view(1), view(2), view(3, "/b"), view(9, "/b")],
        [("a", "together", [2]), ("b", "together", [3])],
    ),
    (
        "{together: [a, b, c], within: 9ms, in_order: true, points: 5}",
        [view(1), view(2, "/b"), view(3), view(4, "/c")],
        [("a", "together", [1]), ("b", "together", [2]), ("c", "together", [4])],
    ),
    ("{together: [a, b], within: 5ms, points: 5}", [view(1), view(2)], [("a", "together", [2])]),
    (
        "{streak: a, times: 2, broken_by: b, points: 5}",
        [view(1), view(2, "/b"), view(3), view(4)],
        [("a", "streak", [3, 4]), ("b", "broken_by", [2])],
    ),
    ("{only: a, none_of: b, within: 9ms, points: 5}", [view(1), view(2)], [("a", "only", [2])]),
    (
        "{only: a, none_of: b, within: 9ms, points: 5}",
        [view(1), view(2, "/b")],
        [("a", "only", [1]), ("b", "none_of", [2])],
    ),
    (
        "{silence: a, broken_by: [b, c], within: 9ms, points: 5}",
        [view(1), view(2, "/b"), view(3, "/c")],
        [("a", "silence", [1]), ("c", "broken_by", [3])],
    ),
    ("{each: b, points: 5}", [view(1)], []),
]


@pytest.mark.parametrize(("rule", "rows", "expected"), STANDS_ON)
def test_a_rule_names_the_occurrences_it_stands_on(
    rule: str, rows: list[LogRow], expected: list[tuple[str, str, list[int]]]
) -> None:
    """With points or without."""
    found = rule_of(rule, *rows, at=9)

    assert evidence(found) == expected
    assert found.has_evidence == bool(expected)


def test_a_profile_rule_names_the_values_it_looks_at() -> None:
    """Deleted ones too."""
    model = one_rule("{profile: {industry: software, seniority: vp}, points: 5}")
    found = told(folded(model, profile(1, industry="Software", city="Oslo"), profile(2, seniority=None)), 9)

    assert found.rules[0].profile == (
        ProfileEvidence("industry", "Software", T0 + 1),
        ProfileEvidence("seniority", None, T0 + 2),
    )
    assert (found.rules[0].points, found.rules[0].since_ms, found.rules[0].counts) == (0, None, False)


CHANGES: list[tuple[str, list[LogRow], int, tuple[int, int | None, int | None]]] = [
    ("{each: a, points: 5}", [view(1)], 9, (5, None, None)),
    ("{each: a, points: 5, hold: 10ms}", [view(1)], 9, (5, 11, 0)),
    ("{each: a, points: 5, hold: 10ms}", [view(1)], 11, (0, None, None)),
    ("{each: a, points: 5, halve: 10ms}", [view(1)], 12, (2, 21, 1)),
    ("{each: a, points: 2, fade: 10ms}", [view(1)], 1, (2, 2, 1)),
    ("{silence: a, within: 1d, points: -5}", [view(1)], 9, (0, DAY + 1, -5)),
    ("{silence: a, within: 1d, points: -5}", [view(1)], DAY + 1, (-5, None, None)),
    ("{only: a, none_of: b, within: 9ms, points: 5}", [view(2, "/b"), view(4)], 5, (0, 11, 5)),
]


@pytest.mark.parametrize(("rule", "rows", "at", "expected"), CHANGES)
def test_a_rule_says_when_time_changes_it_and_to_what(
    rule: str, rows: list[LogRow], at: int, expected: tuple[int, int | None, int | None]
) -> None:
    """Points, the moment of their next change, points then."""
    found = rule_of(rule, *rows, at=at)
    change = None if found.changes_at_ms is None else found.changes_at_ms - T0

    assert (found.points, change, found.changes_to) == expected


GROUPED = """
model: test
version: 1
publish: [country]
signals:
  a: {on: page_view, where: {path: /a}}
  b: {on: page_view, where: {path: /b}}
rules:
  engagement:
    small: {each: a, points: 10, group: g}
    large: {each: b, points: 40, hold: 1d, group: g}
    other: {each: a, points: 30, group: elsewhere}
tiers:
  hot: {above: 75, leave_below: 70, fit_at_least: 10, requires_any: [small, large]}
  warm: {at_least: 50, stay_at_least: 2d}
  cold: {}
"""


def test_a_group_says_who_beat_whom() -> None:
    """The others have points too, which do not count."""
    found = told(folded(GROUPED, view(1), view(2, "/b")), 3)

    assert [(rule.rule, rule.points, rule.counts, rule.beaten_by) for rule in found.rules] == [
        ("small", 10, False, "large"),
        ("large", 40, True, None),
        ("other", 30, True, None),
    ]


def test_the_next_tier_says_what_is_missing() -> None:
    """Bars with what the lead has, and the gate."""
    warm = told(folded(GROUPED, view(2, "/b"), view(3)), 4)
    cold = told(folded(GROUPED, view(2, "/c")), 3)

    assert warm.tier == "warm"
    assert warm.next_tier is not None
    assert cold.next_tier is not None
    assert [(bar.score, bar.needs, bar.has, bar.missing) for bar in warm.next_tier.bars] == [
        ("total", 76, 70, 6),
        ("fit", 10, 0, 10),
    ]
    assert (warm.next_tier.requires_any, warm.next_tier.has_any) == (("small", "large"), ("small", "large"))
    assert cold.next_tier.tier == "warm"
    assert [(bar.score, bar.missing) for bar in cold.next_tier.bars] == [("total", 50)]


def test_time_is_told_ahead_to_the_next_change_of_reasons_or_tier() -> None:
    """First the reasons change, then the tier that was held."""
    fold = folded(GROUPED, view(2, "/b"), view(3))
    first, held = told(fold, 4), told(fold, DAY + 2)

    assert (first.changes_next_at_ms, first.tier_then, first.total_then) == (T0 + DAY + 2, "warm", 40)
    assert (first.held_until_ms, held.held_until_ms) == (None, T0 + 2 * DAY + 3)
    assert (held.tier, held.total) == ("warm", 40)
    assert (held.changes_next_at_ms, held.tier_then) == (T0 + 2 * DAY + 3, "cold")


def test_deadlines_before_the_moment_are_applied_to_the_copy() -> None:
    """The fold itself may not have got there yet."""
    fold = folded(GROUPED, view(2, "/b"), view(3))
    later = told(fold, 3 * DAY)

    assert (later.tier, later.seq, later.tier_since_ms) == ("cold", 2, T0 + 2 * DAY + 3)
    assert fold.row("lead-1").tier_name == "warm"  # type: ignore[union-attr]


def test_nothing_is_told_of_a_moment_before_the_lead_s_own_time() -> None:
    """What it was then is not known any more."""
    assert told(folded(GROUPED, view(5)), 1).at_ms == T0 + 5


def test_every_rule_of_a_shipped_model_is_explained() -> None:
    """And the contributions that count are the published reasons."""
    rows: list[LogRow] = [
        profile(0, seniority="vp", industry="software", country="NO"),
        sent(1 * MINUTE),
        opened(2 * MINUTE),
        view(1 * HOUR, "/pricing", session="s-1"),
        view(2 * HOUR, "/pricing", session="s-2"),
        form(3 * HOUR, "demo"),
    ]
    fold = new_fold(shipped_text("b2b-default"))
    score = run(fold, log(rows)).scores["lead-1"]
    found = told(fold, 3 * HOUR)

    assert fold.model is not None
    assert [rule.rule for rule in found.rules] == list(fold.model.rule_names)
    counting = sorted((rule.rule, rule.points) for rule in found.rules if rule.counts)
    assert counting == sorted((reason.rule, reason.points) for reason in score.reasons)
    assert (found.total, found.tier, found.seq) == (score.total, score.tier, score.seq)
    assert all(rule.words and rule.since_ms is not None for rule in found.rules if rule.counts)
