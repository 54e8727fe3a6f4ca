"""Everything that can go wrong, drawn at random: a pipeline with all its stages, and what is done to it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from tests.faults.cluster import Cluster
from tests.faults.proxy import Proxy
from tests.faults.routed_trial import RoutedTrial
from tests.faults.trial import SESSION_S, Weight
from tests.redis_server import RedisServer

__all__ = ["Deed", "Mix"]

WORKERS = ("ingest", "score", "route", "view")


class Deed(NamedTuple):
    """What was done, and how many seconds after the beginning."""

    at_s: float
    what: str


class Mix:
    """A story drawn from a seed: the same seed does the same things in the same order.

    Attributes:
        timeline: What was done so far.
        lives: What each worker held from time to time, by its name and process: when, and what.
    """

    def __init__(self, seed: int, trial: RoutedTrial, kafka: Cluster, redis: RedisServer) -> None:
        self._chance = Random(seed)
        self._trial, self._kafka, self._redis = trial, kafka, redis
        self._began = time.monotonic()
        self.timeline: list[Deed] = []
        self.lives: dict[tuple[str, int], list[tuple[float, Weight]]] = {}

    def run(self, seconds: float) -> None:
        """Does one thing after the other for so long; then all is well again."""
        each = len(self._kafka.brokers)
        deeds: list[tuple[Callable[[], str], int]] = [
            (self._kill, 6),
            (self._terminate, 3),
            (self._sleep, 3),
            (self._join_or_leave, 4),
            (self._kill_broker, each),
            (self._restart_broker, each),
            (self._freeze_broker, 2 * each),
            (self._cut, 3 * each),
            (self._flush_redis, 2),
            (self._kill_redis, 1),
        ]
        kinds, weights = zip(*deeds, strict=True)
        while time.monotonic() < self._began + seconds:
            (deed,) = self._chance.choices(kinds, weights)
            at_s = time.monotonic() - self._began
            self.timeline.append(Deed(round(at_s, 1), deed()))
            self._pause(0.5, 6)
        for name in set(self._trial.workers) - set(WORKERS):
            self._trial.end(name, signal.SIGTERM)

    def _pause(self, least_s: float, most_s: float) -> None:
        """Time goes by; who stopped itself is started anew."""
        end = time.monotonic() + self._chance.uniform(least_s, most_s)
        while time.monotonic() < end:
            self._trial.tend()
            for process, weight in self._trial.weights().items():
                self.lives.setdefault(process, []).append((time.monotonic(), weight))
            time.sleep(0.2)

    def _any(self) -> str:
        return self._chance.choice(sorted(self._trial.workers))

    def _kill(self) -> str:
        name = self._any()
        self._trial.end(name, signal.SIGKILL)
        self._pause(0, self._chance.choice([0.0, SESSION_S]))
        self._trial.start(name)
        return f"{name} killed"

    def _terminate(self) -> str:
        name = self._any()
        self._trial.end(name, signal.SIGTERM)
        self._trial.start(name)
        return f"{name} stopped and started"

    def _sleep(self) -> str:
        name = self._any()
        sleeper, nap_s = self._trial.workers[name], SESSION_S * self._chance.uniform(0.3, 2)
        sleeper.send_signal(signal.SIGSTOP)
        self._pause(nap_s, nap_s)
        sleeper.send_signal(signal.SIGCONT)
        return f"{name} slept for {nap_s:.1f} s"

    def _join_or_leave(self) -> str:
        name = f"{self._chance.choice(WORKERS)}-2"
        if name not in self._trial.workers:
            self._trial.start(name)
            return f"{name} joined"
        number = self._chance.choice([signal.SIGTERM, signal.SIGKILL])
        self._trial.end(name, number)
        return f"{name} left by {number.name}"

    def _kill_broker(self) -> str:
        broker = self._chance.choice(self._kafka.brokers)
        broker.kill()
        self._pause(0, 5)
        beside = self._kill() if self._chance.random() < 0.5 else "nobody else"
        broker.start()
        return f"broker {broker.node} killed, {beside} meanwhile"

    def _restart_broker(self) -> str:
        broker = self._chance.choice(self._kafka.brokers)
        broker.restart()
        return f"broker {broker.node} restarted"

    def _freeze_broker(self) -> str:
        broker, frozen_s = self._chance.choice(self._kafka.brokers), self._chance.uniform(1, 9)
        broker.freeze()
        self._pause(frozen_s, frozen_s)
        broker.thaw()
        return f"broker {broker.node} frozen for {frozen_s:.1f} s"

    def _cut(self) -> str:
        cut = self._chance.choice([Proxy.refuse, Proxy.swallow, Proxy.cut])
        proxies = self._chance.sample(self._kafka.proxies, self._chance.randint(1, len(self._kafka.proxies)))
        for proxy in proxies:
            cut(proxy)
        self._pause(0, 6)
        beside = self._kill() if self._chance.random() < 0.3 else "nobody"
        for proxy in proxies:
            proxy.pass_on()
        return f"the network before {len(proxies)} brokers: {cut.__name__}, {beside} meanwhile"

    def _flush_redis(self) -> str:
        self._redis.admin.flushall()
        return "Redis flushed"

    def _kill_redis(self) -> str:
        self._redis.kill()
        self._pause(0, 5)
        self._redis.start()
        return "Redis killed and started empty"
