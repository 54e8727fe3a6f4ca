"""The supervisor with real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from streams.supervisor import Backoff, die_with

PROGRAM = str(Path(__file__).with_name("supervised.py"))


def supervise(folder: Path, *children: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, PROGRAM, str(folder), *children],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def pids(folder: Path, name: str) -> list[int]:
    ledger = folder / name
    return [int(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []


def until(true: Callable[[], bool], within_s: float = 10) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("code", [1, 2, 4])
def test_a_hopeless_exit_code_ends_everything_with_that_code(tmp_path: Path, code: int) -> None:
    with supervise(tmp_path, "score=stay", f"ingest=exit:{code}") as process:
        output = process.communicate(timeout=20)[0]

    assert process.returncode == code
    assert f"up | ingest ended with exit code {code}, which another start would not change" in output
    assert not any(alive(pid) for pid in pids(tmp_path, "score"))
    assert len(pids(tmp_path, "ingest")) == 1


def test_a_child_that_fails_is_started_again_and_the_other_one_left_alone(tmp_path: Path) -> None:
    with supervise(tmp_path, "score=exit:5,kill,exit:3,exit:0,exit:4", "ingest=stay") as process:
        output = process.communicate(timeout=20)[0]

    assert process.returncode == 4
    assert len(pids(tmp_path, "score")) == 5
    assert len(pids(tmp_path, "ingest")) == 1
    told = [line for line in output.splitlines() if line.startswith("up | score")]
    assert told == [
        "up | score ended with exit code 5 (stopped itself to stay exact); starting it again in 0.05 s",
        "up | score was ended by SIGKILL; starting it again in 0.1 s",
        "up | score ended with exit code 3 (a server cannot be reached); starting it again in 0.2 s",
        "up | score ended with exit code 0 (nobody asked it to); starting it again in 0.2 s",
        "up | score ended with exit code 4, which another start would not change",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_children_gracefully(tmp_path: Path, number: signal.Signals) -> None:
    with supervise(tmp_path, "ingest=stay", "score=stay") as process:
        until(lambda: bool(pids(tmp_path, "ingest") and pids(tmp_path, "score")))
        process.send_signal(number)
        output = process.communicate(timeout=10)[0]

    assert process.returncode == 0
    assert f"up | {number.name}: stopping" in output
    assert "will be killed" not in output
    assert not any(alive(pid) for name in ("ingest", "score") for pid in pids(tmp_path, name))


def test_a_child_that_does_not_end_in_time_is_killed(tmp_path: Path) -> None:
    with supervise(tmp_path, "score=deaf") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "score | life 1: deaf\n"
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=10)[0]

    assert process.returncode == 0
    assert "up | score did not end within 1 s and will be killed" in output
    assert not any(alive(pid) for pid in pids(tmp_path, "score"))


def test_children_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    with supervise(tmp_path, "score=stay") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "score | life 1: stay\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        until(lambda: not alive(pids(tmp_path, "score")[0]))


def test_every_line_has_the_name_of_its_child_in_front(tmp_path: Path) -> None:
    with supervise(tmp_path, "score=exit:2") as process:
        output = process.communicate(timeout=20)[0]

    assert output.splitlines()[:2] == ["score | life 1: exit:2", "score | the last line has no end"]


def test_the_pause_doubles_up_to_the_longest_and_begins_anew_after_a_calm_life() -> None:
    backoff = Backoff(first_s=1, longest_s=5, calm_s=60)

    assert [backoff.next_s(pause, 0) for pause in (0, 1, 2, 4, 5)] == [1, 2, 4, 5, 5]
    assert backoff.next_s(5, lived_s=60) == 1


def test_a_child_does_not_begin_without_the_parent_that_wanted_it() -> None:
    """The parent may be killed between the birth of a child and the child's wish to end with it."""
    command = (sys.executable, "-c", "print('lives')")
    own = subprocess.run(command, preexec_fn=partial(die_with, os.getpid()), capture_output=True, check=False)
    assert (own.returncode, own.stdout) == (0, b"lives\n")
    orphan = subprocess.run(command, preexec_fn=partial(die_with, os.getppid()), capture_output=True, check=False)
    assert (orphan.returncode, orphan.stdout) == (1, b"")
