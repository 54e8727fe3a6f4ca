"""A bad network between a worker and the broker: a TCP proxy that cuts, refuses, swallows, delays and throttles.

    with Proxy() as proxy:
        with KafkaBroker(detours=[proxy.port]) as kafka:
            proxy.lead_to(kafka.detour(proxy.port))
            ...                # clients of `proxy.bootstrap` reach the broker through the proxy, and only so
            proxy.swallow()    # connections stay, nothing comes through
            proxy.pass_on()

It runs in a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

__all__ = ["Proxy"]

_PIECE = 16 * 1024
_CONNECT_S = 5


class Proxy:
    """Takes connections at a loopback port and passes bytes on, as well as it is told to.

    Attributes:
        delay_s: How long each piece of bytes takes; set it at any time.
        bytes_per_s: How many get through on each connection and way; None: all.
    """

    def __init__(self) -> None:
        self.delay_s = 0.0
        self.bytes_per_s: int | None = None
        # Bound and not listening: connections are refused, and nobody else gets the port.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self._target: int | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._taken: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._passing.set()

    @property
    def port(self) -> int:
        """Where it takes connections."""
        return int(self._place.getsockname()[1])

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self.port}"

    def lead_to(self, port: int) -> None:
        """Passes on to this loopback port from now on."""
        self._target = port
        self._call(self._listen())

    def cut(self) -> None:
        """Resets every connection; new ones are taken."""
        self._call(self._reset())

    def refuse(self) -> None:
        """Resets every connection and refuses new ones, until `pass_on`."""
        self._call(self._refuse())

    def swallow(self) -> None:
        """Connections stay open and are taken, and nothing comes through, until `pass_on`: half open."""
        self._call(self._hold())

    def pass_on(self) -> None:
        """All is well again; what was swallowed comes late, as after TCP's own repeats."""
        self.delay_s, self.bytes_per_s = 0.0, None
        self._call(self._listen())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._refuse())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._place.close()

    def _call(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)

    async def _listen(self) -> None:
        self._passing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _hold(self) -> None:
        self._passing.clear()

    async def _reset(self) -> None:
        for writer in tuple(self._writers):
            # Lingering for no time at all: the other side sees a reset, not an orderly end.
            plug = writer.get_extra_info("socket")
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _refuse(self) -> None:
        if self._server is not None:
            for plug in self._server.sockets:
                self._loop.remove_reader(plug.fileno())
            # Whoever was taken a moment ago comes to `_accept` first: a closed server would leave that one open.
            for _ in range(3):
                await asyncio.sleep(0)
            self._server.close()
            self._server = None
        await self._reset()
        # Connections whose pumps wait must see that they are gone.
        self._passing.set()
        if self._taken:
            await asyncio.wait(self._taken)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.create_task(self._take(reader, writer))
        self._taken.add(task)
        task.add_done_callback(self._taken.discard)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            # A frozen broker whose queue is full does not even refuse.
            async with asyncio.timeout(_CONNECT_S):
                there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._writers.add(back)
            ways = {asyncio.create_task(self._pump(reader, back)), asyncio.create_task(self._pump(there, writer))}
            _, other = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in other:
                way.cancel()
            await asyncio.wait(ways)
            self._leave(back)
        self._leave(writer)

    def _leave(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_PIECE if self.bytes_per_s is None else 512):
                await self._passing.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if self.bytes_per_s is not None:
                    await asyncio.sleep(len(data) / self.bytes_per_s)
                writer.write(data)
                await writer.drain()
