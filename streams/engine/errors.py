"""Errors that end a worker, each with the exit code it ends with.

EngineError
├── BrokerUnreachable   3: no broker answers; start it, or correct the address
├── StateRefused        4: what lies on the broker is not what it must be; a restart changes nothing
└── FailStop            5: the worker stopped itself to stay exact; start it again
"""

from __future__ import annotations

from typing import ClassVar

__all__ = ["BrokerUnreachable", "EngineError", "FailStop", "StateRefused"]


class EngineError(Exception):
    """What ends a worker."""

    exit_code: ClassVar[int]


class BrokerUnreachable(EngineError):  # noqa: N818  # a state of the world, not a slip
    """No broker answers at the address, or it refuses the credentials."""

    exit_code = 3


class StateRefused(EngineError):  # noqa: N818
    """Topics, changelog or library versions are not what they must be."""

    exit_code = 4


class FailStop(EngineError):  # noqa: N818
    """Something happened after which going on could make results wrong."""

    exit_code = 5
