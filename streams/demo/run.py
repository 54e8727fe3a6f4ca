"""`leadstream demo`: thirty days of behaviour through the log as if then, then live."""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack
from importlib.util import find_spec

from rich.console import Console

from streams.clock import now_ms
from streams.demo.embedded import EmbeddedBroker
from streams.demo.own_redis import OwnRedis, redis_program
from streams.demo.own_topics import OwnTopics
from streams.demo.show import DemoOptions, Show
from streams.demo.stopping import Stopped, Stopping
from streams.demo.workers import API, Workers
from streams.settings import STAGES, Settings, variable

__all__ = ["DemoOptions", "run_demo"]

DEMO_ID_KEY = "the-demo-keeps-no-secrets"

_OF_THE_VIEWER = (
    "security_protocol",
    "sasl_mechanism",
    "sasl_username",
    "sasl_password",
    "ssl_cafile",
    "ssl_certfile",
    "ssl_keyfile",
    "replication",
)
"""What a real broker may ask for. The demo sets everything else itself, whatever is set outside."""


_NO_REDIS = (
    "no redis-server here: the demo goes on without `leadstream hot`, `lead`, `report` and the API "
    "(Debian: apt-get install redis-server)"
)


def run_demo(options: DemoOptions, console: Console) -> int:
    """Runs the demo; the exit code.

    Raises:
        LeadstreamError: A worker ended and another start would change nothing, or a setting is wrong.
        EngineError: The broker cannot be reached, or refuses.
    """
    left: list[str] = []
    try:
        with Stopping() as stopping, ExitStack() as stack:
            try:
                _run(options, console, stopping, stack, left)
            except Stopped:
                console.print("ending ...")
        for what in left:
            console.print(what, markup=False, highlight=False, soft_wrap=True)
        console.print("The demo has ended." if left else "The demo has ended; nothing of it is left.")
    except OSError as error:
        # The terminal was closed, and nobody looks any more. Everything is cleaned up by now.
        if error.errno != errno.EIO:
            raise
    return 0


def _run(options: DemoOptions, console: Console, stopping: Stopping, stack: ExitStack, left: list[str]) -> None:
    """Broker, past, workers, live view; what is opened is closed by the stack."""
    broker = None
    if options.broker is None:
        broker = stack.enter_context(EmbeddedBroker())
    environment = _environment(options.broker if broker is None else broker.bootstrap, embedded=broker is not None)
    redis = redis_program()
    if redis is not None:
        environment[variable("redis_url")] = stack.enter_context(OwnRedis(redis)).url
    settings = Settings.read(environment)
    if broker is None:
        stack.enter_context(OwnTopics(settings, left.append))
    kind = "Apache Kafka" if broker is None else "embedded"
    console.print(f"broker {settings.bootstrap_servers} ({kind})", markup=False, highlight=False)
    if redis is None:
        console.print(_NO_REDIS, highlight=False, soft_wrap=True)
    show = Show(settings, environment, options, console, stopping)
    show.tell_the_past()
    workers = stack.enter_context(Workers(environment, _names(with_redis=redis is not None), show.say))
    show.catch_up(workers)
    show.live(workers)


def _names(*, with_redis: bool) -> list[str]:
    """What to run: without Redis there is nothing to fill; the API is an extra."""
    names = [stage for stage in STAGES if with_redis or stage != "view"]
    return [*names, API] if with_redis and find_spec("fastapi") and find_spec("uvicorn") else names


def _environment(bootstrap: str | None, *, embedded: bool) -> dict[str, str]:
    """The settings of everything that the demo starts."""
    demo: dict[str, object] = {
        "bootstrap_servers": bootstrap,
        "broker_profile": "embedded" if embedded else "kafka",
        "topic_prefix": "" if embedded else f"demo-{now_ms() // 1000}-",
        "partitions": EmbeddedBroker.PARTITIONS,
        "model": "b2b-default",
        "id_key": DEMO_ID_KEY,
        # Kafka's shortest: a group can be deleted, and a killed worker be followed, that much sooner.
        "session_timeout_ms": 6_000,
        "heartbeat_ms": 2_000,
    }
    environment = {variable(name): str(value) for name, value in demo.items()}
    if not embedded:
        viewers = [variable(name) for name in _OF_THE_VIEWER]
        environment |= {name: os.environ[name] for name in viewers if name in os.environ}
    return environment
