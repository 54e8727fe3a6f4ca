"""Pipelines of real workers on the shared broker."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from streams import topics_admin
from streams.settings import Settings
from tests.kafka.broker import KafkaBroker
from tests.pipeline import Pipeline
from tests.streams.routed import MODEL, POLICY, Routed

PARTITIONS = 3

MakePipeline = Callable[..., Pipeline]

_numbers = itertools.count(1)


@pytest.fixture
def make_pipeline(kafka: KafkaBroker, tmp_path: Path) -> Iterator[MakePipeline]:
    """Makes a pipeline with topics of its own; its workers end with the test."""
    with ExitStack() as stack:

        def make(*, history: bool = False, **settings: object) -> Pipeline:
            prefix = f"streams{next(_numbers)}-"
            given = {"bootstrap_servers": kafka.bootstrap, "topic_prefix": prefix, "partitions": PARTITIONS}
            topics_admin.create(Settings.model_validate(given), history=history)
            return stack.enter_context(
                Pipeline(kafka.bootstrap, prefix, tmp_path, {"partitions": PARTITIONS} | settings)
            )

        yield make


@pytest.fixture
def make_routed(make_pipeline: MakePipeline, tmp_path: Path) -> Any:
    """Makes a `Routed`: how long its clocks run, and when they escalate."""

    def make(within: str = "2s", after: str = "3s", **settings: object) -> Routed:
        model, policy = tmp_path / "short.yaml", tmp_path / "policy.yaml"
        model.write_text(MODEL)
        policy.write_text(POLICY.format(version=1, members="bob", within=within, after=after))
        return Routed(make_pipeline(model=model, policy=policy, **settings), tmp_path)

    return make
