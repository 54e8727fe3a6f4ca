"""Whom route asks for time."""

from __future__ import annotations

from typing import cast

from schemas.internal import AlarmRequest, decode_internal
from schemas.routing_log import LogTime, encode_routing
from streams.first_policy import FirstPolicy
from streams.route import RoutePartition, RouteStage, RouteTopics
from streams.route_watch import RouteWatch

T0 = 1_772_446_500_000
TOPICS = RouteTopics("lead-routing", "routing", "lead-assignments", "sla-events", "lead-internal", 2)


class Asked:
    """A stage of two score partitions, and what they answer."""

    def __init__(self) -> None:
        watch = cast(RouteWatch, None)
        self._stage = RouteStage(TOPICS, cast(FirstPolicy, None), watch)
        self.partition = RoutePartition(0, TOPICS, watch)
        self._offset = 0

    def hear(self, number: int, at_ms: int) -> None:
        self.partition.state.fold([(self._offset, encode_routing([LogTime(number, 2, at_ms)]))], (self._offset, 0))
        self._offset += 1

    def ask(self) -> list[int]:
        requests = self._stage.alarms(0, self.partition)
        assert [(topic, at) for topic, at, _ in requests] == [("lead-internal", at) for _, at, _ in requests]
        return [cast(AlarmRequest, decode_internal(value)).partition for _, _, value in requests]


def test_before_the_first_time_one_partition_is_asked() -> None:
    assert Asked().ask() == [0]


def test_partitions_that_are_apart_come_together_with_the_next_answer() -> None:
    asked = Asked()
    asked.hear(0, T0)
    asked.hear(1, T0 + 500)
    for number in asked.ask():
        asked.hear(number, T0 + 1_000)
    assert asked.partition.state.log_time_ms == T0 + 1_000
