"""The race's table: medians, and each engine's cost as a multiple of leadstream's, with an interval."""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tests.bench.peers.registry import PEERS
from tests.bench.table import README

__all__ = ["Ratio", "costs", "ratio", "table", "write_readme"]

OURS = "leadstream"
_MARKS = ("<!-- race -->", "<!-- end of race -->")


class Ratio(NamedTuple):
    """A median ratio, and where its median lies in 95 of 100 resamplings of the rounds."""

    middle: float
    low: float
    high: float


def ratio(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Ratio | None:
    """Of rounds that both ran, each round's ratio: both met the same moods of the machine."""
    each = [theirs[number] / ours[number] for number in sorted(ours.keys() & theirs.keys())]
    if not each:
        return None
    chance = random.Random(0)
    middles = sorted(statistics.median(chance.choices(each, k=len(each))) for _ in range(2000))
    return Ratio(statistics.median(each), middles[50], middles[-51])


def costs(results: Mapping[str, Any]) -> dict[str, dict[int, float]]:
    """Microseconds of processor time an event, by engine and round."""
    runs = results["trials"].get("backlog", {}).get("runs", {})
    return {name: {run["round"]: run["cpu_us"] for run in found} for name, found in runs.items()}


def table(results: Mapping[str, Any]) -> str:
    """Markdown."""
    lines = [
        "| engine | µs of CPU an event | events/s of CPU | times leadstream | p50 / p99 | MB for 100,000 leads "
        "| start on a new machine | tier changes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for peer in PEERS:
        cells = _cells(results, peer.name)
        if any(cells):
            version = results["versions"].get(peer.name, "").rpartition(" ")[2]
            durable = peer.durable or "nothing outlives it"
            lines.append(f"| {peer.title} {version} ({durable}) | {' | '.join(cell or '–' for cell in cells)} |")
        elif peer.name in results["absent"]:
            lines.append(f"| {peer.title} | not installed here: {results['absent'][peer.name].splitlines()[0]} |")
    return "\n".join([*lines, "", *_notes(results)])


def _cells(results: Mapping[str, Any], name: str) -> list[str]:
    trials = results["trials"]
    backlog, latency, recovery = (
        trials.get(trial, {}).get("runs", {}).get(name, []) for trial in ("backlog", "latency", "recovery")
    )
    cells = [""] * 7
    if backlog:
        cost = _median(backlog, "cpu_us")
        cells[0], cells[1] = f"{cost:.1f}", f"{1e6 / cost:,.0f}"
        found = ratio(costs(results).get(OURS, {}), costs(results)[name])
        if found and name != OURS:
            several = f" ({found.low:.2f} to {found.high:.2f})" if len(backlog) > 1 else ""
            cells[2] = f"{found.middle:.2f}{several}"
    if latency:
        cells[3] = f"{_median(latency, 'p50_ms'):.0f} / {_median(latency, 'p99_ms'):.0f} ms"
    if recovery:
        megabytes = statistics.median(run["memory_mb"] / run["leads"] * 100_000 for run in recovery)
        cells[4] = f"{megabytes:,.0f}"
        cells[5] = f"{_median(recovery, 'seconds'):.1f} s ({_round(recovery[0]['leads'])} leads)"
    if backlog or latency:
        cells[6] = _compared([*backlog, *latency])
    return cells


def _median(runs: Sequence[Mapping[str, float]], field: str) -> float:
    return statistics.median(run[field] for run in runs)


def _compared(runs: Sequence[Mapping[str, Any]]) -> str:
    total: dict[str, int] = {}
    for run in runs:
        for kind, number in run["compared"].items():
            total[kind] = total.get(kind, 0) + number
    wrong = [f"{number:,} {kind}" for kind, number in total.items() if number and kind != "expected"]
    return f"{', '.join(wrong)} of {total['expected']:,}" if wrong else "as the reference"


def _round(number: int) -> str:
    return f"{number / 1e6:.1f} M" if number >= 950_000 else f"{number / 1000:.0f} k"


def _notes(results: Mapping[str, Any]) -> list[str]:
    notes = []
    for trial, found in results["trials"].items():
        sizes, rounds = found["sizes"], max(run["round"] for runs in found["runs"].values() for run in runs)
        what = {
            "backlog": f"{sizes['warm']:,} events of warm-up and {sizes['window']:,} more, {sizes['leads']:,} leads",
            "latency": f"{sizes['rate']:,} events/s for {sizes['live_s']:.0f} s",
            "recovery": f"{sizes['recovered']:,} leads",
        }[trial]
        notes.append(f"- {trial}: {what}; rounds: {rounds}; {found['machine']}.")
    parts = [f"{peer.title} 1/{peer.slow}" for peer in PEERS if peer.slow > 1]
    notes.append(f"- Slow engines get a part of events, warm-up and leads: {', '.join(parts)}.")
    notes += [f"- Failed: {reason}" for reason in results["failures"]]
    return notes


def write_readme(text: str) -> None:
    """Puts the table between the marks of the README."""
    before, _, rest = README.read_text(encoding="utf-8").partition(_MARKS[0])
    _, _, after = rest.partition(_MARKS[1])
    README.write_text(f"{before}{_MARKS[0]}\n{text}\n{_MARKS[1]}{after}", encoding="utf-8")
