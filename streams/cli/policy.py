"""`leadstream policy`: check, show and publish routing policies."""

from __future__ import annotations

import click

from scoring.language.problems import Problem
from scoring.model import Model
from scoring.routing.checks import policy_warnings, role_names
from scoring.routing.policy import Policy
from scoring.routing.reading import PolicyError, read_policy
from scoring.routing.show import plain_policy, show_policy
from scoring.show import FORMATS
from streams.cli.base import Commands, Results, as_json
from streams.model_files import model_beside
from streams.policy_files import load_policy, policy_text

__all__ = ["policy"]


@click.group(
    cls=Commands,
    lazy={"publish": ("streams.cli.publish:publish_policy", "Make a policy the next one of the running stream.")},
)
def policy() -> None:
    """Check, show and publish routing policies: who answers a lead, and until when.

    FILE is a policy file, `-` for standard input, or the name of a shipped policy: b2b-default.
    """


@policy.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--model", "model_file", metavar="MODEL", help="Also what this model, a file or a shipped name, does not give."
)
@click.option("--live", is_flag=True, help="Owners are people: a role such as senior_1 is an error.")
@click.option("--strict", is_flag=True, help="Warnings are errors too.")
@as_json
def check(files: tuple[str, ...], model_file: str | None, live: bool, strict: bool, as_json: bool) -> int:
    """Every mistake of policies, with line, column and what to do.

    One line each: FILE:LINE:COLUMN: what is wrong; what to do. Exit code 0 if all policies are good, 1 if not.
    """
    model = model_beside(files, model_file)
    found = [_Found(text, name, model, live) for text, name in [policy_text(file) for file in files]]
    for one in found:
        one.tell(as_json)
    return 0 if all(one.policy is not None and not (strict and one.warnings) for one in found) else 1


@policy.command(name="show")
@click.argument("file")
@click.option("--format", "form", type=click.Choice(sorted(FORMATS)), default="text", help="Default: text.")
@as_json
def show_(file: str, form: str, as_json: bool) -> None:
    """The one-page document of a policy: routes, teams, clocks, owners, hours."""
    shown = load_policy(file)
    if as_json:
        Results().line(plain_policy(shown))
        return
    click.echo(show_policy(shown, form), nl=False)


class _Found:
    """What `check` has to say of one file; it is the command's result, so it goes to standard output."""

    def __init__(self, text: str, name: str, model: Model | None, live: bool) -> None:
        self.name = name
        self.policy: Policy | None = None
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        try:
            policy = read_policy(text, name)
        except PolicyError as error:
            self.errors = error.problems
            return
        self.warnings = policy_warnings(policy, name, model)
        self.errors = role_names(policy, name) if live else []
        self.policy = None if self.errors else policy

    def tell(self, as_json: bool) -> None:
        if as_json:
            self._tell_json()
            return
        for problem in self.errors:
            click.echo(str(problem))
        for problem in self.warnings:
            click.echo(f"{problem.file}:{problem.line}:{problem.column}: warning: {problem.message}")
        if self.policy is not None:
            click.echo(_summary(self.policy, len(self.warnings)))

    def _tell_json(self) -> None:
        good = self.policy
        Results().line(
            {
                "file": self.name,
                "good": good is not None,
                "policy": None if good is None else good.name,
                "version": None if good is None else good.version,
                "errors": [_plain(problem) for problem in self.errors],
                "warnings": [_plain(problem) for problem in self.warnings],
            }
        )


def _summary(good: Policy, warned: int) -> str:
    return (
        f"{good.name} version {good.version} is good: {_count(len(good.owners), 'owner')}, "
        f"{_count(len(good.teams), 'team')}, {_count(len(good.routes), 'route')}, "
        f"clocks for {', '.join(good.sla) or 'no tier'}" + (f"; {_count(warned, 'warning')}" if warned else "")
    )


def _count(number: int, word: str) -> str:
    return f"1 {word}" if number == 1 else f"{number} {word}s"


def _plain(problem: Problem) -> dict[str, str | int]:
    return {"file": problem.file, "line": problem.line, "column": problem.column, "message": problem.message}
