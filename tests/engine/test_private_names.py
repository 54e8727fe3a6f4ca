"""Every private name of Faust, mode and aiokafka that the engine touches: reviewed, and the same as when it was.

The tables are in streams/engine/README.md. A test that fails names the piece of code that a new version moved or
changed, and why the engine depends on it.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import streams.engine
from streams.engine.versions import PINNED

ENGINE = Path(streams.engine.__file__).parent
THEIRS = ("faust", "mode", "aiokafka")

FINGERPRINTS = {
    "aiokafka.client:AIOKafkaClient.bootstrap": "198943b0",
    "aiokafka.cluster:ClusterMetadata.update_metadata": "6c2cce8f",
    "aiokafka.conn:AIOKafkaConnection._handle_frame": "46a7d9b8",
    "aiokafka.conn:AIOKafkaConnection._read": "7b892995",
    "aiokafka.conn:AIOKafkaConnection._send_sasl_token": "7a3d948f",
    "aiokafka.conn:AIOKafkaConnection.connect": "b0f9ba7f",
    "aiokafka.conn:AIOKafkaConnection.send": "5909ea32",
    "aiokafka.conn:AIOKafkaProtocol.connection_lost": "4086ca76",
    "aiokafka.consumer.consumer:AIOKafkaConsumer.__init__": "01506f31",
    "aiokafka.consumer.consumer:AIOKafkaConsumer.start": "2f1ba704",
    "aiokafka.consumer.fetcher:FetchResult.getall": "3e717e30",
    "aiokafka.consumer.fetcher:Fetcher.__init__": "bf21ecb7",
    "aiokafka.consumer.fetcher:Fetcher._fetch_requests_routine": "2a8ec593",
    "aiokafka.consumer.fetcher:Fetcher._notify": "d3a30d94",
    "aiokafka.consumer.fetcher:Fetcher._proc_fetch_request": "59bf948f",
    "aiokafka.consumer.fetcher:Fetcher.fetched_records": "be434889",
    "aiokafka.consumer.fetcher:PartitionRecords.__init__": "8ec1c2ae",
    "aiokafka.consumer.fetcher:PartitionRecords._unpack_records": "b803e6d4",
    "aiokafka.consumer.group_coordinator:GroupCoordinator.__init__": "9e729f07",
    "aiokafka.consumer.subscription_state:Assignment.__init__": "3300d8f0",
    "aiokafka.consumer.subscription_state:TopicPartitionState.__init__": "f0b391da",
    "aiokafka.producer.producer:AIOKafkaProducer.__init__": "fd6f2966",
    "aiokafka.producer.producer:AIOKafkaProducer.send_batch": "bf42b0f0",
    "aiokafka.producer.sender:SendProduceReqHandler.create_request": "807639a9",
    "aiokafka.producer.sender:Sender._sender_routine": "2380dc5e",
    "aiokafka.producer.transaction_manager:TransactionManager.set_pid_and_epoch": "1e174622",
    "aiokafka.protocol.offset:OffsetRequest.build": "0d7414be",
    "faust.app.base:App._create_directories": "a9f571c3",
    "faust.app.base:App._fetcher": "2ee3393e",
    "faust.app.base:App._new_transport": "42db5313",
    "faust.app.base:App.on_rebalance_start": "5c1e23de",
    "faust.serializers.schemas:Schema.compile": "d46eec5c",
    "faust.tables.base:Collection.apply_changelog_batch": "b980a78d",
    "faust.tables.base:Collection.on_rebalance": "0812ad69",
    "faust.tables.base:Collection.persisted_offset": "d473d3ab",
    "faust.tables.manager:TableManager._update_channels": "88e3941f",
    "faust.tables.manager:TableManager.on_start": "365dd25f",
    "faust.tables.manager:TableManager.recovery": "f0bf5de7",
    "faust.tables.recovery:Recovery._restart_recovery": "6bd8a855",
    "faust.tables.recovery:Recovery._resume_streams": "d986a671",
    "faust.tables.recovery:Recovery._set_recovery_ended": "84badf3f",
    "faust.tables.recovery:Recovery._set_recovery_started": "bcfebf81",
    "faust.tables.recovery:Recovery._slurp_changelogs": "7825c7e5",
    "faust.tables.recovery:Recovery._wait": "ec7429b7",
    "faust.tables.recovery:Recovery.on_recovery_completed": "6ef567ac",
    "faust.transport.base:Transport.create_consumer": "46cc2bf5",
    "faust.transport.base:Transport.create_producer": "2de47ba7",
    "faust.transport.consumer:Consumer.__init__": "302410d5",
    "faust.transport.consumer:Consumer._add_gap": "4df2573d",
    "faust.transport.consumer:Consumer._drain_messages": "44a25003",
    "faust.transport.consumer:Consumer._new_offset": "1d2c7ea8",
    "faust.transport.consumer:Consumer._wait_next_records": "6218e196",
    "faust.transport.consumer:Consumer.ack": "5fcf41cf",
    "faust.transport.consumer:Consumer.getmany": "4b168d84",
    "faust.transport.consumer:Consumer.on_partitions_revoked": "d04b7ae7",
    "faust.transport.consumer:Consumer.perform_seek": "0e8c130f",
    "faust.transport.consumer:ThreadDelegateConsumer.__init__": "7072ae80",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.__post_init__": "913dc7c0",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._ensure_consumer": "ff4a4c69",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread._fetch_records": "39a2c6c7",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.on_start": "38b4e8bd",
    "faust.transport.drivers.aiokafka:Consumer._new_consumer_thread": "0870ec53",
    "faust.transport.drivers.aiokafka:Producer._settings_auth": "6d47a0b8",
    "faust.transport.drivers.aiokafka:Producer._settings_extra": "a4c7bc41",
    "faust.transport.drivers.aiokafka:Producer.on_start": "219c9a7a",
    "faust.transport.drivers.aiokafka:Producer.on_stop": "86799c5a",
    "faust.types.transports:SchedulingStrategyT.iterate": "34dea356",
    "faust.worker:Worker._on_sigint": "32719323",
    "faust.worker:Worker._on_sigterm": "ba99cf23",
    "mode.services:Service._crash": "7bc0c709",
    "mode.worker:Worker._gather_all": "7e8d72eb",
    "mode.worker:Worker._sentinel_task": "6e66058c",
}
"""The code at each place when it was last reviewed: the first digits of its SHA-256."""


class Row(NamedTuple):
    """A row of the page's tables."""

    name: str
    place: str
    why: str
    seen_by: str


