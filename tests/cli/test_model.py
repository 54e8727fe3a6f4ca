"""`leadstream model check` and `show`: every problem with its place, and the page of a good model."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from scoring.shipped import shipped_models, shipped_text
from tests.cli.conftest import Leadstream

SHIPPED = shipped_models()


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A shipped model with two mistakes, far from each other."""
    file = tmp_path / "ours.yaml"
    text = shipped_text("b2b-default").replace("version: 1", "version: one", 1)
    file.write_text(text + "no_such_thing: 5\n")
    return file


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_is_good_in_one_line(leadstream: Leadstream, name: str) -> None:
    ran = leadstream("model", "check", name)

    assert ran.code == 0
    assert ran.lines[-1].startswith(f"{name} version 1 is good: ")


def test_every_error_is_told_with_line_column_and_remedy(leadstream: Leadstream, broken: Path) -> None:
    ran = leadstream("model", "check", str(broken))
    plain = leadstream("model", "check", "--json", str(broken))

    lines = broken.read_text().splitlines()
    version = next(number for number, line in enumerate(lines, start=1) if line.startswith("version:"))
    assert (ran.code, ran.err) == (1, "")
    assert [line.split(": ")[0] for line in ran.lines] == [f"{broken}:{version}:10", f"{broken}:{len(lines)}:1"]
    told = json.loads(plain.out)
    assert (plain.code, told["good"], told["model"]) == (1, False, None)
    assert [f"{broken}:{e['line']}:{e['column']}: {e['message']}" for e in told["errors"]] == ran.lines


def test_several_files_are_checked_in_one_go(leadstream: Leadstream, broken: Path) -> None:
    ran = leadstream("model", "check", "--json", str(broken), *SHIPPED)

    told = [json.loads(line) for line in ran.lines]
    assert ran.code == 1
    assert [(line["file"], line["good"]) for line in told] == [
        (str(broken), False),
        *((name, True) for name in SHIPPED),
    ]
    assert leadstream("model", "check", *SHIPPED).code == 0


def test_a_model_is_taken_from_standard_input(leadstream: Leadstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(shipped_text("b2b-default").encode())))

    ran = leadstream("model", "check", "-", "--json")

    assert (ran.code, json.loads(ran.out)["good"]) == (0, True)


@pytest.mark.parametrize(
    ("name", "told"),
    [("b2b-defalt", "did you mean b2b-default?"), ("ours.yml", "shipped models are b2b-default, "), (".", "directory")],
)
@pytest.mark.parametrize("command", ["check", "show"])
def test_a_file_that_cannot_be_read_is_wrong_usage(leadstream: Leadstream, command: str, name: str, told: str) -> None:
    ran = leadstream("model", command, name)

    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err


def test_what_is_no_text_is_told_with_its_place(leadstream: Leadstream, tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_bytes(b"model: x\nowner: \xff\n")

    ran = leadstream("model", "check", str(file))

    assert ran.code == 1
    assert f"{file}:2:8: " in ran.out + ran.err


@pytest.mark.parametrize(("form", "begins"), [("text", "b2b-default"), ("markdown", "# "), ("html", "<!doctype html>")])
def test_a_model_is_shown_in_every_form(leadstream: Leadstream, form: str, begins: str) -> None:
    ran = leadstream("model", "show", "b2b-default", "--format", form)

    assert ran.code == 0
    assert ran.out.lower().startswith(begins)
    assert "revenue-operations" in ran.out


def test_a_wrong_model_is_not_shown_but_its_errors_are(leadstream: Leadstream, broken: Path) -> None:
    ran = leadstream("model", "show", str(broken))

    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 2
