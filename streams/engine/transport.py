"""Faust's aiokafka driver, changed where a batch is the unit of work: what is acknowledged, and how records are sent.

Every override says why it is there; README.md lists them with the place in Faust that they replace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ack_lock

from streams.engine.fetching import CarryThread, EngineThread, TableThread
from streams.engine.publisher import BrokerPublisher
from streams.engine.stage import TopicPartition

if TYPE_CHECKING:
    from streams.engine.faust_parts import EngineApp

__all__ = ["CarryConsumer", "CarryTransport", "EngineConsumer", "EngineProducer", "TableTransport"]


class EngineConsumer(driver.Consumer):
    """Faust's consumer, in the main loop."""

    def _new_consumer_thread(self) -> EngineThread:
        """Our thread."""
        return TableThread(self, loop=self.loop, beacon=self.beacon)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets inside a batch are not gaps."""

    def _new_offset(self, tp: TP) -> int | None:
        """One agent acknowledges in order, so the greatest acknowledged offset covers all before it."""
        with ack_lock:
            acked = self._acked[tp]
            if not acked:
                return None
            greatest: int = max(acked)
            acked.clear()
            self._acked_index[tp].clear()
            return greatest + 1

    async def perform_seek(self) -> None:
        """Positions come from checkpoints (or from `seek_to_done`); a late seek to the commit would undo them."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Faust forgets what is acknowledged before it commits: the group would seem to lag, or read twice."""
        await self.commit()
        await super().on_partitions_revoked(revoked)


class CarryConsumer(EngineConsumer):
    """The consumer of a carry stage: what is done is said in positions, not by acknowledging messages."""

    def _new_consumer_thread(self) -> EngineThread:
        """Our thread."""
        return CarryThread(self, loop=self.loop, beacon=self.beacon)

    def ack(self, message: Any) -> bool:
        """A poll stands for many partitions: its own offset means nothing."""
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    def done(self, positions: Mapping[TopicPartition, int]) -> None:
        """Everything before these offsets may be committed."""
        with ack_lock:
            for (topic, partition), offset in positions.items():
                self._acked[TP(topic, partition)] = [offset - 1]


class EngineProducer(driver.Producer):
    """For what is written beside the steps."""

    async def on_start(self) -> None:
        """The first moment at which the stage can publish."""
        await super().on_start()
        await self.engine_app.stage.started(BrokerPublisher(self.engine_app))

    async def on_stop(self) -> None:
        """The last one."""
        await self.engine_app.stage.stopped()
        await super().on_stop()

    def _settings_extra(self) -> Mapping[str, Any]:
        """Faust makes its producer idempotent under exactly_once only."""
        return self.engine_app.config.producer_settings()

    def _settings_auth(self) -> Mapping[str, Any]:
        """Part of the settings above."""
        return {}

    @property
    def engine_app(self) -> EngineApp:
        """The app, as ours."""
        return cast("EngineApp", self.app)


class TableTransport(driver.Transport):
    """For table stages."""

    Consumer = EngineConsumer
    Producer = EngineProducer


class CarryTransport(driver.Transport):
    """For carry stages."""

    Consumer = CarryConsumer
    Producer = EngineProducer
