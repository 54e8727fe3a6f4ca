"""Scoring models from where users keep them: a file, standard input, or the name of a shipped one."""

from __future__ import annotations

from scoring.model import Model
from scoring.reading import ModelError, read_model
from scoring.shipped import shipped_models, shipped_text
from streams.errors import InputError
from streams.shipped_files import FileKind, refuse_stdin_twice, text_of

__all__ = ["load_model", "model_beside", "model_text"]

_MODEL = FileKind("model", "models", shipped_models, shipped_text)


def load_model(source: str) -> Model:
    """The model, checked.

    Args:
        source: See `model_text`.

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
    refuse_stdin_twice(files, source, _MODEL)
    return load_model(source)


def model_text(source: str) -> tuple[str, str]:
    """The file's text as it is, and what messages call the file.

    Args:
        source: A shipped name, a path, or `-`. A file that is named like a shipped model is written `./NAME`.
    """
    return text_of(source, _MODEL)
