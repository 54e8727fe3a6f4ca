"""Runs the faults by name and keeps a ledger of the run.

python -m tests.faults                          all of them, with one seed
python -m tests.faults --only zombie kill       some
python -m tests.faults --seed 7 --runs 20       other stories, and more of them
python -m tests.faults --full                   as often and as long as is promised: hours
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from streams.clock import now
from tests.faults.catalogue import FAULTS
from tests.kafka.jars import kafka_version

__all__ = ["finished", "main"]

ROOT = Path(__file__).resolve().parents[2]
LEDGERS = ROOT / ".cache" / "faults"


def main(arguments: Sequence[str]) -> int:
    """Prints a table; 1 if anything was red."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--only", nargs="+", choices=list(FAULTS), default=list(FAULTS), metavar="FAULT")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=1, help="seeds of those that have any")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the random mix (default: %(default)g)")
    parser.add_argument("--full", action="store_true", help="as often and as long as is promised: hours")
    options = parser.parse_args(arguments)
    began = now()
    LEDGERS.mkdir(parents=True, exist_ok=True)
    path = LEDGERS / f"{began:%Y%m%dT%H%M%S-%f}-seed{options.seed}.json"
    ledger = {"began": began.isoformat(), "seed": options.seed, "runs": options.runs, "full": options.full}
    ledger |= {"versions": _versions()}
    faults: list[dict[str, Any]] = []
    table = Table("fault", "verdict", "tests", "seconds", "what is done")
    stopped = False
    for name in options.only:
        print(f"{name}: {FAULTS[name].what} ...", file=sys.stderr, flush=True)
        try:
            found = _run(name, options)
        except KeyboardInterrupt:
            stopped = True
            break
        faults.append(found)
        path.write_text(json.dumps(ledger | {"faults": faults}, indent=1))
        table.add_row(name, found["verdict"], str(len(found["tests"])), f"{found['seconds']:.0f}", FAULTS[name].what)
    Console().print(table)
    if faults:
        print(f"the ledger of this run: {path.relative_to(ROOT)}")
    if stopped:
        print(f"stopped before {name} was done", file=sys.stderr)
        return 128 + signal.SIGINT
    return any(found["verdict"] != "green" for found in faults)


def _run(name: str, options: argparse.Namespace) -> dict[str, Any]:
    report = LEDGERS / f"{name}.xml"
    report.unlink(missing_ok=True)
    logs = LEDGERS / "logs" / name
    logs.parent.mkdir(exist_ok=True)
    sizes = {
        "LEADSTREAM_KILL_SEED": str(options.seed),
        "LEADSTREAM_KILL_RUNS": str(options.runs),
        "LEADSTREAM_FAULTS_FULL": f"{options.full:d}",
        "LEADSTREAM_MIX_MINUTES": f"{options.minutes:g}",
    }
    again = f"make faults ONLY={name} SEED={options.seed} RUNS={options.runs}"
    if options.full:
        again += " FULL=1"
    if name == "mix":
        again += f" MINUTES={options.minutes:g}"
    began = time.monotonic()
    done = finished(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "0",
            "--timeout",
            "3600",
            f"--junit-xml={report}",
            "-o",
            "junit_family=xunit1",
            f"--basetemp={logs}",
            "--show-capture=no",
            *FAULTS[name].tests,
        ],
        os.environ | sizes,
    )
    seconds = time.monotonic() - began
    tests = [_test(case) for case in ET.parse(report).iter("testcase")] if report.exists() else []
    green = done.returncode == 0 and tests and all(test["verdict"] == "green" for test in tests)
    if not green:
        print(done.stdout[-4000:] + done.stderr[-2000:], file=sys.stderr)
    verdict = "green" if green else "RED"
    kept = str(logs.relative_to(ROOT))
    return {"fault": name, "verdict": verdict, "seconds": seconds, "again": again, "logs": kept, "tests": tests}


def finished(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs a program of the repository to its end; interrupted, lets it end first what it has started.

    Raises:
        KeyboardInterrupt: Once the program has ended.
    """
    # A terminal interrupts all of its foreground at once; this one hears of it once, from here.
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as program:
        try:
            out, err = program.communicate()
        except KeyboardInterrupt:
            program.send_signal(signal.SIGINT)
            program.communicate()
            raise
    return subprocess.CompletedProcess(command, program.returncode, out, err)


def _test(case: ET.Element) -> dict[str, Any]:
    wrong = [found for kind in ("failure", "error", "skipped") for found in case.findall(kind)]
    return {
        "test": f"{case.get('classname')}.{case.get('name')}",
        "seconds": float(case.get("time", "0")),
        "verdict": "RED" if wrong else "green",
        "told": {found.get("name"): json.loads(found.get("value", "")) for found in case.iter("property")},
        "why": "\n".join(str(found.get("message")) for found in wrong)[:2000],
    }


def _versions() -> dict[str, str]:
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    libraries = {name: version(name) for name in ("faust-streaming", "aiokafka", "confluent-kafka", "redis")}
    return libraries | {"commit": head.stdout.strip(), "python": platform.python_version(), "kafka": kafka_version()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
