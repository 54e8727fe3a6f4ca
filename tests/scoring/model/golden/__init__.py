"""Files that the tests compare with, and the command that writes them anew: `python -m tests.scoring.model.golden`."""

import json
from pathlib import Path

import scoring
from scoring.language.schema import json_schema
from scoring.shipped import shipped_model, shipped_models
from scoring.show import FORMATS, show

__all__ = ["SCHEMA", "pages", "schema_text", "write"]

SCHEMA = Path(scoring.__file__).parent / "model.schema.json"

_SUFFIX = {"text": "txt", "markdown": "md", "html": "html"}


def schema_text() -> str:
    """The JSON Schema of the model file, as committed."""
    return json.dumps(json_schema(), indent=2) + "\n"


def pages() -> dict[Path, tuple[str, str]]:
    """The file of each page of a shipped model, with the model's name and the format."""
    here = Path(__file__).parent
    return {here / f"{name}.{_SUFFIX[form]}": (name, form) for name in shipped_models() for form in FORMATS}


def write() -> None:
    """Write all of them."""
    SCHEMA.write_text(schema_text())
    for path, (name, form) in pages().items():
        path.write_text(show(shipped_model(name), form))
