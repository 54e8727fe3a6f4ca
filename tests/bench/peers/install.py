"""Engines are installed into `.cache/race`, each into an environment of its own, once for each lock file or pom."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.bench.peers.peer import CACHE, Missing
from tests.kafka.jars import KafkaSetupError, need

__all__ = ["java_classes", "java_jars", "python_environment"]

_HERE = Path(__file__).resolve().parent
_JAVA = _HERE / "jobs" / "java"
_STAMP = ".complete"


def python_environment(name: str) -> Path:
    """The interpreter of a virtual environment with exactly what `requirements/NAME.lock` names.

    Raises:
        Missing: The packages cannot be installed; the message has the end of what pip said.
    """
    lock = _HERE / "requirements" / f"{name}.lock"
    folder = CACHE / name
    python = folder / "bin" / "python"

    def fill() -> None:
        _run([sys.executable, "-m", "venv", str(folder)], name)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        _run([*pip, "-r", str(lock)], name)

    _once(folder, [lock], fill)
    return python


def java_jars(name: str) -> Path:
    """The folder of the jars that `NAME-pom.xml` names.

    Raises:
        Missing: Java or Maven is missing, or a jar.
    """
    folder = CACHE / f"{name}-jars"
    pom = _JAVA / f"{name}-pom.xml"

    def fill() -> None:
        copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
        _need("java", "default-jre-headless")
        _run([_need("mvn", "maven"), "--batch-mode", "--quiet", "--file", str(pom), *copy], name)

    _once(folder, [pom], fill)
    return folder


def java_classes(name: str, sources: Iterable[Path]) -> str:
    """The class path of a job, compiled against its jars.

    Raises:
        Missing: Java or Maven is missing, or a jar, or the job does not compile.
    """
    jars, classes = java_jars(name), CACHE / f"{name}-classes"
    files = list(sources)

    def fill() -> None:
        compiler = _need("javac", "default-jdk-headless")
        _run([compiler, "-nowarn", "-cp", f"{jars}/*", "-d", str(classes), *map(str, files)], name)

    _once(classes, [_JAVA / f"{name}-pom.xml", *files], fill)
    return f"{classes}:{jars}/*"


def _need(program: str, package: str) -> str:
    try:
        return need(program, package)
    except KafkaSetupError as error:
        raise Missing(str(error)) from error


def _once(folder: Path, inputs: list[Path], fill: Callable[[], None]) -> None:
    """Fills a folder anew unless it was filled from the same files."""
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()
    stamp = folder / _STAMP
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fill()
    stamp.write_text(wanted, encoding="ascii")


def _run(command: list[str], name: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise Missing(f"{name} could not be installed ({command[0]} ended with {done.returncode}):\n{said}")
