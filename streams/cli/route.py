"""`leadstream route`: the kernel of routing over files, without Kafka."""

from __future__ import annotations

from typing import Any

import click

from schemas.routing_wire import SlaEventOut, encode_assignment, encode_sla_event
from scoring.routing.telling import Told
from streams.cli.base import TIME, Results, event_files, id_key_of, progress, say, with_settings
from streams.engine.collector import no_collector
from streams.event_files import size_of
from streams.event_lines import Refusals
from streams.file_routing import FileRouting, RoutingLines
from streams.policy_files import policy_beside
from streams.settings import Settings

__all__ = ["route"]

_LINES_AT_ONCE = 10_000
"""So many lines are routed before what came of them is written."""


class _WithBackfill(click.Command):
    """Takes files, or the word `backfill` and its own options."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if args[:1] == ["backfill"]:
            from streams.cli.backfill import backfill  # noqa: PLC0415  # it brings a client of Kafka

            context: click.Context = backfill.make_context(f"{info_name} backfill", args[1:], parent, **extra)
            return context
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=_WithBackfill)
@event_files
@click.option(
    "--policy", "policy_file", metavar="POLICY", help="A policy file or a shipped name; rows of lead-routing have one."
)
@click.option("--until", "until_ms", type=TIME, help="Moves time on at the end, never back. Default: the last line's.")
@with_settings
def route(settings: Settings, files: tuple[str, ...], policy_file: str | None, until_ms: int | None) -> int:
    """Owners and clocks of the lines in FILE… as JSON lines: assignments and SLA events as they come.

    A line is a tier change as `leadstream score` prints it, an event of kind sales_activity, or a row of lead-routing
    as `leadstream read lead-routing` prints it; other events and scores are skipped. `-` is standard input; gzip is
    read as such. Several files are merged by the lines' own times:

    leadstream score --model M FILE | leadstream route --policy P - FILE

    Lines that cannot be used are told on standard error, one JSON object each, and the rest is routed; exit code 1.

    `leadstream route backfill` gives owners to leads that were in a tier before routing was switched on; a file of that
    name is written ./backfill.
    """
    policy = policy_beside(files, policy_file)
    routing, refusals, results = FileRouting(policy), Refusals(), Results()

    def write() -> None:
        _write(results, routing.told())

    with no_collector(to_the_end=True), progress("Routing", size_of(files), results=True) as moved:
        for line in RoutingLines(id_key_of(settings), refusals, moved, write).merged(files):
            routing.take(line)
            if routing.waiting >= _LINES_AT_ONCE:
                write()
        _write(results, routing.end(until_ms))
    for problem in routing.problems:
        say(problem)
    return 1 if refusals.count else 0


def _write(results: Results, told: list[Told]) -> None:
    for one in told:
        if isinstance(one, SlaEventOut):
            results.raw(b'{"type":"sla_event",' + encode_sla_event(one)[1:])
        else:
            results.raw(b'{"type":"assignment",' + encode_assignment(one)[1:])
    results.flush()
