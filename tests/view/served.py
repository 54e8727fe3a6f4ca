"""The API as a process over a real Redis that holds a town."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec
import redis

from streams.view.batch import Batch
from streams.view.facts import KEPT_MS
from streams.view.keys import Keys
from streams.view.report import make_report
from streams.view.store import Hold, Store
from tests.redis_server import PREFIX, RedisServer, free_port
from tests.view.small_town import Town, last_log_time_ms

__all__ = ["KEY", "Answer", "Api", "Filled"]

KEY = "the-key-of-the-tests"


class Answer(NamedTuple):
    """What the API said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Filled:
    """A Redis that holds what a town says, as a view would have written it."""

    def __init__(self, server: RedisServer, town: Town) -> None:
        self.server, self.town = server, town
        client = redis.Redis.from_url(server.url)
        self.store = Store(client, Keys(PREFIX), "tests", "the topics", self.now_ms, time.monotonic)
        hold = self.store.take()
        assert hold is not None
        self.hold: Hold = hold

    def fill(self) -> None:
        """All of it, in small batches."""
        records = [record for records in self.town.records.values() for record in records]
        for start in range(0, len(records), 20):
            self.store.apply(self.hold, Batch.of(records[start : start + 20]))
        self.caught_up()

    def caught_up(self, seen_at_ms: int | None = None) -> None:
        """The view has caught up, now or then."""
        at_ms = last_log_time_ms(self.town)
        report = make_report(self.hold.facts, at_ms)
        body = msgspec.json.encode(report)
        self.store.caught_up(self.hold, seen_at_ms or self.now_ms(), at_ms, body, at_ms - KEPT_MS)

    @staticmethod
    def now_ms() -> int:
        return time.time_ns() // 1_000_000


class Api:
    """`leadstream serve` as a process."""

    def __init__(self, server: RedisServer, **settings: object) -> None:
        self.port = free_port()
        given: dict[str, object] = {"redis_url": server.url, "redis_prefix": PREFIX, "api_key": KEY}
        given |= {"api_port": self.port} | settings
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LEADSTREAM_")}
        environment |= {f"LEADSTREAM_{name.upper()}": str(value) for name, value in given.items()}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "serve"], env=environment, stderr=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                self.get("/livez")
            except OSError:
                assert self._process.poll() is None, self.said()
                time.sleep(0.05)
            else:
                return self
        raise TimeoutError("the API did not answer within 20 s")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            assert self._process.wait(10) == 0
        finally:
            self._process.kill()
            if self._process.stderr is not None:
                self._process.stderr.close()

    def said(self) -> str:
        """What it wrote, when it has ended."""
        assert self._process.stderr is not None
        return self._process.stderr.read().decode()

    def get(self, path: str, *, key: str | None = KEY, **headers: str) -> Answer:
        """One request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request("GET", path, headers=sent | ({} if key is None else {"X-API-Key": key}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def events(self, last_id: str | None = None) -> Iterator[dict[str, str]]:
        """Server-sent events as they come, without comments; times out after ten seconds of silence."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        sent = {"X-API-Key": KEY} | ({} if last_id is None else {"Last-Event-ID": last_id})
        try:
            connection.request("GET", "/v1/events", headers=sent)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            event: dict[str, str] = {}
            while line := answer.readline().decode():
                name, _, value = line.rstrip("\n").partition(": ")
                if name and not line.startswith(":"):
                    event[name] = value
                elif not line.strip() and event:
                    yield event
                    event = {}
        finally:
            connection.close()
