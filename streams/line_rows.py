"""Rows from the lines of files: what `score` and `explain` fold, read beside the fold where there is a core for it.

Reading a line costs half of what folding its row costs, and needs nothing of the fold: so of large files one process
reads, and the other folds. What they are given is the same, block by block, as if one did both.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from queue import Queue
from threading import Thread
from typing import Any

import msgspec

from schemas.lines import is_log_line, load_line, read_log_line
from schemas.links import Links
from schemas.log import LogRow
from streams.engine.collector import no_collector
from streams.errors import InputError
from streams.event_files import size_of
from streams.event_lines import EventLines, Refusal, Refusals, each_line

__all__ = ["Block", "LineRows", "read_rows", "reading"]

_LARGE_BYTES = 8 << 20
"""Of smaller files a second process would start about when the first is done."""
_BLOCKS_AHEAD = 64
"""So many blocks wait for a fold that is busy with what it took: rows of some 64 MiB of lines."""
_SWITCH_S = 0.0002
"""So soon the thread that sends gets its turn."""


class Block(msgspec.Struct, array_like=True):
    """What some lines were.

    Attributes:
        rows: Events, each behind the links of its names; or rows of the log.
        places: Partition and `safe_ms` of each row of the log, None for an event; empty where all are events.
        refused: Lines that are neither.
        moved: How many bytes of all the files are read.
        pauses: The next line must be waited for.
        problem: Why reading has ended before the end of the files.
    """

    rows: list[LogRow]
    places: list[tuple[int, int] | None] = []
    refused: list[Refusal] = []
    moved: int = 0
    pauses: bool = False
    problem: str = ""


class LineRows:
    """Turns lines into rows, one after the other; see `Block`.

    Args:
        id_key: Key of the e-mail hash.
    """

    def __init__(self, id_key: bytes) -> None:
        self._links = Links(id_key)
        self._events = EventLines(id_key, self._links)
        # What the last line was; the next one is probably the same.
        self._of_the_log = False
        self._rows: list[Any] = []
        self._places: list[tuple[int, int] | None] = []

    def take(self, raw: bytes) -> None:
        """Takes a line.

        Raises:
            Refused: It is neither an event nor a row of the log.
        """
        row = None if self._of_the_log else self._events.read_plain(raw)
        if row is None:
            members = load_line(raw)
            self._of_the_log = is_log_line(members)
            if self._of_the_log:
                line = read_log_line(members)
                self._places += [None] * (len(self._rows) - len(self._places))
                self._rows.append(line.row)
                self._places.append((line.partition, line.safe_ms))
                return
            row = self._events.read(raw, members)
        # An event is received at the log time, so it brings no other time.
        for link in self._links.taken():
            link.received_at_ms = row.received_at_ms
            self._rows.append(link)
        self._rows.append(row)

    def taken(self) -> Block:
        """What the lines since the last call were."""
        rows, places = self._rows, self._places
        if places:
            places += [None] * (len(rows) - len(places))
        self._rows, self._places = [], []
        return Block(rows, places)


class _Kept(Refusals):
    """Keeps what is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Refusal] = []

    def note(self, refusal: Refusal) -> None:
        self.kept.append(refusal)


def read_rows(sources: tuple[str, ...], id_key: bytes) -> Iterator[Block]:
    """The rows of all lines that are not blank, as they come.

    Args:
        sources: Paths, or `-`.
        id_key: Key of the e-mail hash.

    Raises:
        InputError: A file cannot be read.
    """
    lines, refusals, moved = LineRows(id_key), _Kept(), 0

    def note(place: int) -> None:
        nonlocal moved
        moved = place

    for pauses in each_line(sources, lines.take, refusals, note):
        block = lines.taken()
        block.refused, block.moved, block.pauses = refusals.kept, moved, pauses
        refusals.kept = []
        yield block
    yield Block([], moved=moved)


@contextmanager
def reading(sources: tuple[str, ...], id_key: bytes) -> Iterator[Iterator[Block]]:
    """As `read_rows`: in a process of its own, where the files are large and there is a core for it."""
    size = size_of(sources)
    if size is None or size < _LARGE_BYTES or _cores() < 2:
        yield read_rows(sources, id_key)
        return
    receiver, sender = multiprocessing.Pipe(duplex=False)
    reader = multiprocessing.Process(target=_send_rows, args=(receiver, sender, sources, id_key), daemon=True)
    reader.start()
    sender.close()
    try:
        yield _received(receiver, reader)
    finally:
        receiver.close()
        reader.terminate()
        reader.join()


def _cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Block).decode


def _send_rows(receiver: Connection, sender: Connection, sources: tuple[str, ...], id_key: bytes) -> None:
    """What the reading process does: sends blocks, and nothing behind the last. It ends with its reader's."""
    receiver.close()
    # Ctrl-C is for the other process, which ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ready: Queue[bytes] = Queue(_BLOCKS_AHEAD)

    def send() -> None:
        sent = b"first"
        while sent:
            sent = ready.get()
            try:
                sender.send_bytes(sent)
            except OSError:
                os._exit(1)  # nobody reads any more

    sys.setswitchinterval(_SWITCH_S)
    sending = Thread(target=send, daemon=True)
    sending.start()
    with no_collector():
        try:
            for block in read_rows(sources, id_key):
                ready.put(_encode(block))
        except InputError as error:
            ready.put(_encode(Block([], problem=str(error))))
    # Only now: whoever gets no last block knows that this process was ended by something else.
    ready.put(b"")
    sending.join()


def _received(receiver: Connection, reader: multiprocessing.Process) -> Iterator[Block]:
    try:
        while sent := receiver.recv_bytes():
            block = _decode(sent)
            if block.problem:
                raise InputError(block.problem)
            yield block
    except EOFError:
        reader.join()
        raise InputError(
            f"the process that read the files was ended (exit code {reader.exitcode}); is there memory left?"
        ) from None
