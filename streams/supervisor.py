"""Runs the processes of `leadstream up` and starts them again when they end, until one says that this is no use.

What a child's exit code means: 1, 2 and 4 (wrong input, wrong usage, wrong state on the broker) will be the same next
time, so everything is stopped and `up` ends with that code; 3 (a server is away), 5 (stopped itself to stay exact), a
signal or anything else starts it again, after a pause that doubles each time and begins anew once the child has
lived for a minute.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

__all__ = ["HOPELESS", "Backoff", "Child", "Supervisor", "die_with", "how_it_ended"]

HOPELESS = frozenset({1, 2, 4})
"""Exit codes that another start would not change."""

_MAX_LINE_BYTES = 64 * 1024
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running.

    Attributes:
        name: Stands before each line that it writes.
        command: Program and arguments.
        environment: All of it, or None for the supervisor's own.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pause before a child is started again: doubles from the first to the longest, anew after a calm life."""

    first_s: float = 0.5
    longest_s: float = 30.0
    calm_s: float = 60.0

    def next_s(self, pause_s: float, lived_s: float) -> float:
        """The pause that follows `pause_s` (0: none yet) when the child has lived for so long."""
        if lived_s >= self.calm_s or pause_s == 0:
            return self.first_s
        return min(pause_s * 2, self.longest_s)


class Supervisor:
    """Keeps children running until a signal, or an exit code that another start would not change.

    Args:
        children: What to run.
        say: Takes (name of the child, or `up`; one line of text).
        grace_s: A child that has not ended so long after SIGTERM is killed. That loses nothing: workers are exact
            after `kill -9` too.
    """

    def __init__(
        self,
        children: Sequence[Child],
        say: Callable[[str, str], None],
        backoff: Backoff = Backoff(),
        grace_s: float = 10.0,
    ) -> None:
        self._children = children
        self._say = say
        self._backoff = backoff
        self._grace_s = grace_s
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._exit_code = 0
        self._stop = asyncio.Event()

    def run(self) -> int:
        """Runs everything to the end; the exit code of `up`: 0 after SIGTERM or Ctrl-C, else the hopeless child's."""
        return asyncio.run(self._run())

    async def _run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal, number)
        tasks = [asyncio.create_task(self._keep(child)) for child in self._children]
        await asyncio.wait([asyncio.create_task(self._stop.wait()), *tasks], return_when=asyncio.FIRST_COMPLETED)
        self._stop.set()
        self._signal_all(signal.SIGTERM)
        _, late = await asyncio.wait(tasks, timeout=self._grace_s)
        if late:
            self._say("up", f"{', '.join(self._running)} did not end within {self._grace_s:g} s and will be killed")
            self._signal_all(signal.SIGKILL)
        await asyncio.gather(*tasks)
        return self._exit_code

    def _on_signal(self, number: int) -> None:
        if self._stop.is_set():
            self._say("up", "a second signal: killing the workers")
            self._signal_all(signal.SIGKILL)
        else:
            self._say("up", f"{signal.Signals(number).name}: stopping {', '.join(self._running) or 'nothing'}")
            self._stop.set()

    def _signal_all(self, number: int) -> None:
        for process in self._running.values():
            if process.returncode is None:
                process.send_signal(number)

    async def _keep(self, child: Child) -> None:
        """Starts a child until `_stop` is set, or it ends with a hopeless code: then it sets it for all."""
        pause_s = 0.0
        while not self._stop.is_set():
            born = time.monotonic()
            code = await self._live(child)
            if self._stop.is_set():
                return
            if code in HOPELESS:
                self._say("up", f"{child.name} ended with exit code {code}, which another start would not change")
                self._exit_code = code
                self._stop.set()
                return
            pause_s = self._backoff.next_s(pause_s, time.monotonic() - born)
            self._say("up", f"{child.name} {how_it_ended(code)}; starting it again in {pause_s:g} s")
            try:
                await asyncio.wait_for(self._stop.wait(), pause_s)
            except TimeoutError:
                continue

    async def _live(self, child: Child) -> int:
        """One life of a child: its exit code."""
        process = await asyncio.create_subprocess_exec(
            *child.command,
            env=None if child.environment is None else dict(child.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C reaches this process alone, which stops the children in its own way.
            start_new_session=True,
            preexec_fn=partial(die_with, os.getpid()),
        )
        self._running[child.name] = process
        if self._stop.is_set():
            process.terminate()
        assert process.stdout is not None  # asked for above
        relay = asyncio.create_task(self._relay(child.name, process.stdout))
        code = await process.wait()
        # A process that the child left behind may hold its output open; nobody waits for that one.
        await asyncio.wait([relay], timeout=1.0)
        relay.cancel()
        del self._running[child.name]
        return code

    async def _relay(self, name: str, stream: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await stream.read(_MAX_LINE_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _MAX_LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._say(name, line.decode(errors="replace"))
        if rest:
            self._say(name, rest.decode(errors="replace"))


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    meaning = {0: " (nobody asked it to)", 3: " (a server cannot be reached)", 5: " (stopped itself to stay exact)"}
    return f"ended with exit code {code}{meaning.get(code, '')}"


def die_with(parent: int, number: int = signal.SIGTERM) -> None:
    """In a child: Linux ends it when its parent is gone, even killed: two sets of workers must not stay behind.

    Args:
        parent: The process that starts it; it may have been killed since.
        number: The signal that ends the child.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(1)
