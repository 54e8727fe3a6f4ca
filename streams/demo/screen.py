"""The live view in a terminal: commands to copy above, where nothing moves, and the board below."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleDimensions
from rich.live import Live

from schemas.outputs_wire import TierChangeOut
from schemas.routing_wire import SlaEventOut
from streams.clock import now
from streams.demo.board import Board
from streams.demo.view import board_view

__all__ = ["Screen"]

_REDRAW_S = 0.5
_NOTICE_S = 20.0


class Screen:
    """A live view. A terminal of another size is drawn anew.

    Args:
        console: The terminal.
        board: What there is to see.
        invite: The lines above, for a terminal of so many columns and lines.
    """

    def __init__(self, console: Console, board: Board, invite: Callable[[int, int], list[str]]) -> None:
        self._console, self._board, self._invite = console, board, invite
        self._notice, self._notice_until = "", 0.0
        self._next_draw = 0.0
        self._size: ConsoleDimensions | None = None

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def _begin(self) -> None:
        self._size = width, height = self._console.size
        lines = self._invite(width, height)
        self._console.clear()
        for line in lines:
            self._console.print(line, style="" if line.startswith("  ") else "dim", markup=False, highlight=False)
        self._console.print()
        # One line is the cursor's.
        self._room = width, height - len(lines) - 2
        self._live = Live(console=self._console, auto_refresh=False, vertical_overflow="crop")
        self._live.start()

    def say(self, text: str) -> None:
        """Something that the viewer should know, for some seconds."""
        self._notice, self._notice_until = text, time.monotonic() + _NOTICE_S
        # What stands above may be another now.
        self._size = None
        self._next_draw = 0.0

    def show(self, fresh: list[TierChangeOut | SlaEventOut]) -> None:
        """Draws the board when something is new, and twice a second."""
        if not fresh and time.monotonic() < self._next_draw:
            return
        if self._console.size != self._size:
            self._live.stop()
            self._begin()
        notice = self._notice if time.monotonic() < self._notice_until else ""
        self._live.update(board_view(self._board, now(), *self._room, notice), refresh=True)
        self._next_draw = time.monotonic() + _REDRAW_S
