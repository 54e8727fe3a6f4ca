"""`leadstream demo`: watch it work."""

from __future__ import annotations

import re
from typing import Any

import click
from rich.console import Console

__all__ = ["demo"]

_UNITS_S = {"s": 1, "m": 60, "h": 3600}


class DurationType(click.ParamType):
    """Seconds, minutes or hours: `20s`, `5m`."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds, or an error of usage."""
        match = re.fullmatch(r"([0-9]{1,6})([smh])", str(value))
        if match is None:
            self.fail(f"{value!r} is no duration; write it like 20s, 5m or 1h", param, ctx)
        return int(match[1]) * _UNITS_S[match[2]]


@click.command()
@click.option(
    "--broker", metavar="HOST:PORT", help="A real Kafka. Default: an embedded broker that ends with the demo."
)
@click.option("--for", "for_s", type=DurationType(), help="End after so long. Default: at Ctrl-C.")
@click.option("--people", type=click.IntRange(10, 20_000), default=300, show_default=True, help="How many leads.")
@click.option("--days", type=click.IntRange(1, 90), default=30, show_default=True, help="How long their past is.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed tells the same stories.")
def demo(broker: str | None, for_s: float | None, people: int, days: int, seed: int) -> int:
    """Thirty days of behaviour become scores, owners and clocks in seconds; then it goes on live.

    Shows the hot list with owners, time left and reasons, breaches and tier changes as they happen, and commands to
    copy: send a lead of your own, look it up, answer it. The read model and its API are there where a redis-server is.
    Ctrl-C leaves nothing behind.
    """
    # The demo brings the broker and the board with it; no other command needs them.
    from streams.demo.run import DemoOptions, run_demo  # noqa: PLC0415

    return run_demo(DemoOptions(broker=broker, people=people, days=days, seed=seed, for_s=for_s), Console())
