"""What ends a command or a worker, by exit code.

    LeadstreamError
    ├── InputError         1  the input is wrong; every problem is listed
    ├── UsageError         2  wrong usage: an argument, an option or a setting
    ├── ServerUnreachable  3  Redis cannot be reached
    └── NotThereYet        4  Redis does not hold the whole
    EngineError (streams.engine.errors)
    ├── BrokerUnreachable  3  a server cannot be reached
    ├── StateRefused       4  the state on the broker is not what it must be
    └── FailStop           5  stopped itself to stay exact; start it again

A message says what is wrong, where, with which value, and what to do.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = ["InputError", "LeadstreamError", "NotThereYet", "ServerUnreachable", "UsageError"]


class LeadstreamError(Exception):
    """Base of what a command reports without a traceback.

    Attributes:
        exit_code: Of the process, when nobody handles the error.
        problems: One line each, complete in itself.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, *more: str) -> None:
        super().__init__("\n".join((problem, *more)))
        self.problems = (problem, *more)


class InputError(LeadstreamError):
    """The input is wrong: a model, a file of events, a record."""

    exit_code = 1


class UsageError(LeadstreamError):
    """A command, an option or a setting is wrong; starting it again as it is will not help."""

    exit_code = 2


class ServerUnreachable(LeadstreamError):  # noqa: N818  # a state of the world, not a slip
    """Redis does not answer, or refuses; start it, or correct the address."""

    exit_code = 3


class NotThereYet(LeadstreamError):  # noqa: N818
    """Redis is being filled from Kafka, or nobody fills it."""

    exit_code = 4
