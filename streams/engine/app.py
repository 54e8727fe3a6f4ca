"""Runs a stage: builds its Faust app, and runs the worker until a signal."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Mapping
from typing import Any, cast

import mode.loop

from streams.engine import connection, records
from streams.engine.alarms import Alarms
from streams.engine.batch_step import BatchSteps
from streams.engine.broker import check_broker, watch_broker
from streams.engine.carry import CarrySteps
from streams.engine.collector import keep_collecting
from streams.engine.config import EngineConfig
from streams.engine.errors import EngineError, FailStop
from streams.engine.faust_parts import BatchSchema, EngineApp, EngineWorker, build_app
from streams.engine.group import watch_group
from streams.engine.guard import Guard
from streams.engine.observer import Observer
from streams.engine.publisher import BrokerPublisher
from streams.engine.reopening import Reopening
from streams.engine.stage import CarryStage, TableStage
from streams.engine.table import EngineTable
from streams.engine.versions import check_versions

__all__ = ["run_carry", "run_table"]

log = logging.getLogger(__name__)

RECOVERY_BUFFER = 16
"""Batches of changelog between two folds; at 1 Faust goes on reading what the worker itself writes, for ever."""

GARBAGE_THRESHOLDS = (1_000_000, 5, 100)
"""Python's collector looks again and again at all that is new: state, which stays, and batches, which are soon gone
without it. With its own thresholds it takes a sixth of a worker's time. Circles are rare here: it finds none in half a
minute of a steady stream. But whoever tries to reach a broker that is gone makes them by the thousand, with memory in
each: so it is made to look every `COLLECT_EVERY_S`, too. That makes it count anew: of its own it would never come to
what is old in a quiet stream."""

COLLECT_EVERY_S = 10.0


def run_table(stage: TableStage, config: EngineConfig, observer: Observer) -> None:
    """Runs a table stage until SIGTERM or SIGINT; returns after a graceful stop.

    Raises:
        EngineError: It could not start, or could not stop gracefully. Once it runs, an error ends the process.
    """
    counts: dict[str, int | None] = dict.fromkeys((stage.source, stage.changelog, *stage.outputs), config.partitions)
    counts |= dict.fromkeys(stage.gathered, None if config.embedded else 1)
    guard = _prepare(config, counts)
    app = build_app(config, stage, observer, guard, sources=(stage.source,))
    table = cast(
        EngineTable,
        app.Table(
            f"{stage.name}-table",
            partitions=config.partitions,
            recovery_buffer_size=RECOVERY_BUFFER,
            changelog_topic=_topic(app, stage.changelog, acks=False),
        ),
    )
    app.agent(_topic(app, stage.source), name=stage.name, concurrency=1)(BatchSteps(app, table).run)
    app.task(Alarms(app, table, BrokerPublisher(app)).run)
    app.task(Reopening(app, table).run)
    _run(app)


def run_carry(stage: CarryStage, config: EngineConfig, observer: Observer) -> None:
    """Runs a carry stage, as `run_table` does a table stage."""
    guard = _prepare(config, dict.fromkeys(stage.sources))
    app = build_app(config, stage, observer, guard, sources=stage.sources)
    app.agent(_topic(app, *stage.sources), name=stage.name, concurrency=1)(CarrySteps(app, stage).run)
    _run(app)


def _prepare(config: EngineConfig, topics: Mapping[str, int | None]) -> Guard:
    check_versions()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    mode.loop.use("uvloop")
    connection.install()
    records.install()
    asyncio.run(check_broker(config, topics))
    guard = Guard(config.sleep_limit_s, config.ready_timeout_s)
    guard.start()
    guard.expect_ready("the start")
    return guard


def _topic(app: EngineApp, *names: str, acks: bool = True) -> Any:
    schema = BatchSchema(key_type=bytes, value_type=bytes)
    return app.topic(*names, schema=schema, partitions=app.config.partitions, acks=acks, internal=False)


def _run(app: EngineApp) -> None:
    asyncio.set_event_loop(asyncio.new_event_loop())
    app.task(lambda: watch_group(app))
    app.task(lambda: watch_broker(app))
    app.task(lambda: keep_collecting(app, COLLECT_EVERY_S))
    try:
        EngineWorker(app).execute_from_commandline()
    except SystemExit as stop:
        if stop.code:
            raise FailStop(f"the worker stopped with an error (Faust's exit code {stop.code})") from stop
    except EngineError:
        raise
    log.info("stopped")
