"""Tiers: thresholds, hysteresis, gates, staying, moments and causes."""

import pytest

from schemas.log import LogRow, encode_record
from tests.scoring.kernel.logs import (
    DAY,
    HOUR,
    MINUTE,
    Told,
    alarm,
    at_text,
    bounced,
    form,
    log,
    new_fold,
    run,
    tell,
    view,
)

SIGNALS = """
  visit: {on: page_view}
  form: {on: form_fill}
  demo: {on: form_fill, where: {form_type: demo}}
  bounce: {on: bounce}
"""
RULES = """
  engagement:
    visits: {each: visit, at_most: 10, points: 10}
    demo: {each: demo, points: 30, hold: 1d}
  risk:
    bounce: {each: bounce, at_most: 10, points: -10}
"""


def model(tiers: str, *, rules: str = RULES, score: str = "{}", version: int = 1) -> str:
    return f"model: test\nversion: {version}\nsignals:{SIGNALS}\nrules: {rules}\nscore: {score}\ntiers: {tiers}\n"


def views(count: int, at: int = 0, **more: int) -> list[LogRow]:
    return [view(at, **more) for _ in range(count)]  # type: ignore[arg-type]


PLAIN = "{hot: {at_least: 60}, warm: {above: 30}, cold: {}}"


def test_being_in_the_last_tier_at_first_is_no_change() -> None:
    assert tell(model(PLAIN), *views(3)).changes == []


def test_at_least_is_inclusive_and_above_is_not() -> None:
    assert tell(model(PLAIN), *views(3)).scores["lead-1"].tier == "cold"
    assert tell(model(PLAIN), *views(4)).scores["lead-1"].tier == "warm"
    assert tell(model(PLAIN), *views(6)).scores["lead-1"].tier == "hot"


def test_one_event_makes_at_most_one_change_from_before_to_after() -> None:
    told = tell(model(PLAIN), *views(3), form(1, "demo"))

    assert [(one.from_tier, one.to_tier, one.seq, one.id) for one in told.changes] == [("cold", "hot", 1, "lead-1:1")]
    change = told.changes[0]
    assert (change.effective_at, change.decided_at) == (at_text(1), at_text(1))
    assert change.cause["kind"] == "form_fill"
    assert [(one.rule, one.points, one.since) for one in change.reasons] == [
        ("visits", 30, at_text(0)),
        ("demo", 30, at_text(1)),
    ]
    assert (change.fit, change.engagement, change.risk, change.total) == (0, 60, 0, 60)


def test_leave_below_holds_for_who_is_there_or_better() -> None:
    tiers = "{hot: {at_least: 60, leave_below: 50}, warm: {at_least: 40, leave_below: 20}, cold: {}}"

    assert tell(model(tiers), *views(3)).path() == []
    assert tell(model(tiers), *views(6), bounced(1)).path() == [("warm", 0), ("hot", 0)]
    assert [to for to, _ in tell(model(tiers), *views(6), bounced(1), bounced(2)).path()] == ["warm", "hot", "warm"]
    falling = [bounced(at) for at in range(1, 5)]
    assert [to for to, _ in tell(model(tiers), *views(6), *falling).path()] == ["warm", "hot", "warm"]
    assert [to for to, _ in tell(model(tiers), *views(6), *falling, bounced(5)).path()] == [
        "warm",
        "hot",
        "warm",
        "cold",
    ]


def test_requires_any_looks_at_the_rule_whether_or_not_its_group_lets_it_count() -> None:
    rules = """{engagement: {
        visits: {each: visit, at_most: 10, points: 10, group: g},
        demo: {each: demo, points: 5, group: g}
    }}"""
    tiers = "{hot: {at_least: 30, requires_any: demo}, cold: {}}"

    assert tell(model(tiers, rules=rules), *views(5)).path() == []
    told = tell(model(tiers, rules=rules), *views(5), form(1, "demo"))
    assert told.path() == [("hot", 1)]
    assert told.reasons() == [("visits", 50)]


