"""The list of topics."""

from __future__ import annotations

import pytest

from schemas.log import EVENT_ROWS
from schemas.topics import KIND_TOPICS, RAW_TOPICS, TOPICS, TOPICS_BY_NAME, topic_of_kind


def test_names_are_unique_and_kafkas() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(set(names)) == len(names)
    for name in names:
        assert name.replace("-", "").isalnum()


def test_every_kind_has_its_topic() -> None:
    assert set(KIND_TOPICS) == set(EVENT_ROWS)
    assert set(KIND_TOPICS.values()) == set(RAW_TOPICS)
    with pytest.raises(KeyError):
        topic_of_kind("page_views")


def test_what_is_compacted_is_not_deleted_by_time() -> None:
    for topic in TOPICS:
        assert (topic.cleanup == "compact") == (topic.retention_ms is None)
        assert TOPICS_BY_NAME[topic.name] is topic
