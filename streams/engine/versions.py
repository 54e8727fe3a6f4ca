"""The exact versions that this engine overrides private parts of."""

from __future__ import annotations

from importlib.metadata import version

from streams.engine.errors import StateRefused

__all__ = ["PINNED", "check_versions"]

PINNED = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}


def check_versions() -> None:
    """Refuses to run on libraries whose private parts may differ.

    Raises:
        StateRefused: Another version is installed.
    """
    for name, wanted in PINNED.items():
        found = version(name)
        if found != wanted:
            raise StateRefused(
                f"{name} {found} is installed, but this engine is made for {wanted}: install exactly that version"
            )
