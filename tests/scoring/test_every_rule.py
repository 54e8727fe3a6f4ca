"""What holds for every rule kind, also for one that is added tomorrow: kinds and their keys are found by themselves."""

import inspect
import json
import sys
from dataclasses import MISSING
from pathlib import Path
from random import Random
from typing import Any

import pytest

import scoring
from schemas.log import LogRow
from schemas.times import parse_iso
from scoring.language.kinds import Key, keys_of
from scoring.outcomes import score_of
from scoring.partition import PartitionFold
from scoring.reading import read_model
from scoring.rules import RULE_KINDS, RuleKind
from scoring.rules.base import Conditions, Duration, SignalNames
from scoring.show.words import rule_words
from tests.scoring.kernel.logs import T0, Told, log, new_fold, profile, run, view

CASES = 25
"""Random rules of each kind, each with a log of its own."""

SIGNALS = """
  a: {on: page_view, where: {path: /a}}
  b: {on: page_view, where: {path: /b}}
  ab: {on: page_view, where: {path: [/a, /b]}, keep: 8}
  c: {on: page_view, where: {path: /c}}
"""
LONGEST = 20
"""Milliseconds: of all durations here, so that every moment can be looked at."""

every_kind = pytest.mark.parametrize("kind", RULE_KINDS, ids=lambda kind: kind.KIND)
every_case = pytest.mark.parametrize("case", range(CASES))


def a_rule(kind: type[RuleKind], chance: Random) -> dict[str, Any]:
    """A random rule of a kind, made of what its annotations say."""
    keys = [key for key in keys_of(kind) if key.default is MISSING or chance.random() < 0.5]
    body = {key.name: a_value(key, chance) for key in keys} | {"points": chance.choice((-7, 1, 5, 30))}
    if kind.AGES:
        ages = [{}, {"fade": a_duration(chance)}, {"halve": a_duration(chance)}]
        body |= chance.choice(ages) | chance.choice(({}, {"hold": a_duration(chance)}))
    return body


def a_value(key: Key, chance: Random) -> Any:
    if key.form is int:
        assert key.times is not None
        return chance.randint(key.times.low, min(key.times.high, key.times.low + 2))
    if key.form is Duration:
        return a_duration(chance)
    if key.form is bool:
        return chance.random() < 0.8
    if key.form == Conditions:
        return chance.choice(({"industry": "saas"}, {"company_size": "50..500"}, {"industry": "s*", "vip": True}))
    one: list[Any] = ["a", "b", "ab", "c", ["a", "b"], ["b", "c"]]
    if key.form == SignalNames:
        return chance.choice(one)
    assert key.form == tuple[SignalNames, ...], f"say here how a value of {key.form} is made"
    return [chance.choice(one) for _ in range(chance.choice((2, 2, 3)))]


def a_duration(chance: Random) -> str:
    return f"{chance.choice((1, 2, 5, 10, LONGEST))}ms"


def a_model(kind: type[RuleKind], chance: Random) -> str:
    rules = json.dumps({"fit": {"r": a_rule(kind, chance)}})
    return f"""
model: one
version: 1
signals: {SIGNALS}
rules: {rules}
tiers: {{good: {{at_least: 5, leave_below: 3, stay_at_least: 3ms}}, rest: {{at_least: -3}}, bad: {{}}}}
"""


def a_log(chance: Random, rows: int = 14) -> list[LogRow]:
    """Page views and profiles some milliseconds apart, received in order of their times."""
    at, found = 0, list[LogRow]()
    for number in range(rows):
        at += chance.choice((0, 1, 1, 2, 5, 10, LONGEST))
        event_id = f"ev-{number}"
        if chance.random() < 0.75:
            found.append(view(at, chance.choice(("/a", "/b", "/c")), event_id=event_id))
        else:
            found.append(
                profile(
                    at,
                    event_id=event_id,
                    industry=chance.choice(("saas", "retail", "")),
                    company_size=chance.choice((50, 10, None)),
                    vip=chance.choice((True, False)),
                )
            )
    return found


def final(fold: PartitionFold) -> Any:
    """The score of the lead as it stands."""
    row = fold.row("lead-1")
    assert row is not None
    assert fold.kernel is not None
    return score_of(fold.kernel, row, 0)


def begun_again(told: Told) -> PartitionFold:
    """A fold that knows only the bytes that another has written."""
    fold = PartitionFold()
    fold.restore(told.rows.items())
    fold.restore_memo(told.memo)
    fold.opened()
    return fold


