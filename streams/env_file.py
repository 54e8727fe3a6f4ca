"""Reading an env file: `NAME=value` lines, as Docker and systemd take them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path

from streams.errors import UsageError

__all__ = ["close_name", "read_env_file"]

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def close_name(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, or an empty text."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.8)), "")


def read_env_file(path: Path, prefix: str) -> dict[str, tuple[str, int]]:
    """Value and line of each variable that begins with the prefix; the last line of a variable holds.

    Blank lines and lines that begin with `#` are skipped; quotes around a whole value are taken off; everything else
    is taken as it stands. Variables of other programs are skipped.

    Raises:
        UsageError: The file cannot be read, or a line is no assignment.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; check --env-file") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text (byte {error.start}); check --env-file") from error
    found: dict[str, tuple[str, int]] = {}
    problems = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            # Not the line itself: it may hold a secret.
            problems.append(f"{path}:{number}: is no NAME=value line; begin a comment with #")
        elif match[1].startswith(prefix):
            found[match[1]] = (_unquoted(match[2]), number)
    if problems:
        raise UsageError(*problems)
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value
