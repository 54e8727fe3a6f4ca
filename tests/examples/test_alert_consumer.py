"""The alert consumer tells each transition once, also where a worker repeats itself, the webhook fails, or it dies."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from tests.kafka.broker import KafkaBroker
from tests.redis_server import RedisServer
from tests.view.live import LiveView, until
from tests.view.small_town import a_town

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "alert_consumer.py"


class Receiver:
    """A webhook that refuses every twentieth call; it knows by key and body what was told."""

    def __init__(self) -> None:
        self.told: Counter[tuple[str, str]] = Counter()
        self.calls = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.calls += 1
                refused = receiver.calls % 20 == 0
                if not refused:
                    receiver.told[self.headers["Idempotency-Key"], body] += 1
                self.send_response(503 if refused else 204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def knows(self, count: int) -> bool:
        """Whether it was told so many."""
        return len(self.told) >= count

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/alerts"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.kafka
@pytest.mark.kill
def test_each_transition_is_told_once(
    kafka: KafkaBroker, redis_server: RedisServer, tmp_path: Path, receiver: Receiver
) -> None:
    town = a_town(6, length=40)
    live = LiveView(kafka, redis_server, tmp_path, "alerts-")
    wanted = {one for ids in town.told.values() for one in ids}
    run = (sys.executable, str(EXAMPLE), kafka.bootstrap, receiver.address, str(tmp_path / "told.db"), "alerts-")
    kills = 2
    parts = [number / (kills + 1) for number in range(kills + 2)]
    for share in pairwise(parts):
        live.feed(town, share)
        enough = len(wanted) if share[1] == 1 else len(receiver.told) + 3
        with (tmp_path / "alerts.log").open("ab") as log:
            process = subprocess.Popen(run, stderr=log)
        try:
            until(partial(receiver.knows, enough), "alerts", 60)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert {key for key, _ in receiver.told} == wanted
    assert len(receiver.told) == len(wanted), "one body for each id"
    assert sum(receiver.told.values()) <= len(wanted) + kills, "told again only where it was killed in between"
    assert all(json.loads(body)["id"] == key for key, body in receiver.told)
