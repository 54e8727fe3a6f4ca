"""One real Redis server in a process of its own. Nothing here knows pytest.

    with RedisServer() as server:
        settings = {"redis_url": server.url, "redis_prefix": server.prefix}
        server.kill()     # what was not saved is gone: nothing is saved
        server.start()    # the same port, empty

The user in `url` may do what the view and the API need and nothing else: no scripts, no KEYS, no key outside `prefix`.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis

__all__ = ["RedisServer", "RedisServerError", "free_port"]

USER, PASSWORD = "leadstream", "only-for-tests"
ADMIN_PASSWORD = "admin-of-the-tests"
PREFIX = "test:"
RIGHTS = ("+@read", "+@write", "+@transaction", "+@connection", "-@dangerous", "-@scripting", "-keys")
"""Of the user: what the documentation tells people to give."""


class RedisServerError(Exception):
    """The server did not start."""


class RedisServer:
    """A server that can be started, killed, frozen and started again at the same address.

    Args:
        settings: Lines of `redis.conf` over the built-in ones.
    """

    prefix = PREFIX

    def __init__(self, *settings: str) -> None:
        self._settings = settings
        self._folder = Path(tempfile.mkdtemp(prefix="leadstream-redis-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Address for leadstream: its own user, with that user's rights."""
        return self.url_at(self._port)

    def url_at(self, port: int) -> str:
        """The same by way of another port that leads here."""
        return f"redis://{USER}:{PASSWORD}@127.0.0.1:{port}/0"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def admin(self) -> Any:
        """A client that may do anything; answers are texts."""
        return redis.Redis(port=self._port, password=ADMIN_PASSWORD, decode_responses=True)

    def start(self) -> Self:
        """Starts, and returns when it answers; the port stays the same over restarts.

        Raises:
            RedisServerError: There is no `redis-server`, or it did not come up.
        """
        program = shutil.which("redis-server")
        if program is None:
            raise RedisServerError("there is no redis-server; install it (Debian: apt-get install redis-server)")
        self._port = self._port or free_port()
        config = self._folder / "redis.conf"
        lines = (
            f"bind 127.0.0.1\nport {self._port}\ndir {self._folder}",
            'save ""\nappendonly no\ndaemonize no',
            f"requirepass {ADMIN_PASSWORD}",
            f"user {USER} on >{PASSWORD} ~{PREFIX}* {' '.join(RIGHTS)}",
            *self._settings,
        )
        config.write_text("\n".join(lines) + "\n")
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen([program, str(config)], stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 10
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RedisServerError(f"redis-server did not start:\n{(self._folder / 'redis.log').read_text()}")
            time.sleep(0.02)
        return self

    def kill(self) -> None:
        """SIGKILL, as when the machine dies: all data is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing answers, until `thaw()`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Kills it and takes its folder away."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        """Start."""
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill and clean up."""
        self.close()

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self.admin.ping())
        return False


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
