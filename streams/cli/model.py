"""`leadstream model`: check, show and publish scoring models."""

from __future__ import annotations

import click

from scoring.checks import warnings
from scoring.model import Model
from scoring.reading import ModelError, Problem, read_model
from scoring.show import FORMATS, show
from scoring.size import row_bound
from streams.cli.base import Commands, Results, as_json
from streams.model_files import load_model, model_text

__all__ = ["model"]


@click.group(
    cls=Commands,
    lazy={"publish": ("streams.cli.publish:publish_model", "Make a model the next one of the running stream.")},
)
def model() -> None:
    """Check, show and publish scoring models.

    FILE is a model file, `-` for standard input, or the name of a shipped model: b2b-default, fit-behaviour-200.
    """


@model.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--strict", is_flag=True, help="Warnings are errors too.")
@as_json
def check(files: tuple[str, ...], strict: bool, as_json: bool) -> int:
    """Every mistake of models, with line, column and what to do.

    One line each: FILE:LINE:COLUMN: what is wrong; what to do. Exit code 0 if all models are good, 1 if not.
    """
    good = True
    for text, name in [model_text(file) for file in files]:
        good &= _check(text, name, strict, as_json)
    return 0 if good else 1


def _check(text: str, name: str, strict: bool, as_json: bool) -> bool:
    try:
        checked = read_model(text, name)
    except ModelError as error:
        _report(name, error.problems, [], None, as_json)
        return False
    found = warnings(checked, name)
    _report(name, [], found, checked, as_json)
    return not (strict and found)


@model.command(name="show")
@click.argument("file")
@click.option("--format", "form", type=click.Choice(sorted(FORMATS)), default="text", help="Default: text.")
def show_(file: str, form: str) -> None:
    """The one-page document of a model: what marketing and sales agree on."""
    click.echo(show(load_model(file), form), nl=False)


def _report(name: str, errors: list[Problem], found: list[Problem], checked: Model | None, as_json: bool) -> None:
    """What `check` has to say; it is the command's result, so it goes to standard output."""
    if as_json:
        Results().line(
            {
                "file": name,
                "good": checked is not None,
                "model": None if checked is None else checked.name,
                "version": None if checked is None else checked.version,
                "row_bytes": None if checked is None else row_bound(checked),
                "errors": [_plain(problem) for problem in errors],
                "warnings": [_plain(problem) for problem in found],
            }
        )
        return
    for problem in errors:
        click.echo(str(problem))
    for problem in found:
        click.echo(f"{problem.file}:{problem.line}:{problem.column}: warning: {problem.message}")
    if checked is not None:
        click.echo(_summary(checked, len(found)))


def _summary(checked: Model, warned: int) -> str:
    tiers = " > ".join(tier.name for tier in checked.tiers)
    return (
        f"{checked.name} version {checked.version} is good: {len(checked.signals)} signals, "
        f"{len(checked.rules)} rules, tiers {tiers}; a lead takes at most {row_bound(checked):,} bytes"
        + (f"; {warned} warning{'s' if warned > 1 else ''}" if warned else "")
    )


def _plain(problem: Problem) -> dict[str, str | int]:
    return {"file": problem.file, "line": problem.line, "column": problem.column, "message": problem.message}
