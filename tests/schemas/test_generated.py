"""Files that are made of the contracts are up to date, and say the same as the contracts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas import generate
from schemas.topics import TOPICS
from tests.schemas.poison import POISON, Poison
from tests.schemas.samples import FULL, REQUIRED, event

FOLDER = generate.FOLDER
OF_THE_SCHEMA = {
    "missing_field",
    "unknown_kind",
    "unknown_value",
    "wrong_type",
    "number_out_of_range",
    "empty_text",
    "too_long",
    "too_many_fields",
    "no_lead_name",
    "not_an_object",
}
"""Reasons that JSON Schema can express."""


CONTRACTS = ["event", "internal", "lead_score", "tier_change", "assignment", "sla_event", "dead_letter_headers"]


def validator(contract: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / "json_schema" / f"{contract}.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("path", generate.generated(), ids=lambda path: path.name)
def test_files_are_up_to_date(path: Path) -> None:
    assert path.read_text() == generate.generated()[path], "run python -m schemas.generate"


def test_no_other_schema_lies_about() -> None:
    assert set((FOLDER / "json_schema").iterdir()) == {
        path for path in generate.generated() if path.parent.name == "json_schema"
    }


def test_drift_is_told_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "json_schema" / "event.json"
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    monkeypatch.setattr(generate, "generated", lambda: {made: "{}\n"})
    assert generate.main(["--check"]) == 1
    assert "event.json: run python -m schemas.generate" in capsys.readouterr().out
    assert not made.exists()
    assert generate.main([]) == 0
    assert made.read_text() == "{}\n"
    assert generate.main(["--check"]) == 0


@pytest.mark.parametrize("fields_of", [FULL, REQUIRED], ids=["full", "required"])
@pytest.mark.parametrize("kind", FULL)
def test_good_events_are_good_by_the_schema(kind: str, fields_of: dict[str, dict[str, Any]]) -> None:
    validator("event").validate(event(kind, unknown=1, **fields_of[kind]))


@pytest.mark.parametrize(
    "poison", [poison for poison in POISON if poison.reason in OF_THE_SCHEMA], ids=lambda poison: poison.name
)
def test_poison_is_poison_by_the_schema(poison: Poison) -> None:
    assert poison.value is not None
    value = json.loads(poison.value, parse_int=lambda digits: int(digits[:100]))
    assert not validator("event").is_valid(value)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_examples_are_good_by_the_schema(contract: str) -> None:
    check = validator(contract)
    for file in (FOLDER / "examples" / contract / "v1").glob("*.json"):
        example = json.loads(file.read_text())
        if contract == "dead_letter_headers":
            example = {name: int(value) if value.lstrip("-").isdigit() else value for name, value in example.items()}
        check.validate(example)


def test_every_reference_of_asyncapi_leads_somewhere() -> None:
    document = json.loads((FOLDER / "asyncapi.json").read_text())
    assert document["asyncapi"] == "3.0.0"
    assert set(document["channels"]) == {topic.name for topic in TOPICS}
    assert {operation["action"] for operation in document["operations"].values()} == {"send", "receive"}
    for reference in references(document):
        if reference.startswith("./"):
            assert (FOLDER / reference).is_file()
        else:
            target: Any = document
            for step in reference.removeprefix("#/").split("/"):
                target = target[step]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for member in value:
            yield from references(member)
