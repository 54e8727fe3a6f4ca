"""Who runs: one list, in the order of the table."""

from __future__ import annotations

from tests.bench.peers.java import FlinkJava, KafkaStreams
from tests.bench.peers.leadstream import Leadstream
from tests.bench.peers.peer import Peer
from tests.bench.peers.python import Bytewax, Faust, PyFlink, Quix

__all__ = ["PEERS"]

CHANGELOG = "changelog in Kafka"
CHECKPOINT = "checkpoint every 5 s"

PEERS: tuple[Peer, ...] = (
    Leadstream("leadstream", "leadstream", f"{CHANGELOG}, every batch", commits_s=2),
    FlinkJava("flink", "Flink, heap", CHECKPOINT),
    FlinkJava("flink-bare", "Flink, heap, no checkpoints", "", checkpoint=""),
    FlinkJava("flink-rocksdb", "Flink, RocksDB", CHECKPOINT, backend="rocksdb"),
    KafkaStreams("kstreams", "Kafka Streams, in memory", f"{CHANGELOG}, every 5 s"),
    KafkaStreams("kstreams-rocksdb", "Kafka Streams, RocksDB", f"{CHANGELOG}, every 5 s", store="rocksdb"),
    PyFlink("pyflink", "PyFlink, heap", CHECKPOINT, slow=2),
    Bytewax("bytewax", "Bytewax", "snapshots every 5 s"),
    Quix("quix", "Quix Streams, RocksDB", f"{CHANGELOG}, every 5 s"),
    Faust("faust", "stock Faust, in memory", CHANGELOG, slow=20),
)
