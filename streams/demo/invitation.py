"""How the viewer sends an event, asks why, and looks at the metrics: commands to copy into a second terminal."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from streams.demo.workers import Workers
from streams.settings import variable

__all__ = ["invitation"]

_EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "hot-lead.jsonl"
_LEAD = "example-hot"


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
    names = (variable("bootstrap_servers"), variable("topic_prefix"))
    settings = [f"{name}={environment[name]}" for name in names if environment.get(name)]
    program = _program()
    send = _command([*settings, f"{program} send --now {_near(_EXAMPLE)}"], width)
    why = _command(
        [*settings, f"{program} read lead-events --from-start --to-end |", f"{program} explain --lead {_LEAD} -"], width
    )
    kill = f"  kill -9 {workers.pids['score']}"
    more = ["And why it is hot:", *why, "Kill a worker, and it goes on where it was:", kill]
    return [
        "A lead of your own, hot in a second (in a second terminal, in this folder):",
        *send,
        *([] if short else more),
        "  ".join(f"{stage} http://127.0.0.1:{port}/metrics" for stage, port in workers.ports.items()),
        "Ctrl-C ends the demo and leaves nothing behind.",
    ]


def _command(words: list[str], width: int | None) -> list[str]:
    whole = "  " + " ".join(words)
    if width is None or len(whole) < width:
        return [whole]
    lines = [f"  {word}" if word.endswith("|") else f"  {word} \\" for word in words[:-1]]
    return [*lines, f"  {words[-1]}"]


def _program() -> str:
    """How the viewer would call leadstream: as it was called, with a short path."""
    called = Path(sys.argv[0])
    return _near(called) if called.name == "leadstream" else f"{_near(Path(sys.executable))} -m streams.cli"


def _near(path: Path) -> str:
    """From the folder in which the viewer is, where the path is below it."""
    with suppress(ValueError):
        path = path.absolute().relative_to(Path.cwd())
    return shlex.quote(os.fspath(path))
