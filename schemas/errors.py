"""Errors of the contracts.

    ContractError (ValueError)
    ├── Refused           an input that is no event, message or line, with its reason
    └── LogCodecError     bytes that are no record of the log (in `schemas.log`)

Texts of errors name the field and the rule. They show a value only where it is a kind, a closed value, a number or a
time: never an address, a name, an id or free text, because they go to logs and to headers of dead letters.
"""

from __future__ import annotations

from schemas.reasons import ReasonName

__all__ = ["ContractError", "Refused"]


class ContractError(ValueError):
    """Something that travels is not what its contract says."""


class Refused(ContractError):  # noqa: N818 - it is raised, caught and told as what it is
    """An input that cannot be used.

    Attributes:
        reason: One of `schemas.reasons.REASONS`; the metric's label.
        message: What is wrong, where, and the rule; nothing personal.
    """

    def __init__(self, reason: ReasonName, message: str) -> None:
        super().__init__(reason, message)
        self.reason: ReasonName = reason
        self.message = message

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"
