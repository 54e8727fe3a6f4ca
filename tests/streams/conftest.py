"""Pipelines of real workers on the shared broker."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from streams import topics_admin
from streams.settings import Settings
from tests.kafka.broker import KafkaBroker
from tests.pipeline import Pipeline

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
