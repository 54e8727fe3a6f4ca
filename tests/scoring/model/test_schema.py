"""The JSON Schema of the model file: as committed, and in agreement with the reader."""

import json
from pathlib import Path

import jsonschema
import pytest

from scoring.language.schema import json_schema
from scoring.shipped import shipped_models, shipped_text
from tests.reference.plain_yaml import plain_model
from tests.scoring.model.golden import SCHEMA, schema_text

VALIDATOR = jsonschema.Draft202012Validator(json_schema())
ERRORS = Path(__file__).parent / "errors"


def test_the_committed_schema_is_the_generated_one() -> None:
    """`python -m tests.scoring.model.golden` writes it anew."""
    assert SCHEMA.read_text() == schema_text()


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize("name", shipped_models())
def test_shipped_models_conform(name: str) -> None:
    VALIDATOR.validate(plain_model(shipped_text(name)))


@pytest.mark.parametrize(
    "case",
    [
        "misspelt-top",
        "bad-name-and-version",
        "text-version-no-owner",
        "empty-sections",
        "signal-names",
        "signal-kind",
        "signal-keep",
        "rule-kinds",
        "rule-keys",
        "rule-values",
        "rule-names",
        "unknown-dimension",
    ],
)
def test_what_is_wrong_in_form_does_not_conform(case: str) -> None:
    assert not VALIDATOR.is_valid(plain_model((ERRORS / f"{case}.yaml").read_text()))
