"""The engine: it runs a stage's fold over Kafka, exactly. It knows nothing about leads.

`README.md` beside this file tells how a batch is made durable, and why each part of Faust is overridden.

Faust and aiokafka are loaded when a worker is made, not by every command that only needs the errors.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from streams.engine.errors import BrokerUnreachable, EngineError, FailStop, StateRefused
from streams.engine.observer import NullObserver, Observer

if TYPE_CHECKING:
    from streams.engine.app import run_carry, run_table
    from streams.engine.config import EngineConfig, Security

__all__ = [
    "BrokerUnreachable",
    "EngineConfig",
    "EngineError",
    "FailStop",
    "NullObserver",
    "Observer",
    "Security",
    "StateRefused",
    "run_carry",
    "run_table",
]

_LATER = {
    "EngineConfig": "streams.engine.config",
    "Security": "streams.engine.config",
    "run_carry": "streams.engine.app",
    "run_table": "streams.engine.app",
}


def __getattr__(name: str) -> Any:
    """Loads what needs Faust when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
