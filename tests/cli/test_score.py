"""`leadstream score` over files of events."""

from __future__ import annotations

import gc
import gzip
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scoring.shipped import shipped_text
from tests.cli.conftest import Leadstream
from tests.cli.test_frame import COMMAND

MONTH = "examples/one-month.jsonl"
MODEL = ("--model", "b2b-default")


def of_type(lines: list[str], wanted: str) -> list[dict[str, Any]]:
    return [value for value in map(json.loads, lines) if value.pop("type") == wanted]


def test_tier_changes_come_first_then_scores_by_name(leadstream: Leadstream) -> None:
    ran = leadstream("score", *MODEL, "--scores", MONTH)

    assert (ran.code, ran.err) == (0, "")
    types = [json.loads(line)["type"] for line in ran.lines]
    assert types == ["tier_change"] * 4 + ["score", "merged"] + ["score"] * 4
    assert [change["id"] for change in of_type(ran.lines, "tier_change")] == ["ana:1", "ana:2", "eva:1", "eva:2"]
    scores = of_type(ran.lines, "score")
    assert [score["lead_id"] for score in scores] == sorted(score["lead_id"] for score in scores)
    assert list(scores[1]) == ["lead_id", "tier", "fit", "engagement", "risk", "total", "reasons", "changes_next_at"]
    assert [scores[1][name] for name in ("lead_id", "tier", "total")] == ["ana", "hot", 75]


def test_without_scores_there_are_tier_changes_alone(leadstream: Leadstream) -> None:
    lines = leadstream("score", *MODEL, MONTH).lines

    assert gc.isenabled()
    assert len(of_type(lines, "tier_change")) == len(lines) == 4


def test_until_leaves_later_events_out_and_moves_time_on(leadstream: Leadstream) -> None:
    early = leadstream("score", *MODEL, "--until", "2026-03-02T12:00:00Z", "--scores", MONTH).lines
    late = leadstream("score", *MODEL, "--until", "2026-09-30T00:00:00Z", "--scores", MONTH).lines

    assert [change["id"] for change in of_type(early, "tier_change")] == ["ana:1"]
    assert {score["lead_id"] for score in of_type(early, "score")} == {"ana", "ben", "eva"}
    assert {score["tier"] for score in of_type(late, "score")} == {"cold"}
    changes = of_type(late, "tier_change")
    assert [change["id"] for change in changes][-2:] == ["ana:4", "eva:4"]
    assert [change["effective_at"] for change in changes] == sorted(change["effective_at"] for change in changes)


def test_refused_lines_are_told_and_the_rest_is_scored(leadstream: Leadstream) -> None:
    ran = leadstream("score", *MODEL, "examples/broken-lines.jsonl")

    assert ran.code == 1
    assert [change["id"] for change in of_type(ran.lines, "tier_change")] == ["dora:1"]
    told = [json.loads(line) for line in ran.err.splitlines()]
    assert all(list(one) == ["file", "line", "reason", "message"] for one in told)
    assert {one["file"] for one in told} == {"examples/broken-lines.jsonl"}
    assert [(one["line"], one["reason"]) for one in told] == [
        (2, "unknown_kind"),
        (3, "time_without_zone"),
        (4, "no_lead_name"),
        (6, "duplicate_key"),
        (7, "bad_email"),
        (8, "bad_json"),
        (9, "time_ahead"),
    ]


def test_files_are_read_one_behind_the_other_packed_or_not(leadstream: Leadstream, tmp_path: Path) -> None:
    lines = Path(MONTH).read_bytes().splitlines(keepends=True)
    first, second = tmp_path / "first", tmp_path / "second.gz"
    first.write_bytes(b"".join(lines[:9]) + b"\nnothing\n")
    second.write_bytes(gzip.compress(b"".join(lines[9:]) + b"nothing"))

    ran = leadstream("score", *MODEL, "--scores", str(first), str(second))

    assert ran.out == leadstream("score", *MODEL, "--scores", MONTH).out
    places = [(told["file"], told["line"]) for told in map(json.loads, ran.err.splitlines())]
    assert places == [(str(first), 11), (str(second), 10)]


def test_the_same_events_twice_and_in_disorder_end_in_the_same_scores(leadstream: Leadstream, tmp_path: Path) -> None:
    lines = Path(MONTH).read_text().splitlines()
    times = {line: json.loads(line)["occurred_at"] for line in lines}
    received = [f'{line[:-1]}, "received_at": "{times[lines[-1]]}"}}' for line in lines + lines]
    random.Random(5).shuffle(received)
    mixed = tmp_path / "mixed"
    mixed.write_text("\n".join(received))

    in_order = of_type(leadstream("score", *MODEL, "--scores", MONTH).lines, "score")
    in_disorder = of_type(leadstream("score", *MODEL, "--scores", str(mixed)).lines, "score")

    assert in_disorder == in_order


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([MONTH], "leadstream: events need a model: --model FILE, or the name of a shipped one\n"),
        (["--model", "b2b-defalt", MONTH], "did you mean b2b-default?\n"),
        (["--until", "2026-03-02 10:15:00", MONTH], "is no time with its zone; write it like 2026-03-02T10:15:00Z\n"),
        (["--model", "-", "-"], "standard input cannot be both the model and a file; give one of them a name\n"),
        (["nowhere.jsonl"], "File 'nowhere.jsonl' does not exist.\n"),
        ([], "Missing argument 'FILE…'.\n"),
    ],
)
def test_wrong_usage_is_told_with_2(leadstream: Leadstream, arguments: list[str], told: str) -> None:
    ran = leadstream("score", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith(told)


def test_a_wrong_model_is_told_with_place_and_1(leadstream: Leadstream, tmp_path: Path) -> None:
    model = tmp_path / "model.yaml"
    model.write_text(shipped_text("b2b-default").replace("at_least: 40", "at_last: 40", 1))

    ran = leadstream("score", "--model", str(model), MONTH)

    assert (ran.code, ran.out) == (1, "")
    assert f"{model}:" in ran.err
    assert "at_least" in ran.err


def test_what_a_pipe_brings_is_told_as_soon_as_it_pauses() -> None:
    process = subprocess.Popen([*COMMAND, "score", *MODEL, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(Path("examples/hot-lead.jsonl").read_bytes())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == "example-hot:1"
        assert json.loads(process.stdout.readline())["id"] == "example-hot:2"
        process.stdin.write(Path(MONTH).read_bytes())
        process.stdin.close()
        assert json.loads(process.stdout.readline())["id"] == "ana:1"
    assert process.returncode == 0


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    changed = (Path("examples/hot-lead.jsonl").read_text().replace("example-hot", f"l{n}") for n in range(400))
    file.write_text("".join(changed))
    shell = f"{' '.join(COMMAND)} score {' '.join(MODEL)} --scores {file} | head -1; echo ${{PIPESTATUS[0]}}"

    ran = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60, check=False)

    assert json.loads(ran.stdout.splitlines()[0])["id"] == "l0:1"
    assert ran.stdout.splitlines()[1:] == ["0"]
    assert ran.stderr == ""
