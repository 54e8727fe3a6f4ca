"""What is compiled is the plain: byte for byte over a log, and by the kernel's own tests and those of the border."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.bench.kernel import log_of, records_of
from tests.compiled import compiled, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ROOT = Path(__file__).resolve().parents[2]
CASES = "100"
PROOFS = (
    "tests/property",
    "tests/schemas",
    "tests/schemas/native_rows.py",
    "tests/streams/test_ingest.py",
    "tests/streams/test_slices.py",
    "tests/scoring/kernel",
    "tests/scoring/test_row.py",
    "tests/scoring/test_seed_facts.py",
)
PLAIN = ("tests/property/test_calendar_against_minutes.py", "tests/property/test_routing_against_reference.py")
"""Of these, what tests routing: none of that is compiled."""


def test_the_same_bytes_come_of_the_same_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(msgspec.msgpack.encode(records_of(log_of(60_000, 3_000))))

    plain_kind, plain = _run("-m", "tests.scoring.folded", str(log)).split()
    compiled_kind, native = _run("-m", "tests.scoring.folded", str(log), environment=environment(compiled())).split()

    assert (plain_kind, compiled_kind) == ("plain", "compiled")
    assert native == plain


def test_it_passes_the_tests_of_the_plain_one() -> None:
    given = environment(compiled()) | {"LEADSTREAM_PROPERTY_CASES": CASES}
    # The repository comes behind the compiled packages, or its plain ones would be tested.
    said = _run(
        "-m",
        "pytest",
        "-q",
        "-o",
        "pythonpath=",
        "-p",
        "tests.compiled",
        "-p",
        "no:cacheprovider",
        *PROOFS,
        *(f"--ignore={path}" for path in PLAIN),
        environment=given,
    )

    assert " passed" in said.splitlines()[-1]


def _run(*arguments: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert not done.returncode, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
