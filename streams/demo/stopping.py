"""Ctrl-C, SIGTERM and a closed terminal end the demo at a place where it can clean up."""

from __future__ import annotations

import signal
import time
from types import FrameType, TracebackType
from typing import Self

__all__ = ["Stopped", "Stopping"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SLICE_S = 0.1


class Stopped(Exception):  # noqa: N818  # no error: the viewer has seen enough
    """The viewer wants the demo to end."""


class Stopping:
    """Remembers a signal until somebody looks.

    A handler that raised could do so between the start of a process and the moment at which anybody knows of it; this
    one raises nothing, and a second Ctrl-C does not disturb the cleaning up.
    """

    def __init__(self) -> None:
        self._asked = False

    def __enter__(self) -> Self:
        # Under nohup the demo outlives its terminal, as was asked for.
        outlives = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        wanted = [number for number in _SIGNALS if not (outlives and number == signal.SIGHUP)]
        self._before = {number: signal.signal(number, self._ask) for number in wanted}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def check(self) -> None:
        """Goes on, or not.

        Raises:
            Stopped: A signal came.
        """
        if self._asked:
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Waits, or not any longer.

        Raises:
            Stopped: A signal came.
        """
        end = time.monotonic() + seconds
        while True:
            self.check()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _SLICE_S))
