"""Files of JSON lines, read in blocks: plain or gzip, or standard input; no line can fill the memory."""

from __future__ import annotations

import gzip
import select
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from schemas.limits import MAX_LINE_BYTES
from streams.errors import InputError

__all__ = ["STDIN", "name_of", "pauses", "read_blocks", "size_of"]

STDIN = "-"
_BLOCK_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"


def name_of(source: str) -> str:
    """What messages call a source."""
    return "<standard input>" if source == STDIN else source


def size_of(sources: tuple[str, ...]) -> int | None:
    """Bytes of all files together, for a progress bar; None where standard input is among them."""
    return None if STDIN in sources else sum(Path(source).stat().st_size for source in sources)


def pauses(source: str) -> bool:
    """Whether the next line must be waited for: of a pipe whose writer has nothing more to say just now."""
    if source == STDIN:
        # What stands in for standard input and is no file has all its lines at once.
        with suppress(OSError, ValueError):
            return not select.select([sys.stdin.buffer], [], [], 0)[0]
    return False


def read_blocks(source: str, moved: Callable[[int], None] = lambda _: None) -> Iterator[list[bytes]]:
    """The lines of a source, without their ends, as they come: many at once where there are many.

    A line longer than a line may be is cut one byte behind the limit, so that whoever reads it refuses it.

    Args:
        source: A path, or `-`.
        moved: Told how many bytes of the file are read, compressed ones where it is compressed.

    Raises:
        InputError: The file cannot be read, or its compression is damaged.
    """
    number = 0
    try:
        with _opened(source) as (file, raw):
            for lines in _blocks(file):
                yield lines
                number += len(lines)
                if raw is not None:
                    moved(raw.tell())
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{name_of(source)}:{number + 1}: the gzip file is damaged or cut off here: {error}"
        ) from error
    except OSError as error:
        raise InputError(f"{name_of(source)}: cannot be read: {error.strerror or error}") from error


@contextmanager
def _opened(source: str) -> Iterator[tuple[BinaryIO, BinaryIO | None]]:
    """The lines' file, and the file on the disk behind it."""
    if source == STDIN:
        yield sys.stdin.buffer, None
        return
    with Path(source).open("rb") as raw:
        if raw.peek(2)[:2] == _GZIP:
            with gzip.open(raw) as unpacked:
                yield cast("BinaryIO", unpacked), raw
        else:
            yield raw, raw


def _blocks(file: BinaryIO) -> Iterator[list[bytes]]:
    rest = b""
    # `read1` gives what a pipe has now instead of waiting until a block is full.
    while block := file.read1(_BLOCK_BYTES):  # type: ignore[attr-defined]  # every buffered file has it
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        if len(rest) > MAX_LINE_BYTES:
            rest = rest[: MAX_LINE_BYTES + 1]
        if lines:
            yield [line if len(line) <= MAX_LINE_BYTES else line[: MAX_LINE_BYTES + 1] for line in lines]
    if rest:
        yield [rest]
