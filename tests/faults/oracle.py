"""The oracle: recounts what lies on the broker and names everything that is not as promised."""

from __future__ import annotations

from tests.faults.carried import Plan, not_as_carried
from tests.faults.folded import not_as_folded
from tests.faults.ledger import Ledger

__all__ = ["violations"]


def violations(ledger: Ledger, *, prefix: str, partitions: int, doubles: bool = True) -> list[str]:
    """Everything that is not as promised; empty where all is well.

    Args:
        ledger: What lies on the broker, once everything is worked off.
        prefix: Of the topics.
        partitions: Of the log.
        doubles: Whether ingest may have carried a record twice (it was killed); the same event counts once.
    """
    plan = Plan.of(ledger, prefix, partitions)
    return [*not_as_carried(ledger, plan, doubles=doubles), *not_as_folded(ledger, partitions)]
