"""What every command shares: groups that suggest a name, settings as an option, results on standard output."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from schemas.times import parse_iso
from streams.errors import UsageError
from streams.settings import Settings

__all__ = [
    "TIME",
    "Commands",
    "Results",
    "as_json",
    "ask",
    "event_files",
    "id_key_of",
    "person",
    "progress",
    "say",
    "unasked",
    "with_settings",
]

R = TypeVar("R")

_NO_KEY = b"leadstream, without a key"

as_json = click.option("--json", "as_json", is_flag=True, help="For programs: JSON instead of a table.")
"""The option of every command that prints a person's table."""


unasked = click.option("--yes", is_flag=True, help="Do not ask.")
"""The option of every command that asks first."""

event_files = click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE…",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=str),
)
"""The argument of commands that read lines of files."""


class TimeType(click.ParamType):
    """A moment with its zone, as milliseconds since the epoch."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The moment, or an error of usage."""
        if isinstance(value, int):
            return value
        try:
            return parse_iso(value)
        except ValueError:
            self.fail(f"{value!r} is no time with its zone; write it like 2026-03-02T10:15:00Z", param, ctx)


TIME = TimeType()
"""The type of every option that is a moment."""


class Commands(click.Group):
    """A group whose commands are imported when they are called, and that suggests a name for a misspelt one.

    Args:
        lazy: Name of each command to `module:attribute`, and the line that help shows.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the list."""
        return [*self._lazy, *(name for name in self.commands if name not in self._lazy)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None for an unknown name."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self._lazy[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        rows = []
        for name in self.list_commands(ctx):
            command = None if name in self._lazy else self.commands[name]
            rows.append((name, self._lazy[name][1] if command is None else command.get_short_help_str(100)))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first argument, or an error that names the nearest one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1, cutoff=0.5) if args else []
            if near:
                error.message += f" Did you mean '{near[0]}'?"
            raise


def with_settings(command: Callable[..., R]) -> Callable[..., R]:
    """Gives a command `--env-file` and, as its first argument, the settings."""

    @click.option(
        "--env-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Settings from a file of LEADSTREAM_…=value lines; the environment wins over it.",
    )
    @wraps(command)
    def wrapped(*args: Any, env_file: Path | None, **kwargs: Any) -> R:
        return command(Settings.read(env_file=env_file), *args, **kwargs)

    return wrapped


def id_key_of(settings: Settings) -> bytes:
    """Key of the e-mail hash: the stream's, where it is set; else one that names no lead of a stream."""
    return _NO_KEY if settings.id_key is None else settings.id_key_bytes()


def say(text: str) -> None:
    """One line for a person, on standard error."""
    click.echo(text, err=True)


def ask(question: str) -> None:
    """Goes on if a person says yes, else ends the command.

    Raises:
        UsageError: There is no person to be asked.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody can be asked here: say --yes")
    click.confirm(question, abort=True, err=True)


def person() -> Console:
    """Where tables go: standard output, in colour if it is a terminal, else as wide as the table wants."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = 160
    return console


class Results:
    """JSON lines on standard output.

    Leaves it to Python to write: a reader that went away (`| head`) is noticed and ends the command quietly.
    """

    def __init__(self, out: BinaryIO | None = None) -> None:
        self._out = sys.stdout.buffer if out is None else out
        self._encode = msgspec.json.Encoder().encode

    def line(self, value: object) -> None:
        """Writes one value on a line."""
        self._out.write(self._encode(value) + b"\n")

    def raw(self, line: bytes) -> None:
        """Writes a line that is JSON already, without its end of line."""
        self._out.write(line + b"\n")

    def flush(self) -> None:
        """Makes what was written visible to the reader."""
        self._out.flush()


@contextmanager
def progress(
    title: str, total: int | None, unit: str = "", *, results: bool = False
) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, where that is a terminal; gives the function that moves it to a count.

    Args:
        title: What is under way.
        total: The count at the end; None where nobody knows.
        unit: Of the count.
        results: Whether results are written meanwhile; then there is no bar among them on one terminal.
    """
    console = Console(stderr=True)
    if not console.is_terminal or (results and sys.stdout.isatty()):
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(40), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TextColumn(unit), TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)
