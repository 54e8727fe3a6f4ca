"""What is wrong with a model or a policy file, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from scoring.model import Place

__all__ = ["FileError", "ModelError", "PolicyError", "Problem", "Problems", "quoted", "suggestion"]

_SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake or one warning.

    Attributes:
        line: In the file, from 1; so is `column`.
        message: What is wrong, with the value; what to do.
        file: As the caller named it.
    """

    line: int
    column: int
    message: str
    file: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class FileError(ValueError):
    """A file of the user is wrong: a `ModelError` or a `PolicyError`.

    Attributes:
        problems: All of them, in the order of the file.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ModelError(FileError):
    """A model file is wrong. Raised by `read_model`."""


class PolicyError(FileError):
    """A policy file is wrong. Raised by `read_policy`."""


class Problems:
    """Collects what is found in one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []

    def add(self, place: Place, what: str, remedy: str) -> None:
        """Note one problem: what is wrong, with the value, and what to do about it."""
        self.found.append(Problem(place.line, place.column, f"{what}; {remedy}", self.file))


def quoted(text: str) -> str:
    """A value from the file as messages show it: on one line, not longer than a message bears."""
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in shown)


def suggestion(wrong: str, known: Iterable[str], otherwise: str) -> str:
    """The remedy for a name that is not known: the nearest known one, or `otherwise`."""
    near = difflib.get_close_matches(wrong[:100].lower(), list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else otherwise