def test_requires_any_that_wears_off_is_a_deadline_though_no_reason_changes() -> None:
    rules = """{engagement: {
        visits: {each: visit, at_most: 10, points: 10, group: g},
        demo: {each: demo, points: 5, hold: 1d, group: g}
    }}"""
    tiers = "{hot: {at_least: 30, requires_any: demo}, cold: {}}"
    told = tell(model(tiers, rules=rules), *views(5), form(1, "demo"))
    assert told.scores["lead-1"].changes_next_at == at_text(DAY + 1)

    told = tell(model(tiers, rules=rules), *views(5), form(1, "demo"), until=2 * DAY)
    assert told.path() == [("hot", 1), ("cold", DAY + 1)]
    assert told.changes[1].cause == {"deadline": "demo"}
    assert (told.changes[1].effective_at, told.changes[1].decided_at) == (at_text(DAY + 1), at_text(2 * DAY))


def test_gates_on_dimensions() -> None:
    tiers = "{hot: {at_least: 0, engagement_at_least: 40}, cold: {}}"

    assert tell(model(tiers), *views(3)).path() == []
    assert tell(model(tiers), *views(4)).path() == [("hot", 0)]
    assert tell(model("{hot: {at_least: 0, fit_at_least: 1}, cold: {}}"), *views(9)).path() == []


def test_dimensions_are_clamped_once_then_the_total() -> None:
    score = "{engagement: {max: 50}, risk: {min: -20}, total: {of: [engagement, risk], max: 25}}"
    told = tell(model("{cold: {}}", score=score), *views(8), bounced(1), bounced(1), bounced(1))
    found = told.scores["lead-1"]

    assert (found.engagement, found.risk, found.total) == (50, -20, 25)
    assert told.reasons() == [("visits", 80), ("bounce", -30)]


STAY = "{hot: {at_least: 60}, warm: {at_least: 40, stay_at_least: 1h}, cold: {}}"


def test_who_must_stay_goes_down_at_exactly_the_end() -> None:
    rows = [*views(4), bounced(MINUTE)]

    assert tell(model(STAY), *rows, until=HOUR - 1).path() == [("warm", 0)]
    told = tell(model(STAY), *rows, until=HOUR + 5)
    assert told.path() == [("warm", 0), ("cold", HOUR)]
    assert told.changes[1].cause == {"deadline": "stay_at_least"}
    assert tell(model(STAY), *rows, view(HOUR)).path() == [("warm", 0), ("cold", HOUR), ("warm", HOUR)]


def test_the_end_of_a_stay_at_which_nothing_would_change_is_no_deadline() -> None:
    assert tell(model(STAY), *views(4)).scores["lead-1"].changes_next_at is None
    told = tell(model(STAY), *views(4), bounced(MINUTE))
    assert told.scores["lead-1"].changes_next_at == at_text(HOUR)
    told = tell(model(STAY), *views(4), bounced(MINUTE), view(2 * MINUTE))
    assert told.scores["lead-1"].changes_next_at is None


def test_going_up_ends_a_stay_and_each_entry_starts_anew() -> None:
    rows = [*views(6), bounced(MINUTE), bounced(2 * MINUTE), bounced(3 * MINUTE)]

    assert tell(model(STAY), *rows, until=2 * HOUR).path() == [
        ("warm", 0),
        ("hot", 0),
        ("warm", MINUTE),
        ("cold", HOUR + MINUTE),
    ]


def test_a_rule_is_named_before_the_end_of_the_stay() -> None:
    rules = "{engagement: {visits: {each: visit, at_most: 10, points: 10, hold: 1h}}}"
    told = tell(model(STAY, rules=rules), *views(4), until=DAY)

    assert told.path() == [("warm", 0), ("cold", HOUR)]
    assert told.changes[1].cause == {"deadline": "visits"}


