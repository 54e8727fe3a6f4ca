"""The fold of route tells what the naive reference tells, in the same order, wherever it is cut and taken up again."""

import json
import os
from random import Random
from typing import Any

import msgspec
import pytest

from schemas.routing_log import encode_routing
from schemas.times import iso
from scoring.routing.fold import RoutingFold
from tests.property.routing_world import Record, World, row_of
from tests.reference.routing.router import Reference

LENGTH = 60
CASES = int(os.environ.get("LEADSTREAM_PROPERTY_CASES", "1000"))


def told_by_reference(policy: dict[str, Any], records: list[Record]) -> list[dict[str, Any]]:
    reference = Reference(policy)
    for record in records:
        reference.play(record)
    return [in_text(one) for one in reference.out]


def in_text(told: dict[str, Any]) -> dict[str, Any]:
    times = ("since", "effective_at", "due_at", "started_at")
    made = {name: iso(value) if name in times else value for name, value in told.items()}
    return made | ({"sla": in_text(told["sla"])} if told.get("sla") else {})


def told_by_fold(policy: dict[str, Any], records: list[Record], chance: Random) -> list[dict[str, Any]]:
    """In packs of any size, in steps of any size, and with the state put away and taken up again in between."""
    rows = [row_of(record) for record in records]
    values, place = list[tuple[int, bytes]](), 0
    while place < len(rows):
        size = chance.choice((1, 1, 2, 5, 20))
        values.append((len(values), encode_routing(rows[place : place + size])))
        place += size
    table: dict[bytes, bytes] = {}
    fold, told, position = RoutingFold(max_step_leads=chance.choice((1, 2, 5_000))), list[dict[str, Any]](), (0, 0)
    fold.opened()
    fold.start_with(json.dumps(policy))
    while position[0] < len(values):
        end = min(position[0] + chance.choice((1, 3, 10)), len(values))
        step = fold.fold(values[position[0] : end], position)
        assert step.position > position or step.told or step.rows or step.memo
        position = step.position
        told += [msgspec.to_builtins(one) for one in step.told]
        for key, value in step.rows:
            if value is None:
                table.pop(key, None)
            else:
                table[key] = value
        if chance.random() < 0.2:
            fold = RoutingFold(max_step_leads=chance.choice((1, 2, 5_000)), max_live=chance.choice((0, 1, 100)))
            fold.restore(list(table.items()))
            fold.restore_memo(step.memo)
            fold.opened()
    return told


@pytest.mark.property
@pytest.mark.parametrize("case", range(CASES))
def test_the_fold_tells_what_the_reference_tells(case: int) -> None:
    world = World(case)
    policy = world.policy()
    records = world.stream(policy, LENGTH)
    expected = told_by_reference(policy, records)
    assert told_by_fold(policy, records, Random(case)) == expected
    ids = [told["id"] for told in expected if "id" in told]
    assert len(ids) == len(set(ids)), "an id of an SLA event came twice"
