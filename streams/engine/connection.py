"""aiokafka's connections: lost in the very moment in which somebody writes to one, and without copies of what is large.

asyncio drops what is written to a lost connection; uvloop raises RuntimeError until aiokafka has noticed. aiokafka
expects errors of the network alone (its issue 1038), so the task that wrote dies. Where that is the one that keeps the
cluster's metadata, nothing finds the group's coordinator any more: the worker goes on and never commits again.

aiokafka copies what is produced eight times before it is sent: once for each level of the request, and twice for its
head. Most of that is memory which the system must clear first: together a fifth of what an event costs. What is fetched
was copied four times before it was unpacked: another tenth (`answers.py`).
"""

from __future__ import annotations

import asyncio
import struct
import time
import weakref
from collections.abc import Iterator
from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.types import Array, Bytes, Int32, Schema
from aiokafka.util import wait_for

from streams.engine.answers import Answers, ByteReader

__all__ = ["Connection", "install"]


class Connection(conn.AIOKafkaConnection):  # type: ignore[misc]  # aiokafka is not typed
    """A connection that is closed by who finds it lost: all who wait for an answer hear of it at once."""

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """Sends a request; the answer is to be awaited.

        Raises:
            KafkaConnectionError: The connection is lost.
        """
        self._close_where_lost()
        if expect_response and isinstance(request, ProduceRequest):
            return self._send_in_pieces(request)
        return super().send(request, expect_response)

    def _send_in_pieces(self, request: ProduceRequest) -> Any:
        """What aiokafka's own `send` does, but what is large is written from where it lies."""
        if self._writer is None:
            raise KafkaConnectionError(f"No connection to broker at {self.host}:{self.port}")
        body = request.prepare(self._versions)
        number = self._next_correlation_id()
        head = body.build_request_header(correlation_id=number, client_id=self._client_id)
        pieces = [head.encode(), *_pieces(body.SCHEMA, [body.get_item(name) for name in body.SCHEMA.names])]
        try:
            self._writer.writelines([struct.pack(">i", sum(map(len, pieces))), *pieces])
        except OSError as error:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}") from error
        answer = asyncio.get_running_loop().create_future()
        self._requests.append((number, body, answer))
        return wait_for(answer, self._request_timeout)

    @staticmethod
    async def _read(itself: weakref.ref[Connection]) -> None:
        """Takes one answer after the other, as long as somebody has the connection."""
        self = itself()
        if self is None:
            return
        answers = self._protocol
        while self is not None:
            self = None  # whoever forgot it may lose it meanwhile
            frame = await answers.next()
            self = itself()
            if self is not None:
                self._handle_frame(frame)

    def _handle_frame(self, frame: memoryview) -> None:
        """What aiokafka's own does, but what was fetched is decoded from where it lies."""
        number, request, answer = self._requests[0]
        if request is not None and request.API_KEY == FetchRequest.API_KEY:
            data = ByteReader(frame)
            if request.parse_response_header(data).correlation_id == number:
                if not answer.done():
                    answer.set_result(request.RESPONSE_TYPE.decode(data))
                self._last_action = time.monotonic()
                self._requests.popleft()
                return
        super()._handle_frame(bytes(frame))

    def _send_sasl_token(self, payload: bytes, expect_response: bool = True) -> Any:
        self._close_where_lost()
        return super()._send_sasl_token(payload, expect_response)

    def _close_where_lost(self) -> None:
        if self._writer is not None and self._writer.is_closing():
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)


def _pieces(kind: Any, value: Any) -> Iterator[bytes]:
    """The bytes of a value; joined they are what `kind.encode(value)` returns."""
    if type(kind) is Schema:
        for field, part in zip(kind.fields, value, strict=True):
            yield from _pieces(field, part)
    elif type(kind) is Array and value is not None:
        yield Int32.encode(len(value))
        for part in value:
            yield from _pieces(kind.array_of, part)
    elif kind is Bytes and value is not None:
        yield Int32.encode(len(value))
        yield value
    else:
        yield kind.encode(value)


def install() -> None:
    """Lets every client of aiokafka in this process make `Connection`s."""
    conn.AIOKafkaConnection = Connection
    conn.AIOKafkaProtocol = Answers
