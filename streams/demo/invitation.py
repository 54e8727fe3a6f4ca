"""How the viewer sends an event, looks a lead up, asks why: commands to copy into a second terminal."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from streams.demo.workers import API, Workers
from streams.settings import variable

__all__ = ["invitation"]

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_LEAD = "example-hot"
_COMMENT_AT = 58


def invitation(
    environment: Mapping[str, str], workers: Workers, width: int | None = None, *, short: bool = False
) -> list[str]:
    """Lines to show.

    Args:
        environment: Settings of the demo.
        workers: Whose metrics can be looked at, and who can be killed.
        width: Of the terminal: longer commands go on in a next line, in a way that a shell understands; None: they
            do not.
        short: Only what a small terminal has room for.
    """
    names = ("bootstrap_servers", "topic_prefix", "redis_url")
    settings = [f"{variable(name)}={environment[variable(name)]}" for name in names if environment.get(variable(name))]
    program = _program()
    send = f"{program} send --now"
    commands = [
        (f"{send} {_near(_EXAMPLES / 'hot-lead.jsonl')}", "a lead of your own: hot, and somebody's, in a second"),
        (f"{send} {_near(_EXAMPLES / 'hot-lead-called.jsonl')}", "sales calls it: the clock is answered"),
    ]
    if "view" in workers.ports:
        commands[1:1] = [(f"{program} lead {_LEAD}", "who has it, until when")]
        commands += [(f"{program} hot", "who must be called next"), (f"{program} report", "what becomes of hot leads")]
    commands.append((f"kill -9 {workers.pids['score']}", "a worker; it goes on where it was"))
    why = [f"{program} read lead-events --from-start --to-end |", f"{program} explain --lead {_LEAD} -"]
    return [
        "Try it, in a second terminal, in this folder:",
        *_command([f"export {settings[0]}", *settings[1:]], width),
        *(_commented(command, comment, width) for command, comment in (commands[:1] if short else commands)),
        *([] if short else _command(why, width)),
        *_addresses(workers, short=short),
        "Ctrl-C ends the demo and leaves nothing behind.",
    ]


def _commented(command: str, comment: str, width: int | None) -> str:
    whole = f"  {command:<{_COMMENT_AT}} # {comment}"
    return whole if width is None or len(whole) < width else f"  {command}"


def _command(words: list[str], width: int | None) -> list[str]:
    whole = "  " + " ".join(words)
    if width is None or len(whole) < width:
        return [whole]
    lines = [f"  {word}" if word.endswith("|") else f"  {word} \\" for word in words[:-1]]
    return [*lines, f"  {words[-1]}"]


def _addresses(workers: Workers, *, short: bool) -> list[str]:
    """Where to look with a browser."""
    api = [f"API http://127.0.0.1:{workers.ports[API]}/docs"] if API in workers.ports else []
    metrics = "  ".join(f"{name} :{port}" for name, port in workers.ports.items() if name != API)
    return api if short else ["  ".join([*api, f"metrics http://127.0.0.1:PORT/metrics  {metrics}"])]


def _program() -> str:
    """How the viewer would call leadstream: as it was called, with a short path."""
    called = Path(sys.argv[0])
    return _near(called) if called.name == "leadstream" else f"{_near(Path(sys.executable))} -m streams.cli"


def _near(path: Path) -> str:
    """From the folder in which the viewer is, where the path is below it."""
    with suppress(ValueError):
        path = path.absolute().relative_to(Path.cwd())
    return shlex.quote(os.fspath(path))
