"""Worlds of toy workers on the shared broker."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engine.world import World
from tests.kafka.broker import KafkaBroker

_numbers = itertools.count(1)


@pytest.fixture
def world(kafka: KafkaBroker, tmp_path: Path) -> Iterator[World]:
    """Topics of this test's own; its workers end with the test."""
    with World(kafka.bootstrap, f"engine{next(_numbers)}", tmp_path).make_topics() as made:
        yield made


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[ExitStack]:
    """Ends the worlds that a test makes by itself."""
    with ExitStack() as stack:
        yield stack
