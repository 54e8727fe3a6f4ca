"""A digest of everything that the fold makes of a log, and whether its kernel is compiled.

python -m tests.scoring.folded FILE     (msgpack: pairs of offset and value)
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import msgspec

from schemas.outputs_wire import encode_lead_score, encode_tier_change
from scoring.partition import PartitionFold
from scoring.shipped import shipped_text
from tests.compiled import is_compiled

__all__ = ["main"]

BATCH = 40


def main(path: str) -> None:
    """Prints `compiled` or `plain`, and the digest."""
    records = msgspec.msgpack.decode(Path(path).read_bytes(), type=list[tuple[int, bytes]])
    fold = PartitionFold(max_step_bytes=200_000)
    fold.start_with(shipped_text("b2b-default"))
    fold.opened()
    digest = hashlib.sha256()
    position = (0, 0)
    for start in range(0, len(records), BATCH):
        batch = records[start : start + BATCH]
        while position[0] <= batch[-1][0]:
            step = fold.fold(batch, position)
            position = step.position
            bodies = [encode_tier_change(change) for change in step.changes]
            bodies += [encode_lead_score(score) for score in step.scores]
            digest.update(repr((position, step.memo, step.rows, bodies, step.routing, step.lateness_ms)).encode())
    print("compiled" if is_compiled() else "plain", digest.hexdigest())


if __name__ == "__main__":
    main(sys.argv[1])
