"""`leadstream serve`: the API in a process of its own."""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket

import uvicorn

from streams.errors import UsageError
from streams.serve.app import create_api
from streams.settings import Settings, variable

__all__ = ["run_api"]

log = logging.getLogger(__name__)

_GRACE_S = 3


def run_api(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code.

    Raises:
        UsageError: The address is taken, is not this machine's, or is open to others without a key.
    """
    host, port = settings.api_host, settings.api_port
    if settings.api_key is None and not _is_loopback(host):
        raise UsageError(
            f"{variable('api_host')}={host} lets other machines in: set {variable('api_key')}, or listen at 127.0.0.1"
        )
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)-8s %(name)s: %(message)s")
    config = uvicorn.Config(
        create_api(settings),
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    listener = _listen(host, port)
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn stops gracefully by its own handlers, and then sends the signal on to these: the stop is done.
        signal.signal(number, lambda *_: None)
    log.info("the API is at http://%s:%d, its document at /docs", host, listener.getsockname()[1])
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise UsageError(
            f"the API cannot listen at {host}:{port}: {error.strerror or error}; set {variable('api_host')} and "
            f"{variable('api_port')}"
        ) from error
    return listener
