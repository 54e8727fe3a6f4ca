"""`leadstream worker` and `leadstream up`: the processes that do the work."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import click

from streams.cli.base import say, with_settings
from streams.engine.errors import EngineError, FailStop
from streams.errors import LeadstreamError
from streams.settings import STAGES, Settings, variable
from streams.supervisor import Child, Supervisor

__all__ = ["up", "worker"]

_log = logging.getLogger(__name__)


@click.command()
@click.argument("stage", type=click.Choice(STAGES))
@with_settings
def worker(settings: Settings, stage: str) -> int:
    """Run one process of one stage until SIGTERM or Ctrl-C.

    Start as many of a stage as there are partitions; more stand by. A second one on the same machine needs a
    LEADSTREAM_INSTANCE and a LEADSTREAM_METRICS_PORT of its own.
    """
    # Faust is slow to import; no other command needs it.
    from streams.worker import run_worker  # noqa: PLC0415

    try:
        return run_worker(stage, settings)
    except (LeadstreamError, EngineError):
        raise
    except Exception as error:  # whatever it is: the state is unclear, so the process ends to be started again
        _log.exception("the %s worker met an error that nobody expected", stage)
        raise FailStop(f"the {stage} worker met an error that nobody expected: {error!r}; start it again") from error


@click.command()
@click.option(
    "--env-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings from a file of LEADSTREAM_…=value lines; the environment wins over it.",
)
def up(env_file: Path | None) -> int:
    """Run all stages on this machine until SIGTERM or Ctrl-C.

    A worker that ends is started again, after a pause that doubles; one that says that this is no use (exit code 1,
    2 or 4) ends everything. What the workers log goes to standard error, with the stage in front.
    """
    settings = Settings.read(env_file=env_file)
    children = [_child(stage, number, settings, env_file) for number, stage in enumerate(STAGES)]
    width = max(len(name) for name in ("up", *STAGES))
    say(f"{'up':<{width}} | Kafka at {settings.bootstrap_servers}; {_metrics(settings)}; Ctrl-C stops")
    return Supervisor(children, lambda name, line: say(f"{name:<{width}} | {line}")).run()


def _child(stage: str, number: int, settings: Settings, env_file: Path | None) -> Child:
    file = () if env_file is None else ("--env-file", str(env_file))
    return Child(
        name=stage,
        command=(sys.executable, "-m", "streams.cli", "worker", stage, *file),
        environment=os.environ
        | {variable("metrics_port"): str(_port(stage, number, settings)), "PYTHONUNBUFFERED": "1"},
    )


def _port(stage: str, number: int, settings: Settings) -> int:
    """One port a stage: what the settings give is the first one's."""
    if settings.metrics_port:
        return settings.metrics_port + number
    return settings.metrics_port_of(stage)


def _metrics(settings: Settings) -> str:
    ports = [(stage, _port(stage, number, settings)) for number, stage in enumerate(STAGES)]
    shown = [f"{stage} http://{settings.metrics_host}:{port}/metrics" for stage, port in ports if port]
    return "metrics: " + ", ".join(shown) if shown else "no metrics"
