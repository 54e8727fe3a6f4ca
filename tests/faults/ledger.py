"""Everything that a pipeline left on the broker, as the oracle reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from schemas.topics import DEAD_LETTERS, LEAD_INTERNAL, LEAD_SCORES, LEADS_CHANGELOG, RAW_TOPICS, TIER_CHANGES
from streams.dead_letters import REPLAYED_HEADER
from tests.pipeline import Kept, LogRecord, Pipeline

__all__ = ["Ledger"]


@dataclass(slots=True)
class Ledger:
    """Records by topic, each list in order of partition and offset.

    Attributes:
        raw: By topic, without the prefix.
        letters: Dead letters, without the notes of what was sent back.
    """

    raw: dict[str, list[Kept]] = field(default_factory=dict)
    internal: list[Kept] = field(default_factory=list)
    log: list[LogRecord] = field(default_factory=list)
    letters: list[Kept] = field(default_factory=list)
    changes: list[Kept] = field(default_factory=list)
    scores: list[Kept] = field(default_factory=list)
    changelog: list[Kept] = field(default_factory=list)

    @classmethod
    def of(cls, run: Pipeline) -> Ledger:
        """Reads every topic."""
        return cls(
            {topic: run.read(topic) for topic in RAW_TOPICS},
            run.read(LEAD_INTERNAL),
            run.log_records(),
            [one for one in run.read(DEAD_LETTERS) if REPLAYED_HEADER not in dict(one.headers)],
            run.read(TIER_CHANGES),
            run.read(LEAD_SCORES),
            run.read(LEADS_CHANGELOG),
        )
