"""The runner of the faults, interrupted: brokers and workers that its tests started do not stay."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.faults.__main__ import ROOT

RUNNER = """
import os, sys
from tests.faults.__main__ import finished

finished([sys.executable, "-c", sys.argv[1]], os.environ)
"""

PROGRAM = """
import time
from pathlib import Path

Path({began!r}).touch()
try:
    time.sleep(60)
finally:
    time.sleep(1)  # as long as a broker needs to end
    Path({cleaned!r}).touch()
"""


def test_who_is_interrupted_lets_the_tests_end_what_they_started(tmp_path: Path) -> None:
    began, cleaned = tmp_path / "began", tmp_path / "cleaned"
    program = PROGRAM.format(began=str(began), cleaned=str(cleaned))
    runner = subprocess.Popen([sys.executable, "-c", RUNNER, program], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 30
    while not began.exists() and time.monotonic() < end:
        time.sleep(0.05)
    runner.send_signal(signal.SIGINT)
    _, said = runner.communicate(timeout=30)

    assert cleaned.exists(), said
    assert "KeyboardInterrupt" in said
