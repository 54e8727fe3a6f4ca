"""Files that users write and that ship too, models and policies: a path, standard input, or a shipped name."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from schemas.limits import MAX_MODEL_BYTES
from streams.errors import InputError, UsageError
from streams.event_files import STDIN

__all__ = ["FileKind", "refuse_stdin_twice", "text_of"]


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of files of which some ship.

    Attributes:
        word: What messages call one.
        plural: And several.
        names: Of the shipped ones.
        text: The file of a shipped one.
    """

    word: str
    plural: str
    names: Callable[[], tuple[str, ...]]
    text: Callable[[str], str]


def text_of(source: str, kind: FileKind) -> tuple[str, str]:
    """The file's text as it is, and what messages call the file.

    Args:
        source: A shipped name, a path, or `-`. A file that is named like a shipped one is written `./NAME`.
        kind: What it is to be.

    Raises:
        UsageError: There is no such file or shipped name.
        InputError: It is no text.
    """
    if source in kind.names():
        return kind.text(source), source
    if source == STDIN:
        name, content = "<standard input>", sys.stdin.buffer.read(MAX_MODEL_BYTES + 1)
    else:
        name, content = source, _read(Path(source), kind)
    try:
        # Line ends untouched: the digest is that of the file's bytes.
        return content.decode(), name
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise InputError(
            f"{name}:{line}:{column}: byte {content[error.start]:#04x} is not UTF-8; save it so"
        ) from error


def refuse_stdin_twice(files: tuple[str, ...], source: str | None, kind: FileKind) -> None:
    """Whether a file that an option names and the files of the same command can all be read.

    Raises:
        UsageError: Both would be read from standard input.
    """
    if source == STDIN and STDIN in files:
        raise UsageError(f"standard input cannot be both the {kind.word} and a file; give one of them a name")


def _read(path: Path, kind: FileKind) -> bytes:
    try:
        with path.open("rb") as file:
            # One byte more than is taken, so that the reader sees that it is too much.
            return file.read(MAX_MODEL_BYTES + 1)
    except FileNotFoundError as error:
        near = difflib.get_close_matches(str(path), kind.names(), n=1, cutoff=0.5)
        shipped = f"shipped {kind.plural} are {', '.join(kind.names())}"
        hint = f"did you mean {near[0]}?" if near else shipped
        raise UsageError(f"{path}: there is no such file and no shipped {kind.word} of that name; {hint}") from error
    except IsADirectoryError as error:
        raise UsageError(f"{path}: is a directory; name the {kind.word}'s file") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
