"""A worker's wrong clock is wrong for all that is in its process."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

LOOK = """
import json, time, datetime
begun = time.monotonic()
time.sleep(0.2)
slept = time.monotonic() - begun
print(json.dumps([slept, time.time(), time.time_ns() / 1e9, datetime.datetime.now(datetime.UTC).timestamp(),
                  time.clock_gettime(time.CLOCK_REALTIME), time.monotonic()]))
"""


@pytest.mark.parametrize("jump_s", [-259_200, 0, 600])
@pytest.mark.parametrize("after_s", [0, 1_000])
def test_every_clock_of_the_wall_jumps_and_no_other(after_s: int, jump_s: int) -> None:
    code = f"from tests.streams.wrong_clock import run; run([{sys.executable!r}, '-c', {LOOK!r}], {after_s}, {jump_s})"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    slept, *wall, monotonic = json.loads(said.stdout)

    assert 0.2 <= slept < 2
    assert abs(monotonic - time.monotonic()) < 60
    for found in wall:
        assert abs(found - time.time() - (0 if after_s else jump_s)) < 60
