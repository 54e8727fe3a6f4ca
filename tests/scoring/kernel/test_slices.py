"""The same log gives the same story, however it is cut, and wherever the fold is begun again."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.log import LogRow
from scoring.partition import PartitionFold
from scoring.shipped import shipped_text
from tests.scoring.kernel.logs import (
    DAY,
    HOUR,
    MINUTE,
    Records,
    Told,
    activity,
    alarm,
    bounced,
    by_hand,
    clicked,
    control,
    download,
    form,
    log,
    new_fold,
    opened,
    profile,
    run,
    view,
)

B2B = shipped_text("b2b-default")
NEXT = B2B.replace("version: 1", "version: 2", 1).replace("at_least: 40", "at_least: 30")
LEADS = ("ann", "bob", "cyd", "dan")
PATHS = ("/pricing", "/services", "/blog/x", "/product", "/careers")


@st.composite
def rows(draw: st.DrawFn) -> list[LogRow]:
    """Some dozen rows over some weeks, with late ones and ties, alarms and a new model."""
    clock, listed = 0, list[LogRow]()
    for number in range(draw(st.integers(5, 40))):
        clock += draw(st.sampled_from([0, 1, MINUTE, HOUR, DAY, 10 * DAY, 14 * DAY]))
        listed.append(draw(a_row(number, clock)))
    return [*listed, alarm(clock + 400 * DAY)]


@st.composite
def a_row(draw: st.DrawFn, number: int, clock: int) -> LogRow:
    """A row that is received now."""
    lead = draw(st.sampled_from(LEADS))
    at = max(0, clock - draw(st.sampled_from([0, 0, 0, HOUR, DAY])))
    more: dict[str, Any] = {"lead": lead, "received": clock}
    path, kind = draw(st.sampled_from(PATHS)), draw(st.sampled_from(["demo", "rfp", "contact"]))
    makers: list[Callable[[], LogRow]] = [
        lambda: view(at, path, session=f"s{number // 2}", event_id=f"v{number}", **more),
        lambda: form(at, kind, event_id=f"f{number}", **more),
        lambda: opened(at, f"m{number % 5}", **more),
        lambda: clicked(at, **more),
        lambda: bounced(at, **more),
        lambda: download(at, **more),
        lambda: profile(at, seniority="vp", industry="saas", company_size=60 * (number % 3), **more),
        lambda: activity(clock, lead=lead),
        lambda: by_hand(clock, lead=lead),
        lambda: alarm(clock),
        lambda: control(clock, NEXT),
    ]
    return draw(st.sampled_from(makers))()


def together() -> st.SearchStrategy[int]:
    """How many rows of the log are applied together."""
    return st.integers(1, 12)


def begun_again(told: Told) -> PartitionFold:
    """A fold that knows only what was made durable."""
    fold = PartitionFold(max_step_bytes=3 << 20)
    fold.restore(list(told.rows.items()))
    fold.restore_memo(told.memo)
    fold.opened()
    return fold


def content(told: Told) -> dict[str, Any]:
    """What consumers of `lead-scores` compare: all but what time and later evidence may move silently."""
    return {
        lead: (
            *(one.tier, one.tier_since, one.seq, one.fit, one.engagement, one.risk, one.total, one.as_of),
            *((reason.rule, reason.points) for reason in one.reasons),
        )
        for lead, one in told.scores.items()
    }


def sliced(records: Records, cuts: Sequence[int]) -> list[Records]:
    """The records in pieces."""
    ends = sorted({min(cut, len(records)) for cut in cuts} | {len(records)})
    return [records[begin:end] for begin, end in zip([0, *ends], ends, strict=False) if begin < end]


@given(rows(), st.integers(1, 9), st.lists(st.integers(0, 40)), st.integers(300, 5_000), st.integers(1, 5), together())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_slices_and_small_steps_give_the_same(
    made: list[LogRow], pack: int, cuts: list[int], step_bytes: int, step_deadlines: int, together: int
) -> None:
    records = log(made, pack=pack)
    whole = run(new_fold(B2B), records)
    fold = new_fold(B2B, max_step_bytes=step_bytes, max_step_deadlines=step_deadlines, together=together)
    told = Told()
    for piece in sliced(records, cuts):
        run(fold, piece, told)

    assert told.bodies() == whole.bodies()
    assert content(told) == content(whole)
    assert told.rows == whole.rows
    assert told.routing == whole.routing


@given(rows(), st.integers(1, 9), together())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_few_rows_together_give_in_one_step_what_many_give(made: list[LogRow], pack: int, together: int) -> None:
    records = log(made, pack=pack)
    many = new_fold(B2B).fold(records)
    few = new_fold(B2B, together=together).fold(records)

    assert [few.position, few.memo, few.applied] == [many.position, many.memo, many.applied]
    assert [few.changes, few.routing] == [many.changes, many.routing]
    assert sorted(few.lateness_ms) == sorted(many.lateness_ms)
    assert sorted(few.rows) == sorted(many.rows)
    assert {score.lead_id: score for score in few.scores} == {score.lead_id: score for score in many.scores}


@given(rows(), st.integers(1, 9), st.lists(st.integers(0, 40)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_begun_again_after_every_step_from_what_is_durable(made: list[LogRow], pack: int, cuts: list[int]) -> None:
    records = log(made, pack=pack)
    whole = run(new_fold(B2B), records)
    fold = new_fold(B2B, max_step_bytes=1_500, max_step_deadlines=2)
    told = Told()
    for piece in sliced(records, cuts):
        while told.position[0] <= piece[-1][0]:
            step = fold.fold([one for one in piece if one[0] >= told.position[0]], told.position)
            told.position = (step.position[0], step.position[1])
            told.changes += step.changes
            told.scores |= {score.lead_id: score for score in step.scores}
            told.rows |= dict(step.rows)
            told.routing += step.routing
            told.memo = step.memo
            fold = begun_again(told)

    assert told.bodies() == whole.bodies()
    assert content(told) == content(whole)
    assert told.rows == whole.rows
    assert told.routing == whole.routing


@given(rows(), st.integers(0, 40))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_step_that_was_lost_is_made_again_with_the_same_bodies(made: list[LogRow], cut: int) -> None:
    """Killed after the outputs and before the rows: the same changes with the same ids come again."""
    records = log(made)
    at = min(cut, len(records) - 1)
    told = Told()
    fold = new_fold(B2B)
    if at:
        run(fold, records[:at], told)
        durable = begun_again(told)
    else:
        durable = new_fold(B2B)
    once, again = Told(position=(at, 0)), Told(position=(at, 0))
    run(fold, records[at:], once)
    run(durable, records[at:], again)

    assert again.bodies() == once.bodies()
    assert again.routing == once.routing


def test_a_fold_that_is_given_up_is_free_at_once() -> None:
    """Workers keep the collector from looking at millions of rows, so nothing may wait for it."""
    others = _folds()
    fold = PartitionFold()
    fold.start_with(shipped_text("b2b-default"))
    gc.disable()
    try:
        assert _folds() == others + 1
        del fold
        assert _folds() == others
    finally:
        gc.enable()


def _folds() -> int:
    return sum(isinstance(found, PartitionFold) for found in gc.get_objects())
