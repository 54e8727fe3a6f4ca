"""What a broker answers, read into memory that the next answer uses again.

Before a fetch of some megabytes is unpacked, asyncio's streams copy it three times and aiokafka once more, each time
into memory that the system must clear first. Here it arrives where it is decoded from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import cast

__all__ = ["Answers", "ByteReader"]

_HEAD_BYTES = 4
"""An answer begins with its length."""

_FIRST_BYTES = 16 * 1024
"""Room at first, and again once answers are small."""

_KEEP_S = 10.0
"""Room for large answers stays so long after the last one: between two fetches of a backlog come small answers, and
new memory is cleared by the system page for page."""


def _at_end() -> Exception:
    return asyncio.IncompleteReadError(b"", _HEAD_BYTES)


class Answers(asyncio.BufferedProtocol):
    """The receiving end of a connection; `next` gives one answer after the other.

    Args:
        closed: Told when the connection is closed.
        reader: aiokafka looks at it to see whether the connection has ended.
        keep_s: How long memory that no answer needed is kept.
    """

    def __init__(
        self,
        closed: asyncio.Future[None],
        reader: asyncio.StreamReader,
        *,
        loop: asyncio.AbstractEventLoop,
        keep_s: float = _KEEP_S,
    ) -> None:
        self._closed, self._reader, self._loop, self._keep_s = closed, reader, loop, keep_s
        self._memory = bytearray(_FIRST_BYTES)
        self._filled = 0
        # Where the answer at the beginning of the memory ends, once its length is there.
        self._end = 0
        self._needed_at = 0.0
        self._given = self._paused = False
        # Makes the error anew for each who waits: one that is kept holds on to the frames that it went through, and
        # these to this memory.
        self._ending: Callable[[], Exception] | None = None
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol`."""
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """See `asyncio.BufferedProtocol`."""
        return memoryview(self._memory)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """See `asyncio.BufferedProtocol`."""
        self._filled += nbytes
        self._look()

    def eof_received(self) -> None:
        """See `asyncio.BufferedProtocol`; the transport closes itself."""
        self._ended(_at_end)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol`."""
        self._ended(_at_end if exc is None else partial(type(exc), *exc.args))
        if not self._closed.cancelled():
            self._closed.set_result(None)

    async def next(self) -> memoryview:
        """The next answer, without its length; it is gone when the one after it is asked for.

        Raises:
            asyncio.IncompleteReadError: The broker ended the connection.
            OSError: It is lost.
        """
        self._drop_given()
        while not self._is_whole():
            if self._ending is not None:
                self._give_back()
                raise self._ending()
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._given = True
        return memoryview(self._memory)[_HEAD_BYTES : self._end]

    def _is_whole(self) -> bool:
        return bool(self._end) and self._filled >= self._end

    def _look(self) -> None:
        """Makes room for the answer at the beginning of the memory, or says that it is whole."""
        if not self._end and self._filled >= _HEAD_BYTES:
            self._end = _HEAD_BYTES + int.from_bytes(self._memory[:_HEAD_BYTES], "big")
        is_full = self._filled == len(self._memory)
        if self._is_whole():
            if is_full and not self._paused and not self._transport.is_closing():
                self._paused = True
                self._transport.pause_reading()
            self._wake()
        elif is_full:
            # Step by step: what is no broker may say any length. And new: somebody may look at the old one.
            memory = bytearray(min(self._end, 4 * self._filled))
            memory[: self._filled] = self._memory
            self._memory = memory

    def _drop_given(self) -> None:
        """Makes room where the last answer was; gives memory back that answers have not needed for a while."""
        if not self._given:
            return
        rest = self._memory[self._end : self._filled]
        if max(_FIRST_BYTES, 4 * self._end) >= len(self._memory):
            self._needed_at = self._loop.time()
        elif self._loop.time() - self._needed_at >= self._keep_s:
            self._memory = bytearray(max(_FIRST_BYTES, len(rest)))
        self._memory[: len(rest)] = rest
        self._filled, self._end, self._given = len(rest), 0, False
        self._look()
        if self._paused and not self._is_whole() and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def _ended(self, ending: Callable[[], Exception]) -> None:
        if self._ending is None:
            self._ending = ending
            self._reader.feed_eof()
            if not self._is_whole():
                self._give_back()
            self._wake()

    def _give_back(self) -> None:
        """No answer will come. A lost connection is kept until the collector comes; its memory need not be."""
        self._memory = bytearray()
        self._filled = self._end = 0

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class ByteReader:
    """Bytes to decode, read as from a file; what is read is a copy."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._at = 0

    def read(self, count: int) -> bytes:
        """The next bytes; fewer where there are no more."""
        start = self._at
        self._at = min(start + count, len(self._view))
        return bytes(self._view[start : self._at])
