"""Native code reads what anybody may send: no byte beyond the event, no room beyond its own, nothing undefined."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from schemas import limits
from tests.compiled import ROOT, c_compiler

COUNT = 200_000
SANITIZERS = ("libasan.so", "libubsan.so")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_sanitizers_find_nothing_in_spoilt_events(tmp_path: Path) -> None:
    bounds = [f"-D{name}={getattr(limits, name)}" for name in limits.__all__ if name.startswith("MAX_")]
    module = tmp_path / f"native_rows{sysconfig.get_config_var('EXT_SUFFIX')}"
    include = sysconfig.get_paths()["include"]
    flags = ["-std=c11", "-O1", "-g", "-shared", "-fPIC", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    _run([c_compiler(), *flags, *bounds, f"-I{include}", str(ROOT / "schemas/native_rows.c"), "-o", str(module)])
    libraries = [_run([c_compiler(), f"-print-file-name={name}"]).strip() for name in SANITIZERS]

    # Python's own allocator would hide where an object ends.
    environment = {"PYTHONMALLOC": "malloc", "ASAN_OPTIONS": "detect_leaks=0", "LD_PRELOAD": " ".join(libraries)}
    script = str(Path(__file__).with_name("native_fuzz.py"))
    said = _run(
        [sys.executable, script, "1", str(COUNT)],
        environment | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "PYTHONSAFEPATH": "1"},
    )

    tried, taken = map(int, said.split())
    assert tried == COUNT
    assert COUNT / 10 < taken < COUNT / 2


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, env=os.environ | (environment or {}), capture_output=True, text=True, check=False, timeout=280
    )
    assert not done.returncode, (done.stdout + done.stderr)[-4000:]
    return done.stdout
