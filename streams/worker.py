"""One process of one stage: settings, start checks, the stage, and the engine that runs it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from schemas.topics import (
    DEAD_LETTERS,
    INGEST_PROGRESS,
    LEAD_ASSIGNMENTS,
    LEAD_EVENTS,
    LEAD_INTERNAL,
    LEAD_ROUTING,
    LEAD_SCORES,
    LEADS_CHANGELOG,
    RAW_TOPICS,
    ROUTES_CHANGELOG,
    SLA_EVENTS,
    TIER_CHANGES,
)
from streams.breaker import Breaker
from streams.checks import check_stage
from streams.engine import run_carry, run_table
from streams.engine.config import CrashPoint, EngineConfig
from streams.engine.memory import reuse_large_blocks
from streams.engine_config import engine_config
from streams.first_model import FirstModel
from streams.first_policy import FirstPolicy
from streams.health import HealthServer, Readiness
from streams.ingest import IngestStage, IngestTopics
from streams.ingest_watch import IngestWatch
from streams.logs import log_to_stderr
from streams.metrics import Metrics
from streams.model_files import load_model
from streams.policy_files import load_policy
from streams.progress import KafkaProgress
from streams.route import RouteStage, RouteTopics
from streams.route_watch import RouteWatch
from streams.score import ScoreStage, ScoreTopics
from streams.score_watch import ScoreWatch
from streams.settings import Settings
from streams.view.worker import ViewWorker
from streams.watch import Watch

__all__ = ["run_worker"]

log = logging.getLogger(__name__)


def run_worker(stage: str, settings: Settings, crash_point: Callable[[CrashPoint], None] | None = None) -> int:
    """Runs a worker until SIGTERM or SIGINT; returns the exit code of a graceful stop.

    Once it runs, an error ends the process with its exit code.

    Args:
        stage: One of `streams.settings.STAGES`.
        settings: All of them.
        crash_point: Called at every moment at which a test may end the process.

    Raises:
        EngineError: It could not start: no broker (3), topics or libraries that are not as they must be (4).
        LeadstreamError: A setting or the model is wrong.
    """
    reuse_large_blocks()
    log_to_stderr(settings.log_level.upper())
    watch = Watch(Metrics(stage), Readiness())
    run = {"ingest": _run_ingest, "score": _run_score, "route": _run_route, "view": _run_view}[stage]
    config = engine_config(stage, settings)
    if crash_point is not None:
        config = replace(config, crash_point=crash_point)
    server = HealthServer(
        settings.metrics_host, settings.metrics_port_of(stage), watch.readiness, watch.metrics.registry
    )
    try:
        run(settings, config, watch)
    finally:
        server.close()
    return 0


def _run_ingest(settings: Settings, config: EngineConfig, watch: Watch) -> None:
    id_key = settings.id_key_bytes()
    counts = check_stage("ingest", settings)
    topics = IngestTopics(
        raw={settings.topic(name): counts[name] for name in (*RAW_TOPICS, LEAD_INTERNAL)},
        internal=settings.topic(LEAD_INTERNAL),
        lead_events=settings.topic(LEAD_EVENTS),
        dead_letters=settings.topic(DEAD_LETTERS),
        partitions=settings.partitions,
    )
    stage = IngestStage(
        topics,
        id_key,
        settings.pack_rows,
        Breaker(settings.breaker_window, settings.breaker_share),
        KafkaProgress(
            settings.topic(INGEST_PROGRESS),
            _client_settings(config),
        ),
        IngestWatch(watch, settings.topic_prefix),
        config.app_id,
    )
    run_carry(stage, config, watch)


def _run_score(settings: Settings, config: EngineConfig, watch: Watch) -> None:
    model = load_model(settings.model)
    counts = check_stage("score", settings)
    topics = ScoreTopics(
        lead_events=settings.topic(LEAD_EVENTS),
        changelog=settings.topic(LEADS_CHANGELOG),
        lead_scores=settings.topic(LEAD_SCORES),
        tier_changes=settings.topic(TIER_CHANGES),
        internal=settings.topic(LEAD_INTERNAL),
        internal_partitions=counts[LEAD_INTERNAL],
        lead_routing=settings.topic(LEAD_ROUTING),
        partitions=settings.partitions,
        stamped=settings.clock == "record",
    )
    first_model = FirstModel(
        topics.lead_events,
        topics.internal,
        model,
        _client_settings(config),
        # As if then: what comes from here moves no time.
        stamp_ms=0 if settings.clock == "record" else None,
    )
    run_table(ScoreStage(topics, first_model, ScoreWatch(watch, model)), config, watch)


def _run_route(settings: Settings, config: EngineConfig, watch: Watch) -> None:
    policy = load_policy(settings.policy)
    counts = check_stage("route", settings)
    topics = RouteTopics(
        lead_routing=settings.topic(LEAD_ROUTING),
        changelog=settings.topic(ROUTES_CHANGELOG),
        lead_assignments=settings.topic(LEAD_ASSIGNMENTS),
        sla_events=settings.topic(SLA_EVENTS),
        internal=settings.topic(LEAD_INTERNAL),
        internal_partitions=counts[LEAD_INTERNAL],
    )
    in_the_past = settings.clock == "record"
    first_policy = FirstPolicy(
        topics.lead_routing,
        topics.internal,
        policy,
        _client_settings(config),
        stamp_ms=0 if in_the_past else None,
    )
    run_table(RouteStage(topics, first_policy, RouteWatch(watch, policy, live=not in_the_past)), config, watch)


def _run_view(settings: Settings, config: EngineConfig, watch: Watch) -> None:
    """Not of the engine: its position is in Redis, and what it writes changes with it or not at all."""
    ViewWorker(settings, watch).run()


def _client_settings(config: EngineConfig) -> dict[str, Any]:
    return {"bootstrap_servers": config.bootstrap.split(","), **config.security.client_settings()}
