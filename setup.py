"""The build: plain Python, or with `LEADSTREAM_COMPILED=1` the hot path as native code too.

`schemas/native_rows.c` is C and reads what most raw events look like; its bounds are those of `schemas/limits.py`.

mypyc compiles the same source that runs uncompiled; what it needs (mypy, a C compiler, the dependencies of the project)
must be installed where the wheel is built, not where it runs: `make compiled`.
"""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup

COMPILED = [
    "schemas/links.py",
    "schemas/naming.py",
    "schemas/times.py",
    "schemas/wire.py",
    "scoring/compiled.py",
    "scoring/deadlines.py",
    "scoring/evaluators.py",
    "scoring/evidence.py",
    "scoring/kernel.py",
    "scoring/known.py",
    "scoring/leads.py",
    "scoring/learning.py",
    "scoring/ledger.py",
    "scoring/matchers.py",
    "scoring/outcomes.py",
    "scoring/partition.py",
    "scoring/points.py",
    "scoring/reassessment.py",
    "scoring/row.py",
    "scoring/row_codec.py",
    "scoring/signals.py",
    "scoring/telling.py",
    "scoring/tiers.py",
    "scoring/waiting.py",
]
"""What most events pass through, and every call between these."""


def _extensions() -> list:
    if os.environ.get("LEADSTREAM_COMPILED", "") in ("", "0"):
        return []
    from mypyc.build import mypycify  # noqa: PLC0415  # a plain build does without it

    sys.path.insert(0, str(Path(__file__).parent))
    from schemas import limits  # noqa: PLC0415  # only the build of native code needs them

    bounds = [(name, str(getattr(limits, name))) for name in limits.__all__ if name.startswith("MAX_")]
    rows = Extension(
        "schemas.native_rows",
        ["schemas/native_rows.c"],
        define_macros=bounds,
        extra_compile_args=["-O3", "-std=c11", "-Wall", "-Wextra", "-Wno-missing-field-initializers"],
    )
    return [*mypycify(["--strict", *COMPILED], opt_level="3"), rows]


setup(ext_modules=_extensions())
