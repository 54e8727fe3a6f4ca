"""A worker gives back what a large job needed; each in a process of its own, for memory is the process's."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

BLOCKS = """
import ctypes
from streams.engine.memory import keep_large_blocks_apart

class Mallinfo2(ctypes.Structure):
    _names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in _names.split()]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Mallinfo2

def apart():
    before = libc.mallinfo2().hblkhd
    block = bytearray(1 << 20)
    return libc.mallinfo2().hblkhd - before

{call}
bytearray(8 << 20)
print(apart() >= 1 << 20)
"""

GARBAGE = """
import gc, weakref
from streams.engine.memory import settle

class Producer:
    pass

stopped = Producer()
stopped.itself = stopped
gone = weakref.ref(stopped)
settle()
del stopped
gc.collect()
kept = gone() is not None
{call}
print(kept, gone() is None)
"""


def said(program: str) -> str:
    """What a program prints."""
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a habit of glibc")
@pytest.mark.parametrize(("call", "apart"), [("", "False"), ("keep_large_blocks_apart()", "True")])
def test_large_blocks_stay_apart_from_the_heap_after_a_larger_one_was_freed(call: str, apart: str) -> None:
    assert said(BLOCKS.format(call=call)) == apart


@pytest.mark.parametrize(("call", "gone"), [("", "False"), ("settle()", "True")])
def test_garbage_of_an_earlier_ownership_goes_with_the_next_take_over(call: str, gone: str) -> None:
    assert said(GARBAGE.format(call=call)) == f"True {gone}"
