"""Scoring models from where users keep them: a file, standard input, or the name of a shipped one."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

from schemas.limits import MAX_MODEL_BYTES
from scoring.model import Model
from scoring.reading import ModelError, read_model
from scoring.shipped import shipped_models, shipped_text
from streams.errors import InputError, UsageError
from streams.event_files import STDIN

__all__ = ["load_model", "model_beside", "model_text"]


def load_model(source: str) -> Model:
    """The model, checked.

    Args:
        source: A shipped name, a path, or `-`. A file that is named like a shipped model is written `./NAME`.

    Raises:
        UsageError: There is no such file or shipped model.
        InputError: The file is wrong; every problem, with line and column.
    """
    text, name = model_text(source)
    try:
        return read_model(text, name)
    except ModelError as error:
        raise InputError(*(str(problem) for problem in error.problems)) from error


def model_beside(files: tuple[str, ...], source: str | None) -> Model | None:
    """The model that an option names, read before the files of the same command; None where none is named.

    Raises:
        UsageError: There is no such model, or it would be read from where one of the files is.
        InputError: The model is wrong.
    """
    if source is None:
        return None
    if source == STDIN and STDIN in files:
        raise UsageError("standard input cannot be both the model and a file; give one of them a name")
    return load_model(source)


def model_text(source: str) -> tuple[str, str]:
    """The file's text as it is, and what messages call the file."""
    if source in shipped_models():
        return shipped_text(source), source
    if source == STDIN:
        name, content = "<standard input>", sys.stdin.buffer.read(MAX_MODEL_BYTES + 1)
    else:
        name, content = source, _read(Path(source))
    try:
        # Line ends untouched: the digest of the model is that of the file's bytes.
        return content.decode(), name
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise InputError(
            f"{name}:{line}:{column}: byte {content[error.start]:#04x} is not UTF-8; save it so"
        ) from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # One byte more than is taken, so that the reader sees that it is too much.
            return file.read(MAX_MODEL_BYTES + 1)
    except FileNotFoundError as error:
        near = difflib.get_close_matches(str(path), shipped_models(), n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"shipped models are {', '.join(shipped_models())}"
        raise UsageError(f"{path}: there is no such file and no shipped model of that name; {hint}") from error
    except IsADirectoryError as error:
        raise UsageError(f"{path}: is a directory; name the model's file") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
