"""A real worker on a host whose clock jumps: `python -m tests.streams.wrong_clock STAGE AFTER_S JUMP_S`.

The clock of the wall jumps so far, ahead or back, when the process has lived for so long: for Python and for every
library in it, as `wrong_clock.c` is loaded before the C library. The monotonic clock does not. Debian's faketime would
do, but breaks `time.sleep` of Python 3.11.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tests.compiled import c_compiler

__all__ = ["main", "run"]

SOURCE = Path(__file__).with_suffix(".c")
ROOT = Path(__file__).resolve().parents[2]


def run(command: Sequence[str], after_s: float, jump_s: float) -> NoReturn:
    """Becomes another program, whose clock jumps."""
    environment = {
        "LD_PRELOAD": str(_library()),
        "WRONG_CLOCK_AFTER_S": str(after_s),
        "WRONG_CLOCK_JUMP_S": str(jump_s),
    }
    os.execve(command[0], list(command), os.environ | environment)


def _library() -> Path:
    """`wrong_clock.c`, compiled where it is newer."""
    library = ROOT / ".cache" / "wrong_clock" / "wrong_clock.so"
    library.parent.mkdir(parents=True, exist_ok=True)
    if not library.exists() or library.stat().st_mtime < SOURCE.stat().st_mtime:
        with tempfile.TemporaryDirectory(dir=library.parent) as folder:
            made = Path(folder) / library.name
            subprocess.run([c_compiler(), "-O2", "-shared", "-fPIC", "-o", made, SOURCE], check=True)
            made.rename(library)
    return library


def main(stage: str, after_s: float, jump_s: float) -> NoReturn:
    """Runs the worker."""
    run([sys.executable, "-m", "streams.cli", "worker", stage], after_s, jump_s)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
