"""`leadstream demo`: thirty days of behaviour through the log as if then, then live."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console

from streams import topics_admin
from streams.clock import now_ms
from streams.demo.embedded import EmbeddedBroker
from streams.demo.show import DemoOptions, Show
from streams.demo.workers import Workers
from streams.settings import Settings

__all__ = ["DemoOptions", "run_demo"]

DEMO_ID_KEY = "the-demo-keeps-no-secrets"


class Stopped(Exception):  # noqa: N818  # no error: the viewer has seen enough
    """Ctrl-C or SIGTERM."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Turns Ctrl-C and SIGTERM into `Stopped`, so that everything is cleaned up."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except Stopped:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_demo(options: DemoOptions, console: Console) -> int:
    """Runs the demo; the exit code."""
    with stoppable(), ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadstream-demo-")))
        if options.broker is None:
            bootstrap, profile = stack.enter_context(EmbeddedBroker()).bootstrap, "embedded"
        else:
            bootstrap, profile = options.broker, "kafka"
        environment = {
            "LEADSTREAM_BOOTSTRAP_SERVERS": bootstrap,
            "LEADSTREAM_BROKER_PROFILE": profile,
            "LEADSTREAM_TOPIC_PREFIX": "" if options.broker is None else f"demo-{now_ms() // 1000}-",
            "LEADSTREAM_PARTITIONS": str(EmbeddedBroker.PARTITIONS),
            "LEADSTREAM_MODEL": "b2b-default",
            "LEADSTREAM_ID_KEY": DEMO_ID_KEY,
        }
        settings = Settings.read(environment)
        console.print(f"broker {bootstrap} ({'embedded' if options.broker is None else 'Apache Kafka'})")
        if options.broker is not None:
            topics_admin.create(settings, history=True)
        show = Show(settings, environment, options, console)
        show.tell_the_past()
        workers = stack.enter_context(Workers(environment, folder))
        show.catch_up(workers)
        show.live(workers)
    console.print("The demo has ended; nothing of it is left running.")
    return 0
