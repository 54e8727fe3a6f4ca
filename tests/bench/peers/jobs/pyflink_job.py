"""The job on PyFlink's DataStream API: state by key on the heap of the JVM, checkpoints every 5 s."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from pyflink.common import Configuration, Types, WatermarkStrategy
from pyflink.common.serialization import SimpleStringSchema
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.state import ValueStateDescriptor

from tests.bench.peers.jobs.fold import PROFILE, fold, fresh, signal_of

Meant = tuple[str, str, str, int, str]
"""lead, event id, time, and the signal: its number and what it is about."""


def meant(text: str) -> Iterator[Meant]:
    """An event's signal, if it has one."""
    event = orjson.loads(text)
    signal = signal_of(event)
    if signal is not None:
        what = signal[1]
        about = what if isinstance(what, str) else "1" if what else ""
        yield event["lead"]["lead_id"], event["event_id"], event["occurred_at"], signal[0], about


class Score(KeyedProcessFunction):  # type: ignore[misc]
    """One lead's state, moved on by its signals."""

    def open(self, context: RuntimeContext) -> None:
        """Names the state."""
        self._lead = context.get_state(ValueStateDescriptor("lead", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, meant: Meant, context: Any) -> Iterator[str]:
        """The tier change, if there is one."""
        lead, event, time, name, about = meant
        state = self._lead.value() or fresh()
        what = about == "1" if name == PROFILE else about
        change = fold(state, {"lead": {"lead_id": lead}, "event_id": event, "occurred_at": time}, (name, what))
        self._lead.update(state)
        if change is not None:
            yield json.dumps(change)


def settings() -> Configuration:
    """Flink's, as its documentation for Python has them."""
    durable = Path(os.environ["DURABLE"])
    found = Configuration()
    for name, value in {
        "python.execution-mode": os.environ["MODE"],
        "python.executable": os.environ["PYTHON"],
        "python.fn-execution.bundle.size": "10000",
        "python.fn-execution.bundle.time": "100",
        "python.state.cache.size": "100000",
        "pipeline.object-reuse": "true",
        "pipeline.jars": os.environ["JARS"],
        "state.backend.type": "hashmap",
        "execution.buffer-timeout.interval": "10 ms",
        "execution.checkpointing.interval": "5 s",
        "execution.checkpointing.dir": durable.as_uri(),
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "restart-strategy.type": "none",
        "io.tmp.dirs": os.environ["LOCAL"],
    }.items():
        found.set_string(name, value)
    whole = sorted(durable.glob("*/chk-*/_metadata"), key=lambda path: int(path.parent.name[4:]))
    if whole:
        found.set_string("execution.state-recovery.path", whole[-1].parent.as_uri())
    return found


def main() -> None:
    """Runs until it is ended."""
    environment = StreamExecutionEnvironment.get_execution_environment(settings())
    environment.set_parallelism(1)
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(os.environ["BOOTSTRAP"])
        .set_topics(os.environ["SOURCE"])
        .set_group_id(os.environ["NAME"])
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_value_only_deserializer(SimpleStringSchema())
        .build()
    )
    schema = (
        KafkaRecordSerializationSchema.builder()
        .set_topic(os.environ["OUTPUT"])
        .set_value_serialization_schema(SimpleStringSchema())
        .build()
    )
    sink = (
        KafkaSink.builder()
        .set_bootstrap_servers(os.environ["BOOTSTRAP"])
        .set_delivery_guarantee(DeliveryGuarantee.AT_LEAST_ONCE)
        .set_record_serializer(schema)
        .build()
    )
    raw = environment.from_source(source, WatermarkStrategy.no_watermarks(), "raw")
    kind = Types.TUPLE([Types.STRING(), Types.STRING(), Types.STRING(), Types.INT(), Types.STRING()])
    keyed = raw.flat_map(meant, output_type=kind).key_by(lambda signal: signal[0], key_type=Types.STRING())
    keyed.process(Score(), output_type=Types.STRING()).uid("score").sink_to(sink)
    environment.execute(os.environ["NAME"])


if __name__ == "__main__":
    main()
