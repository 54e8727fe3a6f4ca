"""A rule kind may bring its own evaluation along, in plain Python, whether the kernel is compiled or not."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

from scoring.compiled import CompiledModel
from scoring.evaluators import Evaluator, Matched
from scoring.kernel import Kernel
from scoring.known import NO_MATCH, Known
from scoring.matchers import Matcher
from scoring.points import NEVER
from scoring.reading import read_model
from scoring.row_codec import encode_row
from scoring.rules.base import RuleKind, RulePlace, SignalNames
from tests.scoring.kernel.logs import T0, view

MODEL = """
model: own
version: 1
signals: {visit: {on: page_view, keep: 3}}
rules:
  engagement:
    odd: {each: visit, points: 5}
    third: {each: visit, points: 20}
tiers: {hot: {at_least: 25}, cold: {}}
"""


class _OddlyOften(Evaluator):
    def look(self, known: Known, at: int) -> tuple[int, int, int]:
        count = _visits(known)
        return (5, at, NEVER) if count % 2 else (0, 0, NEVER)


class _Third(Matcher):
    def match(self, known: Known) -> int:
        return known.latest[0] if _visits(known) == 3 else NO_MATCH


def _visits(known: Known) -> int:
    return (known.evidence[0] & 63) + 1 if len(known.evidence) else 0


@dataclass(frozen=True, slots=True)
class Odd(RuleKind):
    KIND: ClassVar[str] = "odd"
    odd: SignalNames

    def signals(self) -> tuple[str, ...]:
        return self.odd

    def evaluator(self, place: RulePlace) -> Evaluator:
        return _OddlyOften(place.number)


@dataclass(frozen=True, slots=True)
class Third(RuleKind):
    KIND: ClassVar[str] = "third"
    third: SignalNames

    def signals(self) -> tuple[str, ...]:
        return self.third

    def evaluator(self, place: RulePlace) -> Evaluator:
        return Matched(place.number, place.worth)

    def matcher(self, place: RulePlace) -> Matcher:
        return _Third(place.number)


def test_a_kind_evaluates_itself() -> None:
    model = read_model(MODEL, "own.yaml")
    odd, third = model.rules
    rules = (dataclasses.replace(odd, kind=Odd(("visit",))), dataclasses.replace(third, kind=Third(("visit",))))
    kernel = Kernel(CompiledModel(dataclasses.replace(model, rules=rules)))
    row = kernel.new("lead-1")
    scores = []
    for number in range(3):
        kernel.event(row, kernel.see(view(number, "/")))
        scores.append(row.scores[3])

    assert scores == [5, 0, 25]
    assert (row.tier_name, row.tier_since) == ("hot", T0 + 2)
    kernel.rest(row)
    assert list(kernel.read("lead-1", encode_row(kernel.model, row)).matches) == [NO_MATCH, T0 + 2]
