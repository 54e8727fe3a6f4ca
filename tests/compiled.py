"""leadstream as a wheel with a compiled kernel, built once per state of the source and unpacked into `.cache/compiled`.

    python -m tests.compiled        builds it where it is not there yet, and prints its folder
    python -m pytest -p tests.compiled ...      refuses to test a plain kernel

With `environment()` a process of Python uses it instead of the source beside it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest

import scoring.kernel

__all__ = ["CompileError", "c_compiler", "compiled", "environment", "is_compiled", "pytest_configure"]

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "compiled"
PACKAGES = ("schemas", "scoring", "streams")
FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE")


class CompileError(Exception):
    """It could not be compiled; the message says what is missing."""


def is_compiled() -> bool:
    """Whether the kernel of this process is."""
    return not str(scoring.kernel.__file__).endswith(".py")


def pytest_configure() -> None:
    """Called by pytest, which may have put the plain packages first."""
    if not is_compiled():
        raise pytest.UsageError(f"the kernel under test is not compiled: {scoring.kernel.__file__}")


def environment(folder: Path) -> dict[str, str]:
    """What makes a process of Python take leadstream from a folder, and the tests from the repository."""
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "PYTHONSAFEPATH": "1"}


def compiled() -> Path:
    """The folder of the compiled packages; built now, where the source is new.

    Raises:
        CompileError: No C compiler, or it failed.
    """
    folder = CACHE / _digest()
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for older in CACHE.glob("*/"):
                shutil.rmtree(older)
            _build(folder)
    return folder


def _digest() -> str:
    """Of everything that the wheel is made of."""
    digest = hashlib.sha256(f"{version('mypy')} {sys.version} {sysconfig.get_config_var('CC')}".encode())
    paths = [ROOT / "setup.py", ROOT / "pyproject.toml"]
    for package in PACKAGES:
        paths += sorted(path for path in (ROOT / package).rglob("*") if path.is_file() and path.suffix != ".pyc")
    for path in paths:
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _build(folder: Path) -> None:
    c_compiler()
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="build-") as place:
        source = Path(place) / "source"
        source.mkdir()
        for name in FILES:
            shutil.copy2(ROOT / name, source)
        for package in PACKAGES:
            shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
        unpacked = Path(place) / "unpacked"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        done = subprocess.run(
            [*command, "--no-build-isolation", "--target", str(unpacked), str(source)],
            env=os.environ | {"LEADSTREAM_COMPILED": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CompileError(f"the compiled wheel could not be built:\n{(done.stdout + done.stderr)[-4000:]}")
        unpacked.rename(folder)


def c_compiler() -> str:
    """The name of the C compiler.

    Raises:
        CompileError: There is none.
    """
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        raise CompileError(
            f"this needs a C compiler, and there is no {compiler}; "
            "install one (Debian: apt-get install gcc) and try again"
        )
    return compiler


if __name__ == "__main__":
    try:
        print(compiled())
    except CompileError as error:
        sys.exit(str(error))
