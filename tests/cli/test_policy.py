"""`leadstream policy check` and `show`: every problem with its place, and the page of a good policy."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from scoring.routing.shipped import shipped_policies, shipped_policy_text
from tests.cli.conftest import Leadstream

MODEL = ("--model", "b2b-default")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The shipped policy with two mistakes, far from each other."""
    file = tmp_path / "ours.yaml"
    text = shipped_policy_text("b2b-default").replace("version: 1", "version: one", 1)
    file.write_text(text.replace("fallback: executives", "fallback: executivs", 1))
    return file


@pytest.mark.parametrize("name", shipped_policies())
def test_a_shipped_policy_is_good_in_one_line_and_fits_its_model(leadstream: Leadstream, name: str) -> None:
    ran = leadstream("policy", "check", "--strict", *MODEL, name)

    assert (ran.code, ran.err) == (0, "")
    (line,) = ran.lines
    assert line.startswith(f"{name} version 1 is good: ")


def test_every_error_is_told_with_line_column_and_remedy(leadstream: Leadstream, broken: Path) -> None:
    ran = leadstream("policy", "check", str(broken))
    plain = leadstream("policy", "check", "--json", str(broken))

    lines = broken.read_text().splitlines()
    places = [number for number, line in enumerate(lines, 1) if line.startswith(("version:", "fallback:"))]
    assert (ran.code, ran.err) == (1, "")
    assert [line.split(": ")[0] for line in ran.lines] == [f"{broken}:{places[0]}:10", f"{broken}:{places[1]}:11"]
    assert ran.lines[1].endswith("fallback names the unknown team executivs; did you mean executives?")
    told = json.loads(plain.out)
    assert (plain.code, told["good"], told["policy"], told["version"]) == (1, False, None, None)
    assert [f"{broken}:{e['line']}:{e['column']}: {e['message']}" for e in told["errors"]] == ran.lines


def test_live_wants_people(leadstream: Leadstream, tmp_path: Path) -> None:
    text = shipped_policy_text("b2b-default")
    ran = leadstream("policy", "check", "--live", "b2b-default")
    for role, person in (("Senior 1", "Ann"), ("Senior 2", "Bob"), ("Executive 1", "Cid"), ("Marketing 1", "Dan")):
        text = text.replace(f"name: {role}", f"name: {person}")
    file = tmp_path / "live.yaml"
    file.write_text(text)

    assert ran.code == 1
    assert [line.split(":")[1] for line in ran.lines] == [
        str(number)
        for number, line in enumerate(shipped_policy_text("b2b-default").splitlines(), 1)
        if ", role: " in line
    ]
    assert all("is a role and not a person; give " in line for line in ran.lines)
    assert leadstream("policy", "check", "--live", str(file)).code == 0


def test_warnings_are_errors_for_the_strict_alone(leadstream: Leadstream, tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(shipped_policy_text("b2b-default").replace("company_size: 200..", "size: 200..", 1))

    plain = leadstream("policy", "check", *MODEL, str(file))

    assert plain.code == 0
    warning, summary = plain.lines
    assert ": warning: where of route 1 looks at size, which model b2b-default does not publish; " in warning
    assert summary.endswith("; 1 warning")
    assert leadstream("policy", "check", "--strict", *MODEL, str(file)).code == 1
    told = json.loads(leadstream("policy", "check", "--json", *MODEL, str(file)).out)
    assert (told["good"], len(told["warnings"])) == (True, 1)
    assert leadstream("policy", "check", str(file)).lines[0].endswith("clocks for hot, warm, cold")


def test_a_policy_is_taken_from_standard_input(leadstream: Leadstream, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shipped_policy_text("b2b-default").encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))

    assert json.loads(leadstream("policy", "check", "-", "--json").out)["good"]


@pytest.mark.parametrize(
    ("name", "told"),
    [("b2b-defalt", "did you mean b2b-default?"), ("ours.yml", "shipped policies are b2b-default"), (".", "directory")],
)
@pytest.mark.parametrize("command", ["check", "show"])
def test_a_file_that_cannot_be_read_is_wrong_usage(leadstream: Leadstream, command: str, name: str, told: str) -> None:
    ran = leadstream("policy", command, name)

    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err


@pytest.mark.parametrize(("form", "begins"), [("text", "b2b-default"), ("markdown", "# "), ("html", "<!doctype html>")])
def test_a_policy_is_shown_in_every_form(leadstream: Leadstream, form: str, begins: str) -> None:
    ran = leadstream("policy", "show", "b2b-default", "--format", form)

    assert ran.code == 0
    assert ran.out.lower().startswith(begins)
    for words in ("Routes", "Teams", "Until when", "Owners", "Hours and absences", "Senior 1", "24 hours"):
        assert words in ran.out
    assert max(map(len, leadstream("policy", "show", "b2b-default").lines)) <= 120


def test_a_program_reads_the_same(leadstream: Leadstream) -> None:
    told = json.loads(leadstream("policy", "show", "--json", "b2b-default").out)

    assert told["sla"]["hot"]["respond_within_ms"] == 24 * 3_600_000
    assert told["routes"][0]["where"] == {"company_size": ["200.."]}
    assert told["owners"]["senior_1"]["role"] == "senior_executive"


def test_a_wrong_policy_is_not_shown_but_its_errors_are(leadstream: Leadstream, broken: Path) -> None:
    ran = leadstream("policy", "show", str(broken))

    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 2
