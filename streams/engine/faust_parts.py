"""Faust's app with our parts in its public settings, and a worker without banner, web server and log set-up."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import faust
from faust.serializers.schemas import Schema
from faust.tables.manager import TableManager
from faust.types.transports import SchedulingStrategyT
from faust.worker import Worker

from streams.engine.config import EngineConfig
from streams.engine.errors import FailStop
from streams.engine.guard import Guard
from streams.engine.observer import Health, Observer
from streams.engine.recovery import EngineRecovery
from streams.engine.stage import CarryStage, TableStage
from streams.engine.table import EngineTable
from streams.engine.transport import CarryTransport, TableTransport

__all__ = ["BatchSchema", "EngineApp", "EngineWorker", "FoldScheduler", "build_app"]

log = logging.getLogger(__name__)


class FoldScheduler(SchedulingStrategyT):
    """One Faust message per batch, not one per record."""

    def iterate(self, records: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
        """The batches, as they were fetched."""
        return iter(records.items())


class BatchSchema(Schema[Any, Any]):
    """Hands a batch through as it is."""

    def compile(self, app: Any, **_: Any) -> Callable[..., Any]:
        """Makes the function that turns a message into an event."""

        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return app.create_event(None, message.value, None, message)

        return decode


class EngineTables(TableManager):
    """Faust's tables, with our recovery."""

    async def on_start(self) -> None:
        """Faust waits a second for modules that may still declare tables; ours are declared before it runs."""
        await self._update_channels()
        await self.recovery.start()

    @property
    def recovery(self) -> EngineRecovery:
        """Faust has no setting for it."""
        if self._recovery is None:
            self._recovery = EngineRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return cast(EngineRecovery, self._recovery)


class EngineApp(faust.App):
    """Faust's app, and what every part of the engine shares.

    Attributes:
        process: Name of this process among owners of partitions; never used twice.
    """

    config: EngineConfig
    guard: Guard
    health: Health
    observer: Observer
    stage: TableStage | CarryStage
    carries: bool
    source_topics: frozenset[str]
    process: str

    def _new_transport(self) -> Any:
        """The transport has no setting either."""
        kind = CarryTransport if self.carries else TableTransport
        return kind(self.conf.broker_consumer, self)

    def on_rebalance_start(self) -> None:
        """Readiness ends here, and must come back."""
        self.health.set(False, "partitions are being reassigned")
        self.guard.expect_ready("the reassignment of partitions")
        super().on_rebalance_start()

    def check_ours(self, generation: int) -> None:
        """A second line behind the fence: a process that slept, or that the group gave up, writes nothing.

        Raises:
            FailStop: What is in work is of an older generation of the group.
        """
        self.guard.check_awake()
        if self.consumer_generation_id != generation:
            raise FailStop(
                f"the group is at generation {self.consumer_generation_id}, this work is of {generation}: our session "
                "ended before the step did"
            )

    def _create_directories(self) -> None:
        """Nothing is kept in files."""

    def _crash(self, reason: BaseException) -> None:
        """Faust's crash is a graceful stop, with a last commit; ours is none."""
        self.guard.end(reason)


class EngineWorker(Worker):
    """Runs an app until a signal."""

    def __init__(self, app: EngineApp) -> None:
        super().__init__(
            app, quiet=True, redirect_stdouts=False, override_logging=False, workdir=Path.cwd(), debug=False
        )
        self.spinner = None

    def _gather_all(self) -> None:
        """Every service is stopped: what is left are sleepers. Faust gives them a second before it cancels them."""
        for task in asyncio.all_tasks(self.loop):
            task.cancel()

    async def _sentinel_task(self) -> None:
        """Lets the cancelled tasks end; Faust takes another second."""
        await asyncio.sleep(0)

    def _on_sigterm(self) -> None:
        """A stop has a deadline."""
        self._limit_stop()
        super()._on_sigterm()

    def _on_sigint(self) -> None:
        """The same for Ctrl-C."""
        self._limit_stop()
        super()._on_sigint()

    def _limit_stop(self) -> None:
        app = self.app
        assert isinstance(app, EngineApp)
        app.health.set(False, "stopping")
        app.guard.stop_within(app.config.stop_timeout_s)


def build_app(
    config: EngineConfig, stage: TableStage | CarryStage, observer: Observer, guard: Guard, *, sources: tuple[str, ...]
) -> EngineApp:
    """Makes the Faust app of a stage; the caller adds table and agent."""
    carries = not hasattr(stage, "changelog")
    app = EngineApp(config.app_id, **_settings(config))
    app.config, app.guard, app.observer, app.stage = config, guard, observer, stage
    app.health = Health(observer)
    app.source_topics = frozenset(sources)
    app.carries = carries
    app.process = f"{config.instance_id or 'worker'}-{uuid.uuid4().hex}"
    return app


def _settings(config: EngineConfig) -> dict[str, Any]:
    return {
        "broker": [f"kafka://{address}" for address in config.bootstrap.split(",")],
        "broker_credentials": config.security.faust_credentials(),
        "broker_session_timeout": config.session_timeout_ms / 1000,
        "broker_heartbeat_interval": config.heartbeat_ms / 1000,
        "broker_rebalance_timeout": config.rebalance_timeout_ms / 1000,
        "broker_request_timeout": 40.0,
        "broker_commit_interval": config.commit_interval_ms / 1000,
        "broker_max_poll_records": config.poll_records,
        "consumer_group_instance_id": config.instance_id,
        "consumer_max_fetch_size": config.fetch_max_bytes,
        "consumer_auto_offset_reset": "earliest",
        "ConsumerScheduler": FoldScheduler,
        "Table": EngineTable,
        "TableManager": EngineTables,
        # State is ours: Faust's stores hold nothing, and standbys of them would be useless.
        "store": "memory://",
        "table_standby_replicas": 0,
        "datadir": Path(tempfile.gettempdir()) / f"{config.app_id}-faust",
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "stream_buffer_maxsize": 64,
        "stream_recovery_delay": 0.0,
        "web_enabled": False,
        "worker_redirect_stdouts": False,
        "processing_guarantee": "at_least_once",
    }
