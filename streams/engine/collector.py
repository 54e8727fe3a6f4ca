"""The garbage collector, told when there is nothing for it to find, and to look where there may be."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from streams.engine.memory import give_back, settle

if TYPE_CHECKING:
    from streams.engine.faust_parts import EngineApp

__all__ = ["keep_collecting", "no_collector"]

_YOUNG, _ALL = 1, 2
"""The oldest generation of objects that a look goes through."""
_LOOKS_FOR_ALL = 6
"""Every so many looks go through the old too: what was there at one look and is garbage at the next. Then free memory
is given back."""


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
    """Looks for garbage from time to time, however few objects there are; mostly among the young, which takes less."""
    settle()  # The program itself is most of what there is to look at, and stays.
    for number in count(1):
        await asyncio.sleep(every_s)
        if app.should_stop:
            return
        if number % _LOOKS_FOR_ALL:
            gc.collect(_YOUNG)
        else:
            gc.collect(_ALL)
            give_back()
