"""Processor time and memory of an engine: of all its processes, as the kernel counts them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["cpu_s", "end", "memory_mb"]

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(roots: Iterable[int]) -> float:
    """User and system time of the processes started as `roots`, of their children, and of children that ended."""
    return sum(sum(int(field) for field in fields[11:15]) for _, fields in _family(roots)) / _TICKS


def memory_mb(roots: Iterable[int]) -> float:
    """What the same processes hold in memory; what they share is counted once."""
    return sum(_proportional_kb(pid) for pid, _ in _family(roots)) / 1024


def end(processes: Iterable[subprocess.Popen[bytes]], within_s: float = 30) -> None:
    """SIGTERM to each, and SIGKILL to what is left of the session of each after a while."""
    started = list(processes)
    for process in started:
        if process.poll() is None:
            process.terminate()
    until = time.monotonic() + within_s
    for process in started:
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pid, _ in list(_family(process.pid for process in started)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _family(roots: Iterable[int]) -> Iterator[tuple[int, list[str]]]:
    """Every process of the sessions that the roots lead, and their descendants elsewhere."""
    family = set(roots)
    stats = dict(_stats())
    parents = {pid: (int(fields[1]), int(fields[3])) for pid, fields in stats.items()}
    grown = True
    while grown:
        more = {pid for pid, (parent, session) in parents.items() if parent in family or session in family} - family
        family |= more
        grown = bool(more)
    return ((pid, stats[pid]) for pid in family if pid in stats)


def _stats() -> Iterator[tuple[int, list[str]]]:
    """(pid, fields of /proc/PID/stat from the third one on)."""
    for name in os.listdir("/proc"):  # noqa: PTH208 - a hundred times a run
        if name.isdecimal():
            try:
                text = Path(f"/proc/{name}/stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            yield int(name), text.rpartition(")")[2].split()


def _proportional_kb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
