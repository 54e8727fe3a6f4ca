"""What follows from what: signals and unions of them of which one holds whenever another does.

All answers err on the side of no: what is called implied is, what is not called so may still be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scoring.language.implied import conditions_imply
from scoring.model import Model, Signal

__all__ = [
    "Signals",
    "by_name",
    "same_signals",
    "union_implies",
]

Signals = Mapping[str, Signal]


def by_name(model: Model) -> dict[str, Signal]:
    """The signals of a model by name."""
    return {signal.name: signal for signal in model.signals}


def same_signals(these: Iterable[str], those: Iterable[str], signals: Signals) -> bool:
    """Whether two unions count the same events, whatever their signals are called."""
    return {signals[name].digest for name in these} == {signals[name].digest for name in those}


def union_implies(these: Iterable[str], those: Iterable[str], signals: Signals) -> bool:
    """Whether every event of one union is one of the other."""
    wider = [signals[name] for name in those]
    return all(any(_signal_implies(signals[name], other) for other in wider) for name in these)


def _signal_implies(narrow: Signal, wide: Signal) -> bool:
    """Whether every event of `narrow` is one of `wide`."""
    if narrow.digest == wide.digest:
        return True
    return (
        set(narrow.on) <= set(wide.on)
        and conditions_imply(narrow.where, wide.where)
        and (not wide.excepted or set(narrow.excepted) == set(wide.excepted))
    )
