"""aiokafka's connections, where one is lost in the very moment in which somebody writes to it.

asyncio drops what is written to a lost connection; uvloop raises RuntimeError until aiokafka has noticed. aiokafka
expects errors of the network alone (its issue 1038), so the task that wrote dies. Where that is the one that keeps the
cluster's metadata, nothing finds the group's coordinator any more: the worker goes on and never commits again.
"""

from __future__ import annotations

from typing import Any

from aiokafka import conn

__all__ = ["Connection", "install"]


class Connection(conn.AIOKafkaConnection):  # type: ignore[misc]  # aiokafka is not typed
    """A connection that is closed by who finds it lost: all who wait for an answer hear of it at once."""

    def send(self, request: Any, expect_response: bool = True) -> Any:
        """Sends a request; the answer is to be awaited.

        Raises:
            KafkaConnectionError: The connection is lost.
        """
        self._close_where_lost()
        return super().send(request, expect_response)

    def _send_sasl_token(self, payload: bytes, expect_response: bool = True) -> Any:
        self._close_where_lost()
        return super()._send_sasl_token(payload, expect_response)

    def _close_where_lost(self) -> None:
        if self._writer is not None and self._writer.is_closing():
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)


def install() -> None:
    """Lets every client of aiokafka in this process make `Connection`s."""
    conn.AIOKafkaConnection = Connection
