"""The faults by name are tests that exist, and no test that kills is left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.faults.catalogue import FAULTS

ROOT = Path(__file__).resolve().parents[2]


def test_every_test_of_the_catalogue_exists() -> None:
    wanted = sorted({test for fault in FAULTS.values() for test in fault.tests})
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0", *wanted],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-2000:]


def test_every_test_that_kills_is_in_the_catalogue() -> None:
    named = {test.partition("::")[0] for fault in FAULTS.values() for test in fault.tests}
    killing = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("test_*.py")
        if "pytest.mark.kill" in path.read_text(encoding="utf-8") and path.name != "test_catalogue.py"
    }

    assert killing <= named
