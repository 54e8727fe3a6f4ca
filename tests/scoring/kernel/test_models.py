"""A new model in the log: every lead looked at again behind the row."""

from schemas.log import ModelControl
from tests.scoring.kernel.logs import DAY, HOUR, T0, Told, at_text, control, log, new_fold, run, tell, view


def model(points: int, *, version: int, signal: str = "{on: page_view}", hold: str = "30d", tiers: str = "") -> str:
    return f"""model: test
version: {version}
signals: {{visit: {signal}}}
rules: {{engagement: {{r: {{each: visit, points: {points}, hold: {hold}}}}}}}
tiers: {tiers or "{hot: {at_least: 60}, cold: {}}"}
"""


OLD = model(50, version=1)


def test_every_lead_is_assessed_behind_the_row_in_order_of_its_name() -> None:
    rows = [view(at, lead=lead) for at, lead in enumerate(["c", "a", "b"])]
    told = tell(OLD, *rows, control(HOUR, model(60, version=2)))

    assert [(one.lead_id, one.seq, one.to_tier, one.effective_at) for one in told.changes] == [
        ("a", 1, "hot", at_text(HOUR)),
        ("b", 1, "hot", at_text(HOUR)),
        ("c", 1, "hot", at_text(HOUR)),
    ]
    assert {str(one.cause) for one in told.changes} == {"{'model': 2}"}
    assert {one.model.version for one in told.changes} == {2}


def test_a_version_that_is_not_greater_does_nothing() -> None:
    assert tell(OLD, view(0), control(1, model(60, version=1))).changes == []
    both = [control(1, model(50, version=3)), control(2, model(60, version=2))]
    assert tell(OLD, view(0), *both).changes == []


def test_deadlines_that_were_due_come_first() -> None:
    told = tell(OLD, view(0), control(30 * DAY, model(60, version=2)))

    assert told.changes == []
    assert told.reasons() == []


def test_the_old_points_do_not_linger() -> None:
    told = tell(OLD, view(0), control(1, model(60, version=2, hold="1h")), until=HOUR)

    assert told.path() == [("hot", 1), ("cold", HOUR)]


def test_a_changed_signal_starts_empty_and_an_unchanged_one_does_not() -> None:
    changed = model(60, version=2, signal="{on: [page_view, download]}")
    renamed = OLD.replace("visit", "seen").replace("version: 1", "version: 2").replace("points: 50", "points: 60")

    assert tell(OLD, view(0), control(1, changed)).reasons() == []
    assert tell(OLD, view(0), control(1, changed), view(2)).reasons() == [("r", 60)]
    assert tell(OLD, view(0), control(1, renamed)).reasons() == [("r", 60)]


def test_what_a_model_in_between_did_not_have_is_gone_or_kept_but_never_wrong() -> None:
    """Back to the first definition: what was seen under it counts or not, what was seen under the other does not."""
    other = model(60, version=2, signal="{on: page_view, where: {path: /b}}")
    told = tell(OLD, view(0), control(1, other), view(2, "/b"), control(3, OLD.replace("version: 1", "version: 3")))

    assert told.reasons() in ([], [("r", 50)])


def test_a_tier_that_the_new_model_does_not_have_counts_as_the_last() -> None:
    first = model(60, version=1)
    renamed = model(60, version=2, tiers="{top: {at_least: 60}, rest: {}}")
    told = tell(first, view(0), control(1, renamed))

    assert [(one.from_tier, one.to_tier) for one in told.changes] == [("cold", "hot"), ("hot", "top")]


def test_a_body_that_is_no_model_keeps_the_old_one_and_is_reported() -> None:
    for body in ("", "model: [", "model: test\nversion: 2\n", "\ud7ff", "a: &x [*x]"):
        fold = new_fold(OLD)
        bad = ModelControl(T0 + 1, "test", 2, "0" * 64, body)
        told = run(fold, log([view(0), bad, view(2)]))

        assert told.reasons() == [("r", 50)]
        assert len(told.problems) == 1
        assert fold.model is not None
        again = run(fold, log([control(3, model(60, version=3))], start=3), Told(position=(3, 0)))
        assert [one.to_tier for one in again.changes] == ["hot"]


def test_a_reassessment_is_cut_and_goes_on_after_a_restart() -> None:
    leads = [f"lead-{number:03d}" for number in range(200)]
    rows = [view(0, lead=lead) for lead in leads]
    records = log([*rows, control(HOUR, model(60, version=2)), view(2 * HOUR, lead="lead-000")])
    whole = run(new_fold(OLD), records)
    cut = run(new_fold(OLD, max_step_bytes=2_000), records)

    assert cut.steps > 10
    assert cut.bodies() == whole.bodies()
    assert [one.lead_id for one in whole.changes] == leads


def test_a_signal_that_keeps_fewer_keeps_the_latest_with_their_keys() -> None:
    def repeat(version: int, keep: int) -> str:
        visit = f"{{on: page_view, distinct: session_id, keep: {keep}}}"
        rule = "{repeat: visit, times: 2, within: 9ms, points: 5}"
        return model(1, version=version, signal=visit).replace("{each: visit, points: 1, hold: 30d}", rule)

    # The visit of s2 moves from 20 to 40; of the visits at 10, 20 and 30 only those two were kept.
    visits = [view(10 * number, session=f"s{number}") for number in (1, 2, 3)]
    told = tell(repeat(1, 5), *visits, control(31, repeat(2, 2)), view(40, session="s2"), view(48, session="s3"))

    assert told.reasons() == [("r", 5)]
    assert tell(repeat(1, 5), *visits, control(31, repeat(2, 2)), view(38, session="s3")).reasons() == []
