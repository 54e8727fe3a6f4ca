"""The garbage collector, told when there is nothing for it to find, and to look where there may be."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.engine.faust_parts import EngineApp

__all__ = ["keep_collecting", "no_collector"]

_YOUNG = 1
"""Generations of objects that a look every now and then goes through: all but the old."""


@contextmanager
def no_collector(*, to_the_end: bool = False) -> Iterator[None]:
    """No garbage is collected: a fold makes objects by the hundred thousand and no cycles, and most are soon gone.

    Args:
        to_the_end: What there is afterwards stays until the process ends, and is never looked through either: a command
            would do so twice before it ends, for a tenth of its time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if to_the_end:
            gc.freeze()
        if enabled:
            gc.enable()


async def keep_collecting(app: EngineApp, every_s: float) -> None:
    """Looks for garbage among young objects from time to time, however few they are."""
    while not app.should_stop:
        await asyncio.sleep(every_s)
        gc.collect(_YOUNG)
