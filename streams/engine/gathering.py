"""What a broker gathers before it answers a fetch.

A batch costs the same three round trips for one event as for a thousand. So while records come, a broker is asked to
gather for `gather_ms`, for all partitions in one answer, unless there is a backlog: then it has enough at once.
While nothing comes, the first record is answered with as soon as it is there.
"""

from __future__ import annotations

import time
from typing import Any

from streams.engine.config import EngineConfig

__all__ = ["Gathering"]

_AT_ONCE_BYTES = 1
_FLOWS_FOR = 2
"""Records come, as long as the newest answer that had some is not older than so many times of gathering."""


class Gathering:
    """Says in each request of a fetcher how long the broker may gather.

    Args:
        fetcher: aiokafka's.
        config: `gather_ms` and `fetch_wait_ms`; `fetch_max_bytes` are enough at once.
    """

    def __init__(self, fetcher: Any, config: EngineConfig) -> None:
        self._fetcher, self._config = fetcher, config
        self._flow_s = _FLOWS_FOR * config.gather_ms / 1000
        self._waiting = 0
        self._came_at = -self._flow_s
        self._requests = fetcher._get_actions_per_node
        fetcher._get_actions_per_node = self._before_requests

    def _before_requests(self, assignment: Any) -> Any:
        """Here aiokafka looks what to ask of whom: after every answer, and when somebody took what had come."""
        now, waiting = time.monotonic(), len(self._fetcher._records)
        if waiting > self._waiting:
            self._came_at = now
        self._waiting = waiting
        flows = now - self._came_at < self._flow_s
        self._fetcher._fetch_min_bytes = self._config.fetch_max_bytes if flows else _AT_ONCE_BYTES
        self._fetcher._fetch_max_wait_ms = self._config.gather_ms if flows else self._config.fetch_wait_ms
        return self._requests(assignment)
