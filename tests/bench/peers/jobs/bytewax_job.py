"""The job on Bytewax: whole batches decoded at once, state by key, snapshots into a recovery store."""

from __future__ import annotations

import os
from typing import Any

import bytewax.operators as op
import msgspec
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from confluent_kafka import OFFSET_BEGINNING

from tests.bench.peers.jobs.fold import State, fold, fresh, signal_of

BROKERS = [os.environ["BOOTSTRAP"]]
BATCH = 1000

Meant = tuple[dict[str, Any], tuple[int, Any]]


def meant(batch: list[Any]) -> list[tuple[str, Meant]]:
    """Those events of a batch that mean something, by lead."""
    found = []
    for message in batch:
        event = msgspec.json.decode(message.value)
        signal = signal_of(event)
        if signal is not None:
            found.append((event["lead"]["lead_id"], (event, signal)))
    return found


def scored(state: State | None, pair: Meant) -> tuple[State, list[dict[str, Any]]]:
    """The lead's next state, and the tier change, if there is one."""
    lead = fresh() if state is None else state
    change = fold(lead, *pair)
    return lead, [] if change is None else [change]


def message(pair: tuple[str, dict[str, Any]]) -> Any:
    """What goes out."""
    return KafkaSinkMessage(pair[0].encode(), msgspec.json.encode(pair[1]))


flow = Dataflow("race")
source = KafkaSource(BROKERS, [os.environ["SOURCE"]], starting_offset=OFFSET_BEGINNING, batch_size=BATCH)
raw = op.input("raw", flow, source)
signals = op.flat_map_batch("signal", raw, meant)
changes = op.stateful_flat_map("score", signals, scored)
op.output("changes", op.map("message", changes, message), KafkaSink(BROKERS, os.environ["OUTPUT"]))
