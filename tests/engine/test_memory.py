"""A worker gives back what a large job needed; each in a process of its own, for memory is the process's."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

BLOCKS = """
import resource
from streams.engine.memory import give_back, reuse_large_blocks

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()

reuse_large_blocks()
bytearray(8 << 20)
before = faults()
for _ in range(10):
    bytearray(8 << 20)
again = faults() - before
kept = resident_bytes()
give_back()
print(again, kept - resident_bytes())
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
def test_large_blocks_are_used_again_and_given_back() -> None:
    faults, given_back = map(int, said(BLOCKS).split())
    assert faults < 100, "of 2,048 pages each"
    assert given_back > 7 << 20


@pytest.mark.parametrize(("call", "gone"), [("", "False"), ("settle()", "True")])
def test_garbage_of_an_earlier_ownership_goes_with_the_next_take_over(call: str, gone: str) -> None:
    assert said(GARBAGE.format(call=call)) == f"True {gone}"
