"""Evidence does not depend on the order in which events arrive, nor on how often: the same occurrences stay."""

from random import Random
from typing import Any

import msgspec
import pytest

from scoring.evidence import signals_in, unpacked
from scoring.partition import PartitionFold
from tests.property.models import ModelWriter, model_text
from tests.property.streams import T0, LogWriter, Record, Row, encoded

CASES = 150


def evidence(model: str, rows: list[Row], pack: int) -> list[Any]:
    """What a row keeps of signals and profile, told by its bytes; all rows are received at one moment."""
    fold = PartitionFold()
    fold.opened()
    fold.start_with(model)
    records = [Record(T0, rows[begin : begin + pack]) for begin in range(0, len(rows), pack)]
    (value,) = [row for key, row in fold.fold(encoded(records)).rows if key == b"lead-1"]
    _, _, _, _, signals, _, profile, _ = msgspec.msgpack.decode(value[9:])
    kept = unpacked(signals)
    return [sorted(tuple(kept[begin - 1 : end]) for _, begin, end in signals_in(kept)), sorted(profile.items())]


@pytest.mark.property
@pytest.mark.parametrize("case", range(CASES))
def test_any_order_and_doubles_leave_the_same_evidence(case: int) -> None:
    chance = Random(case)
    writer = ModelWriter(chance)
    signals = {f"s{number}": writer.signal() for number in range(4)}
    for body in signals.values():
        body["keep"] = chance.choice((1, 2, 3, 4))
    rules = {"fit": {"r": {"profile": {"industry": "saas"}, "points": 1}}}
    model = {"model": "random", "version": 1, "publish": ["country"], "signals": signals, "rules": rules}
    model |= {"tiers": {"cold": {}}}
    log = LogWriter(chance, model, leads=1)
    # Few times, so that many are equal and the key decides which stay.
    rows = [log.event() | {"received_at": T0, "occurred_at": T0 - chance.randint(0, 3)} for _ in range(30)]
    again = [*rows, *chance.sample(rows, 10)]
    chance.shuffle(again)

    text = model_text(model)
    assert evidence(text, again, pack=7) == evidence(text, rows, pack=1)
