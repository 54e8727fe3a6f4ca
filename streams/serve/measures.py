"""Metrics of the API, and /metrics."""

from __future__ import annotations

import contextlib
import time

from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics import Counter, Gauge, Histogram
from prometheus_client.registry import CollectorRegistry
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.view.reader import NotWhole, ReadModel, RedisAway

__all__ = ["Measures"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Measures:
    """Counts requests by operation and status, and serves what was counted.

    Args:
        app: What is measured.
        model: Tells whether what it serves is stale.
    """

    def __init__(self, app: ASGIApp, model: ReadModel) -> None:
        self._app = app
        self._model = model
        self._registry = CollectorRegistry()
        for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
            self._registry.register(collector)
        self._requests = Counter(
            "leadstream_api_requests", "Requests by operation and status.", ("path", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "leadstream_api_seconds",
            "Seconds to the beginning of an answer.",
            ("path",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        stale = Gauge("leadstream_api_stale", "1 while answers are stale, else 0.", registry=self._registry)
        stale.set_function(lambda: float(model.fresh.stale is not None))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == "/metrics":
            # How fresh answers would be now, also where nobody asks for one.
            with contextlib.suppress(NotWhole, RedisAway):
                await self._model.ask()
            answer = Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
            await answer(scope, receive, send)
            return
        begun = time.perf_counter()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The pattern of the operation, never what somebody asked for: labels are bounded.
                route = scope.get("route")
                path = getattr(route, "path", "other")
                self._seconds.labels(path).observe(time.perf_counter() - begun)
                self._requests.labels(path, str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, measured)
