"""The table of figures: what was asked, what was measured, on which machine."""

from __future__ import annotations

import os
import platform
import re
import time
from dataclasses import dataclass
from pathlib import Path

from streams.clock import now

__all__ = ["Figure", "machine", "steadiness", "table", "write_readme"]

README = Path(__file__).resolve().parents[2] / "README.md"
_MARKS = ("<!-- figures -->", "<!-- end of figures -->")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line.

    Attributes:
        bar: What it should be; empty where there is none.
        good: Whether it is; None where there is no bar.
    """

    what: str
    measured: str
    bar: str = ""
    good: bool | None = None


def steadiness() -> float:
    """Milliseconds of processor time that a fixed piece of work needs: how fast the machine is just now."""
    best = 1e9
    for _ in range(5):
        began = time.process_time()
        total = 0
        for number in range(1_000_000):
            total += number
        best = min(best, time.process_time() - began)
    return best * 1000


def machine(before: float, after: float) -> str:
    """One line: processor, cores, versions, date, and how much the machine's speed moved during the run."""
    try:
        found = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    name = found[1] if found else platform.processor() or platform.machine()
    return (
        f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"Apache Kafka on the same machine, {now():%Y-%m-%d}; "
        f"a fixed loop took {before:.0f} ms before and {after:.0f} ms after"
    )


def table(figures: list[Figure], note: str) -> str:
    """Markdown."""
    lines = ["| what | measured | bar |", "|---|---|---|"]
    for figure in figures:
        mark = "" if figure.good is None else " ✓" if figure.good else " ✗"
        lines.append(f"| {figure.what} | {figure.measured} | {figure.bar}{mark} |")
    return "\n".join([*lines, "", note])


def write_readme(text: str) -> None:
    """Puts the table between the marks of the README."""
    before, _, rest = README.read_text(encoding="utf-8").partition(_MARKS[0])
    _, _, after = rest.partition(_MARKS[1])
    README.write_text(f"{before}{_MARKS[0]}\n{text}\n{_MARKS[1]}{after}", encoding="utf-8")
