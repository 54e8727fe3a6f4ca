"""The broker: is it there when a worker starts, are the topics as they must be, and does it still answer?"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from streams.engine.config import EngineConfig
from streams.engine.errors import BrokerUnreachable, StateRefused

if TYPE_CHECKING:
    from streams.engine.faust_parts import EngineApp

__all__ = ["check_broker", "watch_broker"]

log = logging.getLogger(__name__)

RETRY_AFTER_S = 0.5
LOOK_EVERY_S = 0.5


async def check_broker(config: EngineConfig, topics: Mapping[str, int | None]) -> None:
    """Reaches the broker and compares the partition counts of topics (None: any count).

    Raises:
        BrokerUnreachable: Nobody answers within the connect timeout.
        StateRefused: A topic is missing or has another partition count.
    """
    client = await _connect(config)
    try:
        await asyncio.wait_for(client.set_topics(topics), config.connect_timeout_s)
        deadline = time.monotonic() + 3.0
        while any(client.cluster.partitions_for_topic(topic) is None for topic in topics):
            if time.monotonic() > deadline:
                break
            await client.force_metadata_update()
            await asyncio.sleep(0.1)
        for topic, wanted in topics.items():
            found = client.cluster.partitions_for_topic(topic)
            if not found:
                raise StateRefused(f"the topic {topic} does not exist on {config.bootstrap}: make the topics first")
            if wanted is not None and len(found) != wanted:
                raise StateRefused(
                    f"the topic {topic} has {len(found)} partitions, but {wanted} are wanted: correct the setting, or "
                    "make the topic anew"
                )
    finally:
        await client.close()


async def _connect(config: EngineConfig) -> AIOKafkaClient:
    deadline = time.monotonic() + config.connect_timeout_s
    while True:
        left = deadline - time.monotonic()
        client = AIOKafkaClient(
            bootstrap_servers=config.bootstrap.split(","),
            request_timeout_ms=int(max(left, 1.0) * 1000),
            **config.security.client_settings(),
        )
        try:
            await asyncio.wait_for(client.bootstrap(), max(left, 1.0))
        except (KafkaError, TimeoutError, OSError) as error:
            await client.close()
            if deadline - time.monotonic() < RETRY_AFTER_S:
                reason = str(error) or type(error).__name__
                raise BrokerUnreachable(
                    f"no Kafka broker answers at {config.bootstrap} ({reason}): start it, or correct the address or "
                    "the credentials"
                ) from error
            await asyncio.sleep(RETRY_AFTER_S)
        else:
            return client


async def watch_broker(app: EngineApp) -> None:
    """While the broker is silent the worker is not ready; it goes on asking, and works on when it is answered."""
    silent = False
    while not app.should_stop:
        silent_s = cast(Any, app.consumer)._thread.silent_s()
        if (silent_s > app.config.silent_limit_s) != silent:
            silent = not silent
            why = f"no answer from the broker at {app.config.bootstrap}" if silent else None
            log.warning("%s", why or "the broker answers again")
            app.health.trouble(why)
        await asyncio.sleep(LOOK_EVERY_S)
