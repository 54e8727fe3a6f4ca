"""Making a case that shows a difference smaller, so that a person can read it."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from scoring.reading import ModelError
from tests.property.comparing import Case

__all__ = ["smallest"]

Plain = dict[str, Any]

OPTIONAL = ("where", "except", "distinct", "keep", "request", "group", "hold", "fade", "halve", "at_most", "in_order",
            "broken_by", "leave_below", "stay_at_least", "fit_at_least", "engagement_at_least", "requires_any",
            "min", "max", "of")  # fmt: skip


def smallest(case: Case, differs: Callable[[Case], bool], tries: int = 2_000) -> Case:
    """A smaller case that still differs; each step takes one thing away, until nothing can be."""
    shrunk = True
    while shrunk:
        shrunk = False
        for candidate in _smaller(case):
            tries -= 1
            if tries < 0:
                return case
            if _is_one(candidate, differs):
                case, shrunk = candidate, True
                break
    return case


def _is_one(case: Case, differs: Callable[[Case], bool]) -> bool:
    try:
        return differs(case)
    except (ModelError, KeyError, ValueError, AssertionError):
        return False  # what was taken away was needed


def _smaller(case: Case) -> Iterator[Case]:
    records = case.records
    size = len(records) // 2
    while size:
        for begin in range(0, len(records), size):
            yield replace(case, records=[*records[:begin], *records[begin + size :]])
        size //= 2
    if case.share or case.restarts:
        yield replace(case, share=0.0, restarts=0.0)
        yield replace(case, share=0.0, restarts=1.0)
    yield from (replace(case, step_bytes=3 << 20) for _ in range(case.step_bytes < 3 << 20))
    for number, record in enumerate(records):
        for place, row in enumerate(record.rows):
            if len(record.rows) > 1:
                fewer = replace(record, rows=[*record.rows[:place], *record.rows[place + 1 :]])
                yield replace(case, records=[*records[:number], fewer, *records[number + 1 :]])
            if "model" in row:
                for model in _smaller_models(row["model"]):
                    other = replace(record, rows=[row | {"model": model}])
                    yield replace(case, records=[*records[:number], other, *records[number + 1 :]])
    yield from (replace(case, model=model) for model in _smaller_models(case.model))


def _smaller_models(model: Plain) -> Iterator[Plain]:
    for path in list(_paths(model)):
        smaller = copy.deepcopy(model)
        part: Any = smaller
        for step in path[:-1]:
            part = part[step]
        del part[path[-1]]
        yield smaller


def _paths(part: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(part, dict):
        for key, value in part.items():
            named = len(path) == 1 and path[0] in ("signals", "tiers", "score")
            if key in OPTIONAL or named or (len(path) == 2 and path[0] == "rules") or (not path and key == "publish"):
                yield (*path, key)
            yield from _paths(value, (*path, key))
