"""Whether a worker is well, and the HTTP thread that tells: /metrics, /livez and /readyz.

* `/livez`: the event loop gets on. Where it does not, a restart helps.
* `/readyz`: the worker has its partitions, state is recovered, nothing blocks it and no step hangs.

The thread answers while the event loop is busy, so it tells the truth about a loop that is stuck.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import CollectorRegistry

from streams.errors import UsageError
from streams.settings import variable

__all__ = ["HealthServer", "Readiness"]

LOOP_SILENT_S = 30.0
STEP_HANGS_S = 15.0

Clock = Callable[[], float]


class Readiness:
    """What is known of a worker's health; written in its event loop, read by the HTTP thread."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._ready = False
        self._why = "starting"
        self._blocks: dict[str, str] = {}
        self._beat_at = clock()
        self._step_since: float | None = None

    def engine(self, ready: bool, why: str) -> None:
        """The engine has its partitions and their state, or not."""
        self._ready, self._why = ready, why

    def block(self, name: str, why: str) -> None:
        """Something of the stage's own makes the worker unready, until `unblock`."""
        self._blocks = self._blocks | {name: why}

    def unblock(self, name: str) -> None:
        """It is over."""
        self._blocks = {other: why for other, why in self._blocks.items() if other != name}

    def beat(self) -> None:
        """The event loop gets on."""
        self._beat_at = self._clock()

    def step_begins(self) -> None:
        """A step is at work; where steps overlap, the first one counts."""
        if self._step_since is None:
            self._step_since = self._clock()

    def step_ends(self) -> None:
        """What a step made is durable."""
        self._step_since = None

    def alive(self) -> tuple[bool, str]:
        """Whether the event loop gets on, and a line for people."""
        silent = self._clock() - self._beat_at
        return silent < LOOP_SILENT_S, f"the event loop answered {silent:.1f} s ago"

    def ready(self) -> tuple[bool, str]:
        """Whether the worker does its work, and why not or on what."""
        alive, why = self.alive()
        if not alive:
            return False, why
        if not self._ready:
            return False, self._why
        blocks = self._blocks
        if blocks:
            return False, "; ".join(blocks.values())
        since = self._step_since
        if since is not None and self._clock() - since > STEP_HANGS_S:
            return False, f"a step has been waiting for the broker for {self._clock() - since:.0f} s"
        return True, self._why


class HealthServer:
    """Serves a worker's health and metrics from a thread.

    Args:
        host: Address to listen on.
        port: Port; 0 serves nothing.

    Raises:
        UsageError: The port is taken, or the address is not this machine's.
    """

    def __init__(self, host: str, port: int, readiness: Readiness, registry: CollectorRegistry) -> None:
        self._server: ThreadingHTTPServer | None = None
        if not port:
            return
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(readiness, registry))
        except OSError as error:
            raise UsageError(
                f"metrics cannot be served at {host}:{port}: {error.strerror or error}; set "
                f"{variable('metrics_port')} (0 serves nothing) and {variable('metrics_host')}"
            ) from error
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()

    def close(self) -> None:
        """Stops serving."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def _handler(readiness: Readiness, registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(HTTPStatus.OK, generate_latest(registry), CONTENT_TYPE_LATEST)
            elif path in ("/livez", "/readyz"):
                well, why = readiness.alive() if path == "/livez" else readiness.ready()
                status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
                self._answer(status, f"{'ok' if well else 'not ok'}: {why}\n".encode())
            else:
                self._answer(HTTPStatus.NOT_FOUND, b"/metrics, /livez and /readyz are served here\n")

        def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            """Scrapes are not worth a line."""

    return Handler
