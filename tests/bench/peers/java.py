"""Engines in Java: one virtual machine each, the job compiled against the engine's own jars."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.peers.install import java_classes
from tests.bench.peers.peer import Peer, Run

__all__ = ["FlinkJava", "JavaPeer", "KafkaStreams"]

JOBS = Path(__file__).resolve().parent / "jobs" / "java"
_LOG = Path(__file__).resolve().parents[2] / "kafka" / "log4j2.properties"


@dataclass
class JavaPeer(Peer):
    """An engine from Maven.

    Attributes:
        pom: Name of its pom and of its folder.
        job: The class with the job.
        product: Whose version is told.
    """

    pom: str = ""
    job: str = ""
    product: str = ""

    def install(self) -> str:
        """Its jars, and the job compiled."""
        self.classes()
        text = (JOBS / f"{self.pom}-pom.xml").read_text(encoding="utf-8")
        found = re.search(r"<[a-z]+\.version>(.+?)<", text)
        return f"{self.product} {found[1] if found else '?'}"

    def classes(self) -> str:
        """Its class path."""
        return java_classes(self.pom, [JOBS / f"{name}.java" for name in ("Signal", "Lead", self.job)])

    def java(self, run: Run, *arguments: str) -> list[str]:
        """A command for its virtual machine."""
        opened = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in ("lang", "util", "time", "nio")]
        own = [f"-Dlog4j2.configurationFile={_LOG}", f"-Djava.io.tmpdir={run.local}"]
        return ["java", "-Xms2g", "-Xmx2g", *opened, *own, "-cp", self.classes(), self.job, *arguments]


@dataclass
class FlinkJava(JavaPeer):
    """Flink in one virtual machine, parallelism 1, objects reused.

    Attributes:
        backend: Where state is.
        checkpoint: Time between checkpoints; empty: none.
    """

    pom: str = "flink"
    job: str = "FlinkJob"
    product: str = "Flink"
    backend: str = "hashmap"
    checkpoint: str = "5 s"

    def commands(self, run: Run) -> Mapping[str, list[str]]:
        """Source, score and sink in one process."""
        return {self.name: self.java(run, self.backend, *filter(None, [self.checkpoint]))}


@dataclass
class KafkaStreams(JavaPeer):
    """Kafka Streams with one thread, a cache of 64 MiB, changelog on.

    Attributes:
        store: memory or rocksdb.
    """

    pom: str = "kstreams"
    job: str = "StreamsJob"
    product: str = "Kafka Streams"
    store: str = "memory"

    def commands(self, run: Run) -> Mapping[str, list[str]]:
        """One process."""
        return {self.name: self.java(run, self.store)}