def test_the_first_rule_of_the_file_that_changed_is_the_cause() -> None:
    rules = """{engagement: {
        demo: {each: demo, points: 30, hold: 1h},
        visits: {each: visit, at_most: 10, points: 10, hold: 1h}
    }}"""
    told = tell(model(PLAIN, rules=rules), *views(4), form(0, "demo"), until=DAY)

    assert told.changes[-1].cause == {"deadline": "demo"}


def test_deadlines_that_have_passed_are_taken_one_after_the_other() -> None:
    rules = """{engagement: {
        visits: {each: visit, at_most: 10, points: 10, hold: 2h},
        demo: {each: demo, points: 30, hold: 1h}
    }}"""
    told = tell(model(PLAIN, rules=rules), *views(4), form(0, "demo"), until=DAY)

    assert told.path() == [("warm", 0), ("hot", 0), ("warm", HOUR), ("cold", 2 * HOUR)]
    assert [change.decided_at for change in told.changes[2:]] == [at_text(DAY)] * 2


def test_a_deadline_comes_before_an_event_of_the_same_moment() -> None:
    rules = "{engagement: {visits: {each: visit, points: 60, hold: 1h}}}"
    told = tell(model(PLAIN, rules=rules), view(0), view(HOUR))

    assert told.path() == [("hot", 0), ("cold", HOUR), ("hot", HOUR)]


def test_due_deadlines_of_all_leads_come_in_order_before_the_row() -> None:
    rules = "{engagement: {visits: {each: visit, points: 60, hold: 1h}}}"
    rows: list[LogRow] = [view(1, lead="b"), view(1, lead="a"), view(0, lead="c"), alarm(2 * HOUR)]
    told = tell(model(PLAIN, rules=rules), *rows)

    assert [(one.lead_id, one.effective_at) for one in told.changes[3:]] == [
        ("c", at_text(HOUR)),
        ("a", at_text(HOUR + 1)),
        ("b", at_text(HOUR + 1)),
    ]


def test_a_leads_own_deadline_is_due_by_its_own_row_though_log_time_is_behind() -> None:
    """`safe` of the record is an hour behind: the lead's deadline is due by its row, that of the other lead is not."""
    rules = "{engagement: {visits: {each: visit, points: 60, hold: 1h}}}"
    fold = new_fold(model(PLAIN, rules=rules))
    told = run(fold, log([view(0, lead="a"), view(0, lead="b")]))
    late = view(2 * HOUR, lead="a")
    run(fold, [(2, encode_record(late.received_at_ms - 90 * MINUTE, [late]))], told)

    assert told.path("a") == [("hot", 0), ("cold", HOUR), ("hot", 2 * HOUR)]
    assert told.path("b") == [("hot", 0)]
    assert [one.decided_at for one in told.changes[2:]] == [at_text(30 * MINUTE)] * 2


def test_a_leads_time_never_runs_backwards() -> None:
    """A row with an older broker time, from another topic, is assessed at the lead's time."""
    told = tell(model(PLAIN), *views(5, HOUR), view(0, received=0))

    assert [change.effective_at for change in told.changes] == [at_text(HOUR)] * 2


@pytest.mark.parametrize("pack", [1, 2, 7, 100])
def test_packing_changes_nothing_but_log_time(pack: int) -> None:
    """Rows of one broker time in one record or in many."""
    rows = [view(0, lead=f"lead-{number % 3}") for number in range(30)]
    told = run(new_fold(model(PLAIN)), log(rows, pack=pack))
    alone = run(new_fold(model(PLAIN)), log(rows))

    assert told.bodies() == alone.bodies()
    assert told.applied == 30


def test_scores_come_only_when_something_changed() -> None:
    """The eleventh visit moves no points; a form that the model does not know moves nothing."""
    fold = new_fold(model(PLAIN))
    run(fold, log(views(10)))

    assert run(fold, log(views(1, 5), start=10), Told(position=(10, 0))).scores == {}
    assert run(fold, log([form(6)], start=11), Told(position=(11, 0))).scores == {}
