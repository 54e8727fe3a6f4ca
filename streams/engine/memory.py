"""A large job's memory is given back when it is done.

Taking partitions over reads megabytes that are gone a moment later. glibc takes large blocks from the system and hands
them back, but each one that it hands back raises what it calls large (up to 32 MiB); from then on such blocks come from
the heap and leave holes between rows that stay. A worker grew by a megabyte with each take-over.
"""

from __future__ import annotations

import ctypes
import gc

__all__ = ["keep_large_blocks_apart", "settle"]

_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 128 * 1024
"""Where glibc begins; said by us, it stays."""


def keep_large_blocks_apart() -> None:
    """Blocks of 128 KiB and more never share the heap. Of glibc alone; other C libraries have no such habit."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def settle() -> None:
    """To be called at the start, and when partitions were taken over: garbage goes, the program and its rows live long.

    That of earlier ownerships goes too. The collector does not look at what is left any more, until the next call.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
