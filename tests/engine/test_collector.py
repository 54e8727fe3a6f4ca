"""The collector looks from time to time, however little there is to look at."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any, cast

import pytest

from streams.engine.collector import keep_collecting, no_collector


class _App:
    def __init__(self) -> None:
        self.should_stop = False
        self.circle = self


@pytest.mark.parametrize("kept_s", [0, 0.1], ids=["young", "old"])
def test_a_circle_is_found_without_a_million_others(kept_s: float) -> None:
    async def story() -> None:
        app, found = _App(), asyncio.Event()
        looking = asyncio.create_task(keep_collecting(cast(Any, app), 0.01))
        await asyncio.sleep(0.05)
        circle: _App | None = _App()
        weakref.finalize(circle, found.set)
        await asyncio.sleep(kept_s)
        circle = None
        async with asyncio.timeout(5):
            await found.wait()
        app.should_stop = True
        await looking

    with no_collector():
        asyncio.run(story())
    gc.unfreeze()
