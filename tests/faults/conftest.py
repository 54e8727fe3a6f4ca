"""Pipelines for faults: quick sessions, models with short silences, and a judgement at the end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.routed_trial import RoutedTrial
from tests.faults.routing_world import POLICY, ROUTED_MODEL
from tests.faults.small_world import MODEL
from tests.faults.trial import PARTITIONS, SESSION_S, Trial
from tests.kafka.broker import KafkaBroker

MakeTrial = Callable[..., Trial]

_numbers = itertools.count(1)


@pytest.fixture
def trials() -> Iterator[ExitStack]:
    """The workers of what enters it end with the test."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def make_trial(trials: ExitStack, tmp_path: Path) -> MakeTrial:
    """Makes a trial on a broker, with topics of its own."""

    def make(broker: KafkaBroker, kind: type[Trial] = Trial, *, history: bool = False, **settings: object) -> Trial:
        model = tmp_path / "faults.yaml"
        model.write_text(MODEL.format(version=1, demo_points=20, quiet="3s").replace(", hold: 60d", ""))
        given = {
            "model": model,
            "partitions": PARTITIONS,
            "session_timeout_ms": int(SESSION_S * 1000),
            "heartbeat_ms": 1000,
            "breaker_share": 1.0,
        }
        trial = kind(broker.bootstrap, f"faults{next(_numbers)}-", tmp_path, given | settings)
        trial.command("topics", "create", *(["--history"] if history else []))
        return trials.enter_context(trial)

    return make


@pytest.fixture
def routed(make_trial: MakeTrial, kafka: KafkaBroker, tmp_path: Path) -> RoutedTrial:
    """A trial with route, on the shared broker."""
    return make_routed(make_trial, kafka, tmp_path)


def make_routed(make_trial: MakeTrial, broker: KafkaBroker, folder: Path, **settings: object) -> RoutedTrial:
    """A trial with route."""
    model, policy = folder / "routed.yaml", folder / "policy.yaml"
    model.write_text(ROUTED_MODEL)
    policy.write_text(POLICY.format(version=1, capacity=4))
    trial = make_trial(broker, RoutedTrial, model=model, policy=policy, **settings)
    assert isinstance(trial, RoutedTrial)
    return trial
