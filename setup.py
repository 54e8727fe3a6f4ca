"""The build: plain Python, or with `LEADSTREAM_COMPILED=1` the hot path as native code too.

mypyc compiles the same source that runs uncompiled; what it needs (mypy, a C compiler, the dependencies of the project)
must be installed where the wheel is built, not where it runs: `make compiled`.
"""

import os

from setuptools import setup

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

    return mypycify(["--strict", *COMPILED], opt_level="3")


setup(ext_modules=_extensions())
