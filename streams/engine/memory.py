"""Memory of large jobs: used again while they come one after the other, given back when they are done.

What is fetched and produced lies in blocks of megabytes that are gone a moment later. glibc takes each from the system,
which clears it page for page, and hands it back: a twelfth of what an event costs. Where such blocks come from the heap
they are used again, but leave holes between rows that stay, and a worker grows with each take-over of partitions. So
they come from the heap, and from time to time its holes are handed back. All this is of glibc alone; other C libraries
are left as they are.
"""

from __future__ import annotations

import ctypes
import gc

__all__ = ["give_back", "reuse_large_blocks", "settle"]

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGE_BYTES = 32 << 20
"""The most that glibc takes for it. A larger block stays apart from the heap."""
_KEPT_BYTES = 64 << 20
"""So much that is free at the end of the heap is kept until `give_back`."""


def reuse_large_blocks() -> None:
    """From now on blocks of megabytes come from the heap, whose end does not shrink by itself."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def give_back() -> None:
    """Hands every free page of the heap back to the system."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def settle() -> None:
    """To be called at the start, and when partitions were taken over: garbage goes, the program and its rows live long.

    That of earlier ownerships goes too. The collector does not look at what is left any more, until the next call.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    give_back()
