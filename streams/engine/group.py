"""Does somebody have every partition?

A group leader without metadata of a topic assigns nothing of it to anybody ("Ignoring missing topic"), and the group
stays so. A worker without partitions cannot know by itself whether it is surplus or hit by that; the group can.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import KafkaError

from streams.engine.errors import FailStop
from streams.engine.stage import TopicPartition

if TYPE_CHECKING:
    from streams.engine.config import EngineConfig
    from streams.engine.faust_parts import EngineApp

__all__ = ["assigned_in_group", "watch_group"]

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
STRIKES = 3


async def watch_group(app: EngineApp) -> None:
    """After each reassignment, until every partition is seen with a member; ends the process where none has it."""
    try:
        await _watch(app)
    except FailStop as error:
        app.guard.end(error)


async def _watch(app: EngineApp) -> None:
    checked = None
    strikes = 0
    while not app.should_stop:
        generation = app.consumer_generation_id
        if generation != checked and not app.rebalancing:
            missing = await _missing(app)
            strikes = strikes + 1 if missing and generation == app.consumer_generation_id else 0
            if missing is not None and not missing:
                checked = generation
            if missing and strikes >= STRIKES:
                raise FailStop(
                    f"no member of the group {app.config.app_id} has {sorted(missing)}: its leader did not know the "
                    "topic when it assigned"
                )
        await asyncio.sleep(LOOK_EVERY_S)


async def _missing(app: EngineApp) -> set[TopicPartition] | None:
    """Source partitions that nobody has; None where the group cannot be asked now."""
    expected = _expected(app)
    if app.config.embedded:  # no group can be described there, and it has one worker
        return expected - {TopicPartition(tp.topic, tp.partition) for tp in app.consumer.assignment()}
    try:
        assigned = await assigned_in_group(app.config)
    except (KafkaError, TimeoutError) as error:
        log.warning("the group cannot be described: %r", error)
        return None
    return None if assigned is None else expected - assigned


def _expected(app: EngineApp) -> set[TopicPartition]:
    cluster: Any = app.consumer._thread._consumer._client.cluster  # type: ignore[attr-defined]
    return {
        TopicPartition(topic, number)
        for topic in app.source_topics
        for number in cluster.partitions_for_topic(topic) or range(1)
    }


async def assigned_in_group(config: EngineConfig) -> set[TopicPartition] | None:
    """What the members of a stable group have among them; None while it is being reassigned."""
    client = AIOKafkaAdminClient(
        bootstrap_servers=config.bootstrap.split(","), request_timeout_ms=10_000, **config.security.client_settings()
    )
    async with asyncio.timeout(15):
        await client.start()
        try:
            (answer,) = await client.describe_consumer_groups([config.app_id])
        finally:
            await client.close()
    (group,) = answer.groups
    _, _, state, _, _, members, *_ = group
    return _partitions(member[4] for member in members) if state == "Stable" else None


def _partitions(assignments: Iterable[bytes]) -> set[TopicPartition]:
    found: set[TopicPartition] = set()
    for data in assignments:
        if data:
            for topic, numbers in ConsumerProtocol.ASSIGNMENT.decode(data).assignment:
                found.update(TopicPartition(topic, number) for number in numbers)
    return found
