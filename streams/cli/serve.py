"""`leadstream serve`: the API of the read model."""

from __future__ import annotations

import click

from streams.cli.base import with_settings
from streams.errors import UsageError
from streams.settings import Settings

__all__ = ["serve"]


@click.command()
@with_settings
def serve(settings: Settings) -> int:
    """Serve the read model over HTTP until SIGTERM or Ctrl-C.

    What is where: /docs. It listens at LEADSTREAM_API_HOST and LEADSTREAM_API_PORT, and asks for
    LEADSTREAM_API_KEY if there is one (without it, only this machine is let in).
    """
    try:
        from streams.serve.run import run_api  # noqa: PLC0415  # an extra that no other command needs
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is missing; install it: pip install 'leadstream[serve]'") from error

    return run_api(settings)
