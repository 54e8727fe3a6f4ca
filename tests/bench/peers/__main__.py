"""The race: the same job on every engine, on one broker, in one run.

python -m tests.bench.peers                           everything
python -m tests.bench.peers --only leadstream,flink   some engines
python -m tests.bench.peers --scale 0.05 --runs 2     small
python -m tests.bench.peers --trials backlog          one trial
python -m tests.bench.peers --readme                  and the table goes into the README
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.bench.peers.ledger import RESULTS, Ledger, merged, read, write
from tests.bench.peers.meeting import TRIALS, Meeting, Sizes
from tests.bench.peers.peer import CACHE, Missing, Peer
from tests.bench.peers.picture import PICTURE, picture
from tests.bench.peers.registry import PEERS
from tests.bench.peers.report import table, write_readme
from tests.bench.table import machine, steadiness
from tests.kafka.broker import STEADY, KafkaBroker

__all__ = ["main"]


def say(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)


def _chosen(only: str) -> list[Peer]:
    names = [name for name in only.split(",") if name]
    known = {peer.name: peer for peer in PEERS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"no such engine: {', '.join(unknown)}; there are {', '.join(known)}")
    return [peer for peer in PEERS if not names or peer.name in names]


def main(arguments: list[str]) -> int:
    """Installs, runs, tells."""
    parser = argparse.ArgumentParser(prog="make race ARGS=", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", default="", help="engines, with commas: " + ", ".join(peer.name for peer in PEERS))
    parser.add_argument("--trials", default=",".join(TRIALS), help="with commas: " + ", ".join(TRIALS))
    parser.add_argument(
        "--scale", type=float, default=1.0, help="of events and leads; below 1, windows are short of commits"
    )
    parser.add_argument("--runs", type=int, default=7, help="rounds of the backlog; the other trials have a third")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--readme", action="store_true", help="put table and picture into the README")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # so that no engine is left behind
    trials = [name for name in options.trials.split(",") if name]
    if unknown := [name for name in trials if name not in TRIALS]:
        raise SystemExit(f"no such trial: {', '.join(unknown)}; there are {', '.join(TRIALS)}")
    before = steadiness()
    versions: dict[str, str] = {}
    absent: dict[str, str] = {}
    for peer in _chosen(options.only):
        say(f"installing {peer.title} ...")
        try:
            versions[peer.name] = peer.install()
        except Missing as reason:
            absent[peer.name] = str(reason)
            say(f"  {reason}")
    sizes = Sizes.scaled(options.scale)
    ledger = Ledger(sizes._asdict(), versions, absent)
    runners = [peer for peer in PEERS if peer.name in versions]
    with tempfile.TemporaryDirectory(prefix="race-") as folder, KafkaBroker(jvm=STEADY) as broker:
        meeting = Meeting(broker, Path(folder), ledger, sizes, runners, options.seed, say)
        for name in trials:
            meeting.hold(name, options.runs if name == "backlog" else max(1, min(options.runs // 3, 3)))
    results = ledger.results(machine(before, steadiness()))
    write(CACHE / "results.json", results)
    if options.readme:
        results = merged(read(), results)
        write(RESULTS, results)
        PICTURE.write_text(picture(results), encoding="utf-8")
        write_readme(table(results))
    print(table(results))
    return 1 if absent or ledger.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
