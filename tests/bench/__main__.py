"""The figures of the README, on a real Kafka.

python -m tests.bench                          all of them, some ten minutes
python -m tests.bench throughput latency       some of them
python -m tests.bench --scale 0.1              with a tenth of the events
python -m tests.bench --compiled               of the compiled wheel, as in the images
python -m tests.bench --readme                 and the table goes into the README
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from schemas.topics import LEADS_CHANGELOG
from tests.bench import score_file
from tests.bench.models import times_rules
from tests.bench.pipeline import Latency, backlog, filled, latency, pipeline, recovery
from tests.bench.routing import breaches, owners, routed_backlog, routed_recovery
from tests.bench.table import Figure, machine, steadiness, table, write_readme
from tests.bench.view import api_latency_ms, leads_into_redis, rebuild_s
from tests.compiled import compiled, environment, is_compiled
from tests.kafka.broker import STEADY, KafkaBroker
from tests.pipeline import Kept

__all__ = ["main"]


class Bench:
    """Everything that can be measured, each part a method that yields figures.

    Args:
        bootstrap: The broker.
        folder: For logs and files.
        scale: Of the numbers of events and leads.
    """

    def __init__(self, bootstrap: str, folder: Path, scale: float) -> None:
        self.bootstrap, self.folder, self.scale = bootstrap, folder, scale

    def throughput(self) -> Iterator[Figure]:
        """Both stages before a backlog."""
        events, leads = self._count(1_000_000), self._count(50_000)
        with pipeline(self.bootstrap, "throughput-", self.folder) as run:
            size = filled(run, events, leads)
            ingest = backlog(run, "ingest", events)
            score = backlog(run, "score", events)
            stored = sum(
                len(record.key or b"") + len(record.value or b"") for record in _last(run.read(LEADS_CHANGELOG))
            )
        whole = ingest.cpu_us + score.cpu_us
        yield Figure(
            f"ingest, {events:,} events of {size:.0f} bytes",
            f"{1e6 / ingest.cpu_us:,.0f} events/s of CPU ({ingest.cpu_us:.1f} µs)",
            "120,000",
            ingest.cpu_us <= 1e6 / 120_000,
        )
        yield Figure(
            f"score, `b2b-default`, {score.leads:,} leads",
            f"{1e6 / score.cpu_us:,.0f} events/s of CPU ({score.cpu_us:.1f} µs)",
            "90,000",
            score.cpu_us <= 1e6 / 90_000,
        )
        yield Figure("whole pipeline", f"{whole:.1f} µs of CPU an event", "20 µs", whole <= 20)
        yield Figure(
            "score: memory and changelog",
            f"{score.memory_mb * 2**20 / max(score.leads, 1):,.0f} bytes of memory a lead (process and all), "
            f"{stored / max(score.leads, 1):,.0f} bytes a row",
        )

    def names(self) -> Iterator[Figure]:
        """What an event costs ingest that carries more than one name of its lead."""
        events, leads = self._count(600_000), self._count(20_000)
        costs: dict[int, list[float]] = {1: [], 2: [], 3: []}
        # In rounds, so that a machine that is now fast and now slow is so for each.
        for number in range(3):
            for count, found in costs.items():
                with pipeline(self.bootstrap, f"names{count}-{number}-", self.folder) as run:
                    filled(run, events, leads, names=count)
                    found.append(backlog(run, "ingest", events).cpu_us)
        for count, names in ((2, "a visitor id"), (3, "a visitor id and an address")):
            cost = statistics.median(costs[count])
            times = cost / statistics.median(costs[1])
            yield Figure(
                f"ingest, every event with {names} beside its lead_id",
                f"{cost:.1f} µs an event, {times:.2f} times",
                "1.5 times",
                times <= 1.5,
            )

    def steady(self) -> Iterator[Figure]:
        """Latency and load of a steady stream."""
        for rate, seconds in ((1000, 40 * self.scale), (20, 60 * self.scale)):
            with pipeline(self.bootstrap, f"steady{rate}-", self.folder) as run:
                run.command("topics", "create")
                found = latency(run, rate, max(seconds, 10), 2_000 if rate > 100 else 30)
            yield from _latency(rate, found)

    def recovery(self) -> Iterator[Figure]:
        """A start over the rows of many leads."""
        leads = self._count(1_000_000)
        with pipeline(self.bootstrap, "recovery-", self.folder) as run:
            filled(run, leads, leads, even=True)
            backlog(run, "ingest", leads)
            backlog(run, "score", leads)
            found = recovery(run)
        yield Figure(
            f"recovery of {found.leads:,} leads",
            f"{found.seconds:.1f} s until ready, {found.memory_mb:,.0f} MB",
            "15 s",
            found.seconds <= 15,
        )

    def routing(self) -> Iterator[Figure]:
        """Route before a backlog, live, and at a start."""
        rows, clocks, recovered = self._count(300_000), self._count(100_000), self._count(1_000_000)
        seconds = int(max(40 * self.scale, 10))
        with pipeline(self.bootstrap, "routed-", self.folder) as run:
            backlog = routed_backlog(run, rows)
        yield Figure(
            f"route, {rows:,} tier changes and answers",
            f"{1e6 / backlog.cpu_us:,.0f} rows/s of CPU ({backlog.cpu_us:.1f} µs)",
            "20,000",
            backlog.cpu_us <= 1e6 / 20_000,
        )
        with pipeline(self.bootstrap, "owners-", self.folder) as run:
            found = owners(run, 1000, seconds + 5, 50_000)
        yield Figure(
            f"request to owner readable, 1,000 events/s, {found.told} of them",
            f"p50 {found.p50_ms:.0f} ms, p99 {found.p99_ms:.0f} ms",
            "p99 500 ms",
            found.p99_ms <= 500,
        )
        with pipeline(self.bootstrap, "breaches-", self.folder) as run:
            late = breaches(run, clocks, clocks // 20, seconds)
        yield Figure(
            f"due time to published breach, {clocks:,} clocks, {late.told:,} breaches in {seconds} s",
            f"p50 {late.p50_ms:.0f} ms, p99 {late.p99_ms:.0f} ms",
            "p99 2,000 ms",
            late.p99_ms <= 2_000,
        )
        with pipeline(self.bootstrap, "clocks-", self.folder) as run:
            ready_s = routed_recovery(run, recovered)
        yield Figure(
            f"route: recovery of {recovered:,} running clocks",
            f"{ready_s:.1f} s until ready",
            "30 s",
            ready_s <= 30,
        )

    def growth(self) -> Iterator[Figure]:
        """What an event costs score at ten times the leads, and at ten times the rules."""
        events, leads = self._count(500_000), self._count(50_000)
        cases: dict[str, tuple[int, int, Mapping[str, object]]] = {
            "base": (events, leads, {}),
            "10 times the leads, each as busy": (events * 10, leads * 10, {}),
            "10 times the leads, as many events": (events, leads * 10, {}),
            "10 times the rules": (events, leads, {"model": times_rules(10, self.folder)}),
        }
        base = 0.0
        for number, (name, (sent, count, settings)) in enumerate(cases.items()):
            with pipeline(self.bootstrap, f"growth-{number}-", self.folder, **settings) as run:
                filled(run, sent, count)
                backlog(run, "ingest", sent)
                found = backlog(run, "score", sent)
            cost = found.cpu_us
            base = base or cost
            yield Figure(
                f"score, {name}", f"{cost:.1f} µs an event, {cost / base:.2f} times ({found.rows:.2f} rows an event)"
            )

    def view(self) -> Iterator[Figure]:
        """The read model in Redis and its API."""
        leads = self._count(100_000)
        rates = leads_into_redis(leads)
        yield Figure(
            f"view, {leads:,} leads into Redis",
            f"{rates['new']:,.0f} leads/s of CPU new, {rates['again']:,.0f} changed",
            "15,000",
            min(rates["new"], rates["again"]) >= 15_000,
        )
        seconds = rebuild_s(self.bootstrap, self.folder, leads)
        yield Figure(f"view, {leads:,} leads after FLUSHALL", f"{seconds:.1f} s until whole", "60 s", seconds <= 60)
        p50, p99 = api_latency_ms(500, max(5, 20 * self.scale))
        yield Figure("API, one lead at 500 requests/s", f"p50 {p50:.1f} ms, p99 {p99:.1f} ms", "10 ms", p99 <= 10)

    def file(self) -> Iterator[Figure]:
        """`leadstream score` over a file."""
        one, two = score_file.rates(self._count(300_000), self._count(20_000))
        yield Figure("`leadstream score FILE`", f"{one:,.0f} events/s and core", "60,000", one >= 60_000)
        yield Figure("the same on two cores", f"{two:,.0f} events/s", "100,000", two >= 100_000)
        one, _ = score_file.rates(self._count(300_000), self._count(20_000), hours=30 * 24)
        yield Figure(
            "`leadstream score FILE`, a month's events: half as many deadlines", f"{one:,.0f} events/s and core"
        )

    def _count(self, number: int) -> int:
        return max(1000, int(number * self.scale))


def _latency(rate: int, found: Latency) -> Iterator[Figure]:
    p50 = f"p50 {found.p50_ms:.0f} ms, " if rate >= 1000 else ""
    good = found.p99_ms <= 250 and (rate < 1000 or found.p50_ms <= 80)
    yield Figure(
        f"raw record to readable tier change, {rate:,} events/s",
        f"{p50}p99 {found.p99_ms:.0f} ms ({found.changes:,} changes)",
        "80 / 250 ms" if rate >= 1000 else "p99 250 ms",
        good,
    )
    if rate >= 1000:
        share = sum(found.cpu_share.values()) * 100
        each = ", ".join(f"{stage} {part * 100:.0f} %" for stage, part in found.cpu_share.items())
        yield Figure(
            f"CPU at {rate:,} events/s, 8 partitions", f"{share:.0f} % of a core ({each})", "60 %", share <= 60
        )


def _last(records: list[Kept]) -> list[Kept]:
    """The latest record of each key, as compaction would leave them."""
    return list({(record.partition, record.key): record for record in records}.values())


PARTS = ("file", "throughput", "names", "steady", "growth", "recovery", "routing", "view")


def main(arguments: list[str]) -> int:
    """Measures, and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.split("\n", 1)[0])
    parser.add_argument("parts", nargs="*", choices=(*PARTS, []), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--compiled", action="store_true", help="measure the compiled wheel")
    parser.add_argument("--readme", action="store_true", help="put the table into the README")
    options = parser.parse_args(arguments)
    if options.compiled and not is_compiled():
        # Workers and commands are processes of the same environment.
        given = os.environ | environment(compiled())
        os.execve(sys.executable, [sys.executable, "-m", "tests.bench", *arguments], given)
    before = steadiness()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder, KafkaBroker(jvm=STEADY) as broker:
        bench = Bench(broker.bootstrap, Path(folder), options.scale)
        for name in options.parts or PARTS:
            part: Callable[[], Iterator[Figure]] = getattr(bench, name)
            for figure in part():
                print(f"{figure.what}: {figure.measured}", file=sys.stderr, flush=True)
                figures.append(figure)
    kernel = "compiled" if is_compiled() else "plain"
    text = table(figures, f"{kernel} kernel, {machine(before, steadiness())}")
    print(text)
    if options.readme:
        write_readme(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
