import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from streams.demo.workers import free_port
from streams.errors import UsageError
from streams.health import HealthServer, Readiness
from streams.metrics import Metrics


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def readiness(clock: Clock) -> Readiness:
    return Readiness(clock)


@pytest.fixture
def address(readiness: Readiness) -> Iterator[str]:
    port = free_port()
    server = HealthServer("127.0.0.1", port, readiness, Metrics("score").registry)
    yield f"http://127.0.0.1:{port}"
    server.close()


def _get(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_worker_is_ready_when_the_engine_is_and_nothing_blocks(readiness: Readiness, address: str) -> None:
    assert _get(f"{address}/readyz") == (503, "not ok: starting\n")
    readiness.engine(ready=True, why="working on partitions 0, 1")
    assert _get(f"{address}/readyz") == (200, "ok: working on partitions 0, 1\n")
    readiness.block("model", "no model yet")
    assert _get(f"{address}/readyz") == (503, "not ok: no model yet\n")
    readiness.unblock("model")
    assert _get(f"{address}/readyz")[0] == 200


def test_a_step_that_hangs_makes_the_worker_unready(readiness: Readiness, clock: Clock) -> None:
    readiness.engine(ready=True, why="")
    readiness.step_begins()
    clock.now += 10
    readiness.beat()
    assert readiness.ready()[0]
    clock.now += 10
    readiness.beat()
    assert readiness.ready() == (False, "a step has been waiting for the broker for 20 s")
    readiness.step_ends()
    assert readiness.ready()[0]


def test_a_stuck_event_loop_is_neither_alive_nor_ready(readiness: Readiness, clock: Clock, address: str) -> None:
    readiness.engine(ready=True, why="")
    clock.now += 31
    assert _get(f"{address}/livez") == (503, "not ok: the event loop answered 31.0 s ago\n")
    assert _get(f"{address}/readyz")[0] == 503
    readiness.beat()
    assert _get(f"{address}/livez")[0] == 200


def test_metrics_are_served_with_their_help(address: str) -> None:
    status, text = _get(f"{address}/metrics")
    assert status == 200
    assert 'leadstream_worker{stage="score"} 1.0' in text
    assert "# HELP leadstream_log_time_behind_seconds How far" in text
    assert _get(f"{address}/favicon.ico")[0] == 404


def test_a_taken_port_is_told(address: str, readiness: Readiness) -> None:
    port = int(address.rpartition(":")[2])
    with pytest.raises(UsageError, match=f"127.0.0.1:{port}"):
        HealthServer("127.0.0.1", port, readiness, Metrics("score").registry)
