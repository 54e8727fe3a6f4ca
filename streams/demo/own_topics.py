"""The demo on a real Kafka: topics under a prefix of its own, and away with them at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from schemas.topics import TOPICS
from streams import topics_admin
from streams.clients import new_admin
from streams.engine.errors import BrokerUnreachable
from streams.settings import STAGES, Settings

__all__ = ["OwnTopics"]

_LIMIT_S = 15.0
_AGAIN_S = 0.5


class OwnTopics:
    """Topics that exist as long as this object is open, and the groups that read them.

    Args:
        settings: With a prefix that nobody else uses.
        say: Takes a line for the viewer.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._settings, self._say = settings, say

    def __enter__(self) -> Self:
        try:
            topics_admin.create(self._settings, history=True)
        except BrokerUnreachable:
            raise
        except BaseException:
            self._delete()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._delete()

    def _delete(self) -> None:
        """Deletes everything of the demo, and tells what is left where that fails."""
        topics = [self._settings.topic(topic.name) for topic in TOPICS]
        groups = [self._settings.app_id(stage) for stage in STAGES]
        try:
            admin = new_admin(self._settings)
            left = _failures(admin.delete_topics(topics, operation_timeout=_LIMIT_S), "topic")
            left += self._delete_groups(admin, groups)
        except (BrokerUnreachable, KafkaException) as error:
            self._say(f"{error}; topics and groups named {self._settings.topic_prefix}… are left there")
            return
        for what in left:
            self._say(f"left at {self._settings.bootstrap_servers}: {what}")

    def _delete_groups(self, admin: AdminClient, groups: list[str]) -> list[str]:
        """A group can be deleted when its session with the last worker has ended."""
        end = time.monotonic() + self._settings.session_timeout_ms / 1000 + 2 * _AGAIN_S
        while True:
            left = _failures(admin.delete_consumer_groups(groups), "group")
            if not left or time.monotonic() > end:
                return left
            time.sleep(_AGAIN_S)


def _failures(futures: Mapping[str, Future[None]], what: str) -> list[str]:
    """What could not be deleted, and why; what does not exist need not be."""
    left = []
    for name, future in futures.items():
        try:
            future.result(2 * _LIMIT_S)
        except KafkaException as error:
            if error.args[0].code() not in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.GROUP_ID_NOT_FOUND):
                left.append(f"{what} {name} ({error.args[0].str()})")
    return left