@every_kind
def test_it_is_documented(kind: type[RuleKind]) -> None:
    assert kind.__doc__
    assert (sys.modules[kind.__module__].__doc__ or "").startswith(f"Rule kind `{kind.KIND}`: ")
    for member in vars(kind).values():
        if inspect.isfunction(member) and not member.__name__.startswith("_"):
            assert member.__doc__, member.__name__


@every_kind
def test_it_has_one_module_a_test_and_a_place_in_the_schema(kind: type[RuleKind]) -> None:
    assert Path(inspect.getfile(kind)).stem == kind.KIND
    assert (Path(__file__).parent / "kernel" / f"test_{kind.KIND}.py").exists()
    schema = (Path(scoring.__file__).parent / "model.schema.json").read_text()
    assert f'"{kind.KIND}"' in schema


@every_kind
def test_its_sentence_names_all_of_its_keys_and_no_others(kind: type[RuleKind]) -> None:
    named = {part.split("}")[0] for part in kind.SENTENCE.split("{")[1:]}

    assert named == {key.name for key in keys_of(kind)}


@every_kind
@every_case
def test_it_can_be_said_in_words(kind: type[RuleKind], case: int) -> None:
    rule = read_model(a_model(kind, Random(case)), "model.yaml").rules[0]

    words = rule_words(rule)
    assert words
    assert not set("{}[]") & set(words)


@every_kind
def test_the_first_key_is_what_it_is_about(kind: type[RuleKind]) -> None:
    first = keys_of(kind)[0]

    assert first.name == kind.KIND
    assert first.required


@every_kind
@every_case
def test_deterministic_and_cut_anywhere(kind: type[RuleKind], case: int) -> None:
    chance = Random(case)
    model, records = a_model(kind, chance), log(a_log(chance), pack=3)
    once, again = (run(new_fold(model), records) for _ in range(2))
    in_pieces = run(new_fold(model, max_step_bytes=1, max_step_deadlines=0), records)

    assert once.bodies() == again.bodies() == in_pieces.bodies()
    assert once.rows == again.rows == in_pieces.rows


@every_kind
@every_case
def test_the_same_event_twice_adds_nothing(kind: type[RuleKind], case: int) -> None:
    chance = Random(case)
    model, rows = a_model(kind, chance), a_log(chance)
    one, two = new_fold(model), new_fold(model)
    once = run(one, log(rows))
    twice = run(two, log(row for row in rows for _ in range(2)))

    assert twice.bodies() == once.bodies()
    assert final(two) == final(one)


@every_kind
@every_case
def test_a_late_event_gives_what_it_would_have_given_in_time(kind: type[RuleKind], case: int) -> None:
    chance = Random(case)
    model, rows = a_model(kind, chance), a_log(chance, rows=9)
    late = chance.randrange(len(rows))
    end = rows[-1].received_at_ms
    in_time, out_of_order = new_fold(model), new_fold(model)
    run(in_time, log([*rows, later(rows[-1], end)]))
    run(out_of_order, log([*rows[:late], *rows[late + 1 :], later(rows[late], end)]))

    ours, theirs = final(out_of_order), final(in_time)
    # What a tier remembers of its way (hysteresis, the least stay) may differ; points do not.
    assert (ours.reasons, ours.total) == (theirs.reasons, theirs.total)


def later(row: LogRow, at: int) -> LogRow:
    """The same event, received later."""
    fields = {name: getattr(row, name) for name in row.__struct_fields__}
    return type(row)(**fields | {"received_at_ms": at})


@every_kind
@every_case
def test_a_row_says_all_that_is_needed(kind: type[RuleKind], case: int) -> None:
    chance = Random(case)
    model, rows = a_model(kind, chance), a_log(chance)
    fold = new_fold(model)
    told = run(fold, log(rows))

    assert final(begun_again(told)) == final(fold)


@every_kind
@every_case
def test_the_next_change_is_exact(kind: type[RuleKind], case: int) -> None:
    chance = Random(case)
    fold = new_fold(a_model(kind, chance))
    told = run(fold, log(a_log(chance)))
    before = final(fold)
    promised = None if before.changes_next_at is None else parse_iso(before.changes_next_at)

    begin = fold.log_time_ms
    clock = begun_again(told)
    for moment in range(begin, begin + 15 * LONGEST):
        while not clock.advance(moment):
            clock.finish()
        now = final(clock)
        changed = (now.tier, now.total, points(now)) != (before.tier, before.total, points(before))
        assert changed == (promised is not None and moment >= promised), moment - T0
        if changed:
            return
    assert promised is None


def points(score: Any) -> list[tuple[str, int]]:
    return [(reason.rule, reason.points) for reason in score.reasons]
