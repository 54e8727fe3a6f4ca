"""`leadstream settings`: the one list, with what holds now and where it comes from."""

from __future__ import annotations

import re
from typing import Any

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from rich.table import Table

from streams.cli.base import Results, as_json, person, with_settings
from streams.settings import Settings, variable

__all__ = ["settings"]


@click.command()
@as_json
@with_settings
def settings(settings: Settings, as_json: bool) -> None:
    """Every setting: its variable, its value now and where that comes from, what it is for. Secrets are never shown."""
    rows = [_row(settings, name, field) for name, field in Settings.model_fields.items()]
    if as_json:
        results = Results()
        for row in rows:
            results.line(row)
        return
    table = Table("variable", "value", "from", "default", "meaning")
    for row in rows:
        table.add_row(
            row["variable"],
            _text(row["value"]) if row["value"] == row["default"] else f"[bold]{_text(row['value'])}[/]",
            _text(row["source"]),
            _text(row["default"]),
            row["meaning"],
        )
    person().print(table)


def _row(settings: Settings, name: str, field: FieldInfo) -> dict[str, Any]:
    return {
        "variable": variable(name),
        "value": _shown(getattr(settings, name)),
        "source": settings.source(name),
        "default": _shown(field.default),
        "secret": isinstance(getattr(settings, name), SecretStr) or SecretStr.__name__ in str(field.annotation),
        "meaning": field.description,
    }


def _shown(value: object) -> object:
    """A value as it may be shown: of a secret only that it is there, of an address everything but who logs in."""
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        return re.sub(r"//[^@/]*@", "//***@", text) if "://" in text else "***"
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _text(value: object) -> str:
    return "" if value is None else str(value).replace("[", r"\[")
