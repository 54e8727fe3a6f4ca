"""`leadstream send`: files of events to their raw topics."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import click
import msgspec
from confluent_kafka.admin import ConfigResource

from schemas.errors import Refused
from schemas.log import EVENT_ROWS, EventRow
from schemas.naming import partition_of
from schemas.topics import KIND_TOPICS, RAW_TOPICS
from streams.cli.base import progress, say, with_settings
from streams.clients import Sender, new_admin, partition_counts, unreachable
from streams.clock import now_ms
from streams.engine.errors import StateRefused
from streams.event_files import name_of, read_blocks, size_of
from streams.event_lines import EventLines, Refusals, check_keys
from streams.settings import Settings

__all__ = ["send"]
