"""The network between workers and broker is cut, half open, and slow; the oracle recounts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import pytest

from tests.faults.conftest import MakeTrial
from tests.faults.load import Load
from tests.faults.proxy import Proxy
from tests.faults.sizes import SEED, size
from tests.faults.trial import Trial
from tests.kafka.broker import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

MOST_MORE_BYTES = 100 << 20
OUTAGE_S = size(5, 300)
OUTAGES = size(4, 100)


@contextmanager
def behind_a_proxy(make_trial: MakeTrial) -> Iterator[tuple[Trial, Proxy]]:
    """A trial that is ready and reaches its broker through a proxy alone."""
    with Proxy() as proxy, KafkaBroker(detours=[proxy.port]) as broker:
        proxy.lead_to(broker.detour(proxy.port))
        trial = make_trial(broker, bootstrap_servers=proxy.bootstrap)
        trial.begin()
        for stage in trial.stages:
            trial.ready(stage)
        yield trial, proxy


def slow(proxy: Proxy) -> None:
    """Half a second for every piece of bytes, either way."""
    proxy.delay_s = 0.5


@pytest.mark.parametrize(
    "far", size(((Proxy.refuse, Proxy.swallow, slow),), ((Proxy.refuse,), (Proxy.swallow,), (slow,)))
)
def test_a_broker_that_is_out_of_reach_or_far_away_costs_nothing(
    make_trial: MakeTrial, far: tuple[Callable[[Proxy], None], ...]
) -> None:
    """Events come on meanwhile; memory stays as it was, and the backlog is worked off within a minute."""
    with behind_a_proxy(make_trial) as (trial, proxy):
        for outage in far:
            with Load(trial, SEED):
                time.sleep(3)
                before = max(weight.memory for weight in trial.weights().values())
                outage(proxy)
                most = heaviest(trial, OUTAGE_S)
                proxy.pass_on()
            trial.drained(60)
            assert most < before + MOST_MORE_BYTES, outage
        trial.judge()


def test_short_outages_again_and_again_leave_nothing_uncommitted(make_trial: MakeTrial) -> None:
    """A write that meets a connection in the moment in which it is lost must not cost a worker its group."""
    chance = Random(SEED)
    with behind_a_proxy(make_trial) as (trial, proxy):
        for outage in range(OUTAGES):
            with Load(trial, SEED + outage, rate=100):
                chance.choice((Proxy.cut, Proxy.refuse, Proxy.swallow))(proxy)
                time.sleep(chance.uniform(0.2, 5))
                proxy.pass_on()
            trial.drained(40)
        trial.judge()


def heaviest(trial: Trial, seconds: float) -> int:
    """Bytes of the largest worker in this time; those that stop themselves are started anew meanwhile."""
    most, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        trial.tend()
        most = max(most, *(weight.memory for weight in trial.weights().values()), 0)
        time.sleep(0.5)
    return most
