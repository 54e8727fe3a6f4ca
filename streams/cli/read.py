"""`leadstream read`: a topic as JSON lines."""

from __future__ import annotations

from contextlib import closing

import click

from schemas.topics import TOPICS
from streams.cli.base import Results, with_settings
from streams.cli.decoding import decoder_of
from streams.settings import Settings
from streams.topic_reader import follow, read_there

__all__ = ["read"]


@click.command()
@click.argument("topic", type=click.Choice([topic.name for topic in TOPICS]), metavar="TOPIC")
@click.option("--from-start", is_flag=True, help="Begin with the oldest record; else with the next one.")
@click.option("--to-end", is_flag=True, help="End with what is there now; begins with the oldest record too.")
@with_settings
def read(settings: Settings, topic: str, from_start: bool, to_end: bool) -> None:
    """Decoded records as JSON lines, with `partition` and `offset`, in log order.

    TOPIC is a topic's name without the prefix; `leadstream topics check` lists them. Of lead-events each line is one
    event: `read lead-events --to-end | leadstream score -` repeats what the stream did.

    Within a partition lines come in its order. With --to-end partitions are merged by the time of their records;
    without it they come as they arrive, until Ctrl-C.
    """
    decode = decoder_of(topic)
    results = Results()
    if to_end:
        for record in read_there(settings, topic):
            for line in decode(record):
                results.raw(line)
        return
    with closing(follow(settings, topic, from_start=from_start)) as records:
        try:
            for found in records:
                if found is None:
                    results.flush()
                    continue
                for line in decode(found):
                    results.raw(line)
        except KeyboardInterrupt:
            results.flush()
