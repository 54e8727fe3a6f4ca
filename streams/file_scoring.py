"""The kernel over rows of files, without Kafka: what `score` and `explain` share.

Events are one partition, with the log time of `streams.event_lines`. Rows of the log, as `read lead-events` prints
them, are folded by partition with the log's own time and models, and so give what the stage gave; with a model of the
caller's own they are scored anew, and the log's models are passed over.

Events that name their lead in several ways link the names at once. In a log the links are rows, and so is what they
brought to other partitions; scored anew, that is what the caller's model has learnt of the alias instead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from schemas.log import EventRow, LogRow, Merge, ModelControl
from schemas.outputs_wire import LeadScoreOut, MergedLeadOut, TierChangeOut
from schemas.routing_log import RoutingRow
from schemas.topics import LEAD_EVENTS, LEAD_ROUTING
from scoring.model import Model
from scoring.outcomes import merged_of, score_of
from scoring.partition import FoldStep, PartitionFold
from scoring.people import People
from scoring.reading import ModelError, read_model
from streams.errors import UsageError
from streams.line_rows import Block

__all__ = ["FileScoring"]

_EVENTS = -1
"""The partition of lines that are events."""
_STEP_BYTES = 64 << 20
"""Rows are written to bytes when so much has changed: seldom, as nobody wants them."""
_STEP_DEADLINES = 1 << 40
"""A step has as many deadlines as its rows bring: cut by them, it would be many small ones."""
_READ_AT_ONCE = 10_000


class FileScoring:
    """Scores rows one after the other.

    Args:
        model: Holds from the first line; None: the models in the log do.
        until_ms: Time at the end; what is received later is left out. None: the last line's.
        keep_merges: Whether to remember what came with each alias.
        keep_routing: Whether to keep what score would copy for route.

    Attributes:
        merges: By alias, what came with it.
        waiting: How many rows were taken since `changes` was asked for.
        problems: What was wrong with models in the log.
    """

    def __init__(
        self,
        model: Model | None,
        until_ms: int | None = None,
        *,
        keep_merges: bool = False,
        keep_routing: bool = False,
    ) -> None:
        self._model, self._until_ms = model, until_ms
        self._people: People | None = None
        self._keep_merges = keep_merges
        self.merges: dict[str, Merge] = {}
        # Of a log: what aliases sent under the caller's model, by alias and number.
        self._sent: dict[tuple[str, int], bytes] = {}
        self._folds: dict[int, PartitionFold] = {}
        self._before_model: dict[int, list[tuple[int, LogRow]]] = defaultdict(list)
        self._changes: list[TierChangeOut] = []
        self._keep_routing, self._routing = keep_routing, list[RoutingRow]()
        self.waiting = 0
        self.problems: list[str] = []

    def take(self, block: Block) -> None:
        """Takes what some lines were.

        Raises:
            UsageError: There is an event among them, and no model.
        """
        if not block.places:
            for row in block.rows:
                self._take_event(row)
            return
        for row, place in zip(block.rows, block.places, strict=True):
            if place is None:
                self._take_event(row)
            else:
                self._take_log_row(*place, row)

    def _take_event(self, row: LogRow) -> None:
        """An event, or what its names say of each other."""
        if self._people is None:
            self._people = People(self._begin(_EVENTS), self._merged)
        self._apply(self._people, row, row.received_at_ms)

    def changes(self) -> list[TierChangeOut]:
        """Tier changes since the last call: of each partition in the order in which they were decided."""
        for fold in self._folds.values():
            self._changes += fold.told()
            self._routing += fold.told_routing()
        if not self._keep_routing:
            self._routing.clear()
        found, self._changes, self.waiting = self._changes, [], 0
        return found

    def routing(self) -> list[RoutingRow]:
        """What score would have copied for route by the last call of `changes` or `end`, in that order."""
        found, self._routing = self._routing, []
        return found

    def end(self) -> list[TierChangeOut]:
        """No more lines: moves time to the end; the last tier changes.

        Raises:
            UsageError: There are rows of the log, but no model for them.
        """
        if any(self._before_model.values()):
            partitions = ", ".join(str(partition) for partition, rows in self._before_model.items() if rows)
            raise UsageError(f"no model among the rows of partition {partitions}; give one with --model")
        for fold in self._folds.values():
            if self._until_ms is not None:
                self._advance(fold, self._until_ms)
            self._finish(fold)
        return self.changes()

    def scores(self) -> Iterator[LeadScoreOut | MergedLeadOut]:
        """Where every lead stands, or which lead an alias is, sorted by name. Only after `end`."""
        for number, (lead_id, fold) in enumerate(sorted(self.leads().items())):
            row = fold.row(lead_id)
            assert row is not None
            assert fold.kernel is not None
            yield merged_of(row) or score_of(fold.kernel, row, fold.log_time_ms)
            if not number % _READ_AT_ONCE:
                fold.finish()  # forgets rows that were only read

    def leads(self) -> dict[str, PartitionFold]:
        """Every lead, and the fold that knows it."""
        return {lead_id: fold for fold in self._folds.values() for lead_id in fold.lead_ids()}

    def owner_of(self, name: str) -> str:
        """The lead that a name belongs to in the end; the name itself where it is nobody's alias. Only after `end`."""
        leads = self.leads()
        while (fold := leads.get(name)) is not None and (row := fold.row(name)) is not None and row.is_merged:
            assert row.identity is not None
            if row.identity.owner not in leads:
                break
            name = row.identity.owner
        return name

    def _merged(self, merge: Merge) -> None:
        if self._keep_merges:
            self.merges.setdefault(merge.merged_from, merge)

    def _take_log_row(self, partition: int, safe_ms: int, row: LogRow) -> None:
        if self._keep_routing:
            raise UsageError(
                f"a row of {LEAD_EVENTS}: what route reads of it stands in {LEAD_ROUTING} already; read that"
            )
        fold = self._folds.get(partition)
        if fold is not None and self._model is not None and isinstance(row, ModelControl):
            self._advance(fold, safe_ms)
            return
        if fold is not None:
            if isinstance(row, Merge):
                self._learnt_anew(row)
                self._merged(row)
            self._apply(fold, row, safe_ms)
            return
        if self._model is not None:
            self._begin(partition)
            self._take_log_row(partition, safe_ms, row)
            return
        # The first model of a partition holds from its first row, as it does for the stage.
        self._before_model[partition].append((safe_ms, row))
        if isinstance(row, ModelControl) and (model := self._read(row)) is not None:
            self._begin(partition, model)
            for earlier in self._before_model.pop(partition):
                self._take_log_row(partition, *earlier)

    def _learnt_anew(self, merge: Merge) -> None:
        """Gives a merge of the log the body that the caller's model has made of the alias."""
        if self._model is None:
            return
        for fold in self._folds.values():
            self._note_sent(fold.sent())
        merge.body = self._sent.get((merge.merged_from, merge.number), merge.body)

    def _note_sent(self, sent: Iterable[object]) -> None:
        for row in sent:
            if isinstance(row, Merge):
                self._sent.setdefault((row.merged_from, row.number), row.body)

    def _read(self, control: ModelControl) -> Model | None:
        try:
            return read_model(control.body, control.model)
        except ModelError as error:
            self.problems.append(f"model {control.model} version {control.version} is passed over: {error}")
            return None

    def _begin(self, partition: int, first: Model | None = None) -> PartitionFold:
        model = first or self._model
        if model is None:
            raise UsageError("events need a model: --model FILE, or the name of a shipped one")
        fold = self._folds[partition] = PartitionFold(_STEP_BYTES, _STEP_DEADLINES, with_scores=False)
        fold.start_with(model.text, model.name)
        return fold

    def _apply(self, fold: PartitionFold | People, row: LogRow | EventRow, safe_ms: int) -> None:
        if self._until_ms is not None and max(safe_ms, row.received_at_ms) > self._until_ms:
            return
        while not fold.take(row, safe_ms):
            self._finish(fold)
        self.waiting += 1

    def _advance(self, fold: PartitionFold, time_ms: int) -> None:
        while not fold.advance(time_ms if self._until_ms is None else min(time_ms, self._until_ms)):
            self._finish(fold)

    def _finish(self, fold: PartitionFold | People) -> None:
        step: FoldStep = fold.finish()
        self._changes += step.changes
        self._routing += step.routing
        self.problems += step.problems
        if self._model is not None:
            self._note_sent(step.sent)
