"""The job on Quix Streams: a streaming dataframe with state by message key, in RocksDB, with its changelog."""

from __future__ import annotations

import os
from typing import Any

from quixstreams import Application, State

from tests.bench.peers.jobs.fold import fold, fresh, signal_of

Meant = tuple[dict[str, Any], tuple[int, Any]]


def meant(event: dict[str, Any]) -> Meant | None:
    """An event with its signal."""
    signal = signal_of(event)
    return None if signal is None else (event, signal)


def scored(pair: Meant, state: State) -> dict[str, Any] | None:
    """The tier change, if there is one."""
    lead = state.get("lead") or fresh()
    change = fold(lead, *pair)
    state.set("lead", lead)
    return change


def main() -> None:
    """Runs until SIGTERM."""
    app = Application(
        broker_address=os.environ["BOOTSTRAP"],
        consumer_group=os.environ["NAME"],
        auto_offset_reset="earliest",
        state_dir=os.environ["LOCAL"],
        processing_guarantee="at-least-once",
        commit_interval=5.0,
        loglevel="WARNING",
    )
    raw = app.topic(os.environ["SOURCE"], key_deserializer="str", value_deserializer="json")
    changes = app.topic(os.environ["OUTPUT"], key_serializer="str", value_serializer="json")
    frame = app.dataframe(raw).apply(meant).filter(lambda pair: pair is not None)
    frame = frame.apply(scored, stateful=True).filter(lambda change: change is not None)
    frame.to_topic(changes)
    app.run()


if __name__ == "__main__":
    main()
