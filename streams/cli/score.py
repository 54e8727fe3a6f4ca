"""`leadstream score`: the kernel over files, without Kafka."""

from __future__ import annotations

import click

from schemas.outputs_wire import LeadScoreOut, MergedLeadOut, TierChangeOut, encode_tier_change
from schemas.routing_lines import routing_members
from schemas.routing_log import RoutingRow
from streams.cli.base import TIME, Results, event_files, id_key_of, progress, say, with_settings
from streams.engine.collector import no_collector
from streams.event_files import size_of
from streams.event_lines import Refusals
from streams.file_scoring import FileScoring
from streams.line_rows import reading
from streams.model_files import model_beside
from streams.settings import Settings

__all__ = ["score"]

_ROWS_AT_ONCE = 100_000
"""So many rows are scored before tier changes are written: leads that come again are cheap within them."""

_SCORE_FIELDS = ("lead_id", "tier", "fit", "engagement", "risk", "total", "reasons", "changes_next_at")


@click.command()
@event_files
@click.option(
    "--model", "model_file", metavar="MODEL", help="A model file or a shipped name; rows of the log have one."
)
@click.option("--until", "until_ms", type=TIME, help="Time at the end; later events are left out. Default: the last.")
@click.option("--routing", is_flag=True, help="Instead of tier changes all that `leadstream route -` reads of FILE…")
@click.option("--scores", is_flag=True, help="Then one line per lead, sorted by lead_id.")
@with_settings
def score(
    settings: Settings,
    files: tuple[str, ...],
    model_file: str | None,
    until_ms: int | None,
    routing: bool,
    scores: bool,
) -> int:
    """Tier changes of the events in FILE… as JSON lines; with --scores then where every lead stands.

    A line is an event as producers send it (with `received_at`, where it is known), or a row of the log as
    `leadstream read lead-events` prints it. `-` is standard input; gzip is read as such. Time is that of the lines.

    An event that names its lead in several ways (lead_id, email, anonymous_id) makes one lead of them at once; an alias
    has a line "merged" instead of its score.

    With --routing there are also requests, sales activities and merges, each under the name of the lead that it belongs
    to: `leadstream score --routing --model M FILE | leadstream route --policy P -` says what the stream would.

    Lines that cannot be used are told on standard error, one JSON object each, and the rest is scored; exit code 1.
    """
    model = model_beside(files, model_file)
    scoring = FileScoring(model, until_ms, keep_routing=routing)
    refusals, results = Refusals(), Results()

    def write(changes: list[TierChangeOut]) -> None:
        if routing:
            _write_routing(results, scoring.routing())
        else:
            _write(results, changes)

    with (
        no_collector(to_the_end=True),
        reading(files, id_key_of(settings)) as blocks,
        progress("Scoring", size_of(files), results=True) as moved,
    ):
        for block in blocks:
            for refusal in block.refused:
                refusals.note(refusal)
            scoring.take(block)
            moved(block.moved)
            if block.pauses or scoring.waiting >= _ROWS_AT_ONCE:
                write(scoring.changes())
        write(scoring.end())
    if scores:
        for lead in scoring.scores():
            results.line(_plain(lead))
    for problem in scoring.problems:
        say(problem)
    return 1 if refusals.count else 0


def _write(results: Results, changes: list[TierChangeOut]) -> None:
    for change in changes:
        results.raw(b'{"type":"tier_change",' + encode_tier_change(change)[1:])
    results.flush()


def _write_routing(results: Results, rows: list[RoutingRow]) -> None:
    for row in rows:
        results.line(routing_members(row))
    results.flush()


def _plain(lead: LeadScoreOut | MergedLeadOut) -> dict[str, object]:
    if isinstance(lead, MergedLeadOut):
        return {"type": "merged", "lead_id": lead.lead_id, "merged_into": lead.merged_into}
    line = {"type": "score"} | {name: getattr(lead, name) for name in _SCORE_FIELDS}
    return line | ({"names": lead.names} if lead.names else {}) | ({"shared": True} if lead.shared else {})