def rows() -> list[Row]:
    """All rows that name a place in somebody else's code."""
    found = re.findall(
        r"^\| (.+?) \| `([\w.]+:[\w.]+)` \| (.+?) \| (.+?) \|$", (ENGINE / "README.md").read_text(), re.M
    )
    return [Row(name.strip("`"), *rest) for name, *rest in found]


def source(place: str) -> str:
    """The code at `module:Class.name`."""
    module, _, path = place.partition(":")
    owner, _, name = path.partition(".")
    piece: Any = inspect.getattr_static(getattr(importlib.import_module(module), owner), name)
    for wrapped in ("fget", "_cached_property__get", "fun"):  # properties of two kinds, and a service's tasks
        piece = getattr(piece, wrapped, piece)
    return inspect.getsource(piece)


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.name}-{row.place.partition(':')[2]}")
def test_private_name(row: Row) -> None:
    installed = ", ".join(f"{name} {version(name)} (reviewed: {pin})" for name, pin in PINNED.items())
    hint = f"The engine depends on it: {row.why}. See streams/engine/README.md. Installed: {installed}"
    try:
        text = source(row.place)
    except (AttributeError, ImportError, TypeError) as error:
        pytest.fail(f"{row.place} is gone ({error}). {hint}")
    found = hashlib.sha256(text.encode()).hexdigest()[:8]
    assert row.name.rpartition(".")[2] in text or not row.name.startswith("_"), f"{row.name} is gone from it. {hint}"
    assert found == FINGERPRINTS[row.place], f"{row.place} changed: review it, then note {found}. {hint}"


def test_every_fingerprint_is_of_a_row() -> None:
    assert set(FINGERPRINTS) == {row.place for row in rows()}


def test_the_page_names_every_private_name_that_the_engine_touches() -> None:
    named = {row.name for row in rows()}
    touched = set(replaced()) | set(used())
    assert touched - named == set(), "touched, but not in the tables of streams/engine/README.md"
    assert {name for name in named if re.fullmatch(r"\w+\.\w+|_\w+", name)} - touched == set(), "no longer touched"


def test_the_page_names_tests_that_exist() -> None:
    named = {name for row in rows() for name in re.findall(r"`(test_\w+\.py)`", row.seen_by)}
    assert {name for name in named if not (Path(__file__).parent / name).exists()} == set()


def modules() -> Iterator[Any]:
    for file in sorted(ENGINE.glob("*.py")):
        yield importlib.import_module("streams.engine" if file.stem == "__init__" else f"streams.engine.{file.stem}")


def replaced() -> Iterator[str]:
    """`Class.name` of everything of theirs that a class of the engine defines anew."""
    generated = {"_abc_impl", "logger"}
    for module in modules():
        for kind in vars(module).values():
            if not inspect.isclass(kind) or kind.__module__ != module.__name__:
                continue
            theirs = [base for base in kind.__mro__ if base.__module__.partition(".")[0] in THEIRS]
            for name in vars(kind).keys() - generated:
                if name.startswith("__") and name != "__post_init__":
                    continue
                owner = next((base for base in theirs if name in vars(base)), None)
                if owner is not None:
                    yield f"{owner.__name__}.{name}"


def used() -> Iterator[str]:
    """Private names that are read, set or called and are none of the engine's own."""
    for file in sorted(ENGINE.glob("*.py")):
        tree = ast.parse(file.read_text())
        own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        on_self = [node for node in attributes if isinstance(node.value, ast.Name) and node.value.id == "self"]
        own |= {node.attr for node in on_self if isinstance(node.ctx, ast.Store)}
        for node in attributes:
            private = re.match(r"_[a-z]", node.attr)
            ours = node.attr in own and (node in on_self or ast.unparse(node.value) == "super()")
            if private and not ours and ast.unparse(node) != "os._exit":
                yield node.attr
