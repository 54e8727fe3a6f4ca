"""Apache Kafka as jars: Maven copies what `pom.xml` names to `.cache/kafka/<version>/`, once.

`python -m tests.kafka.jars` (or `make kafka-jars`) does it by hand; a broker does it by itself at its first start.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

__all__ = ["KafkaSetupError", "kafka_jars", "kafka_version", "need"]

_HERE = Path(__file__).resolve().parent
_POM = _HERE / "pom.xml"
_CACHE = _HERE.parents[1] / ".cache" / "kafka"
_STAMP = ".complete"


class KafkaSetupError(Exception):
    """This machine cannot run Apache Kafka; the message says what to install."""


def need(program: str, package: str) -> str:
    """The path of a program, or an error that tells how to get it.

    Raises:
        KafkaSetupError: The program is not on the PATH.
    """
    path = shutil.which(program)
    if path is None:
        message = (
            f"{program} is not on the PATH, and the tests run against a real Apache Kafka. "
            f"Install it (Debian: apt-get install {package}), then run the tests again."
        )
        raise KafkaSetupError(message)
    return path


def kafka_version() -> str:
    """The version of Apache Kafka that `pom.xml` names."""
    found = ET.parse(_POM).findtext(".//{*}kafka.version")
    if not found:
        message = f"{_POM} has no <kafka.version>."
        raise KafkaSetupError(message)
    return found


def kafka_jars() -> Path:
    """The folder of Kafka's jars, filled by Maven when it is not there yet or `pom.xml` has changed.

    Several processes may ask at once: one of them copies, the others wait.

    Raises:
        KafkaSetupError: Maven is missing or failed; the message has the end of what it said.
    """
    folder = _CACHE / kafka_version()
    wanted = hashlib.sha256(_POM.read_bytes()).hexdigest()
    if _is_complete(folder, wanted):
        return folder
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_complete(folder, wanted):
            _copy(folder)
            (folder / _STAMP).write_text(wanted)
    return folder


def _is_complete(folder: Path, wanted: str) -> bool:
    stamp = folder / _STAMP
    return stamp.exists() and stamp.read_text() == wanted


def _copy(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    command = [need("mvn", "maven"), "--batch-mode", "--quiet", "--file", str(_POM)]
    command += ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0 or not any(folder.glob("kafka_2.13-*.jar")):
        said = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        message = f"Maven did not bring the jars of Apache Kafka {kafka_version()} (exit {done.returncode}):\n{said}"
        raise KafkaSetupError(message)


def main() -> int:
    """Bring the jars and print where they are."""
    try:
        need("java", "default-jre-headless")
        folder = kafka_jars()
    except KafkaSetupError as error:
        print(error, file=sys.stderr)
        return 1
    count = sum(1 for _ in folder.glob("*.jar"))
    print(f"Apache Kafka {kafka_version()}: {count} jars in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
