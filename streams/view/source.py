"""The view's side of Kafka: its topics from given positions on, and where they end.

No group: positions are Redis's. What is asked of the brokers beside records is asked without waiting.
A client of librdkafka that heard of no broker at all (one that was silent for long answers so, before it leads again)
may be deaf from then on (https://github.com/confluentinc/librdkafka/issues/5301). So one that is refused, or brings
nothing although there is something, gives way to a new one.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from itertools import count
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec

from schemas.topics import TOPICS_BY_NAME
from streams.clients import new_admin, new_consumer, partition_counts, unreachable
from streams.settings import Settings
from streams.view.batch import READ, Raw

__all__ = ["Asked", "PositionsLost", "Source"]

log = logging.getLogger(__name__)

EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]
YOUNGEST: OffsetSpec = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]

_TIMEOUT_S = 10.0
_SILENT_S = 30.0
_ASK_AGAIN_S = 0.3
_BATCH = 2_000
_POLL_S = 0.05

Positions = dict[tuple[str, int], int]


class PositionsLost(Exception):  # noqa: N818  # a state of the world, not a slip
    """What lies at the positions is gone: retention was faster than the view."""


class Asked:
    """A question to the brokers: where does each partition end (or begin), and what time has the record there?

    Attributes:
        refusal: Why there are no answers.
    """

    def __init__(self, futures: dict[tuple[str, int], Future[ListOffsetsResultInfo]]) -> None:
        self._futures = futures
        self.refusal = ""

    @property
    def done(self) -> bool:
        """Whether all have answered."""
        return all(future.done() for future in self._futures.values())

    def offsets(self) -> Positions | None:
        """Offsets of the answers; see `answers`."""
        answers = self.answers()
        return None if answers is None else {place: answer.offset for place, answer in answers.items()}

    def answers(self) -> dict[tuple[str, int], ListOffsetsResultInfo] | None:
        """The answers, waited for; None: a broker did not answer, see `refusal`."""
        try:
            return {place: future.result(_TIMEOUT_S) for place, future in self._futures.items()}
        except KafkaException as error:
            self.refusal = error.args[0].str()
        except TimeoutError:
            self.refusal = "no answer"
        return None


class Source:
    """The topics of the view.

    Args:
        settings: Where the brokers are.
        kept_ms: How far back those topics are read that are kept for a time, where the view begins.

    Raises:
        BrokerUnreachable: Nobody answers.
        StateRefused: A topic does not exist.
    """

    def __init__(self, settings: Settings, kept_ms: int) -> None:
        self._settings = settings
        self._kept_ms = kept_ms
        self._admin: AdminClient = new_admin(settings)
        self._asked: Asked | None = None
        self._consumer = self._new_consumer(connected=True)
        self._left, self._left_since = 0, 0.0
        self._names = {settings.topic(name): name for name in READ}
        counts = partition_counts(settings, self._consumer, READ)
        self.at_end: Positions = {}
        self.places = [(name, number) for name, count in zip(READ, counts, strict=True) for number in range(count)]

    def topic_ids(self) -> str:
        """What tells these topics from others of the same names; the embedded broker knows no such thing."""
        if self._settings.broker_profile == "embedded":
            return "embedded"
        futures = self._admin.describe_topics(TopicCollection(list(self._names)), request_timeout=_TIMEOUT_S)
        try:
            found = {name: str(cast("Any", future.result()).topic_id) for name, future in futures.items()}
        except KafkaException as error:
            raise unreachable(self._settings, error.args[0].str()) from error
        return " ".join(found[self._settings.topic(name)] for name in READ)

    def ask_ends(self) -> Asked:
        """Where does each partition end?"""
        return self._ask(LATEST)

    def go_to(self, positions: Positions) -> Positions:
        """Reads on from there; a partition without a position from its beginning, or so far back as is looked at.

        What retention has taken away meanwhile is passed over. Returns where each partition is read from.

        Raises:
            BrokerUnreachable: Nobody answers.
        """
        lows, ends = self._offsets(EARLIEST), self._offsets(LATEST)
        starts = self._starts() if len(positions) < len(self.places) else {}
        found = {}
        for place in self.places:
            start = positions.get(place)
            if start is None:
                # -1: nothing is as young as that.
                start = ends[place] if starts.get(place) == -1 else starts.get(place, 0)
            found[place] = min(max(start, lows[place]), ends[place])
        self._read_from(found)
        return found

    def left(self, goal: Positions, positions: Positions) -> int:
        """How many records lie before a goal, read from somewhere; where none of them comes, a new client reads on."""
        left = sum(max(0, end - positions.get(place, 0)) for place, end in goal.items())
        now = time.monotonic()
        if left != self._left:
            self._left, self._left_since = left, now
        elif left and now - self._left_since > _SILENT_S:
            log.warning("none of %d records came for %d s: reading by a new connection", left, _SILENT_S)
            self._consumer.close()
            self._consumer = self._new_consumer(connected=False)
            self._read_from(positions)
            self._left_since = now
        return left

    def read(self) -> list[Raw]:
        """What came, at most so much; `at_end` is where partitions ended since: there may be no record before that.

        Raises:
            PositionsLost: Retention was faster.
            BrokerUnreachable: An error that the client could not get over by itself.
        """
        records = []
        self.at_end = {}
        for message in self._consumer.consume(_BATCH, _POLL_S):
            error = message.error()
            # A record and the end of a partition have a place; the client's own types know other errors too.
            topic, partition, offset = cast("tuple[str, int, int]", _place(message))
            if error is None:
                records.append(Raw(self._names[topic], partition, offset, message.key(), message.value()))
            elif error.code() == KafkaError._PARTITION_EOF:
                self.at_end[self._names[topic], partition] = offset
            elif error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                raise PositionsLost(error.str())
            else:
                raise unreachable(self._settings, error.str())
        return records

    def close(self) -> None:
        """Leaves."""
        self._consumer.close()

    def _new_consumer(self, *, connected: bool) -> Consumer:
        return new_consumer(self._settings, "leadstream-view", fetch_wait_ms=100, connected=connected)

    def _read_from(self, positions: Positions) -> None:
        self._consumer.assign(
            [
                TopicPartition(self._settings.topic(name), number, positions[name, number])
                for name, number in self.places
            ]
        )

    def _starts(self) -> Positions:
        """Topics that are kept for a time: where what is looked at begins. Past streams have other times: all of it.

        So far before the youngest record: its time is the brokers', and this host's clock may be wrong.
        """
        if self._settings.clock == "record" or self._settings.broker_profile == "embedded":
            return {}
        timed = [place for place in self.places if TOPICS_BY_NAME[place[0]].cleanup == "delete"]
        youngest_ms = max(found.timestamp for found in self._answered(YOUNGEST, timed).values())
        return self._offsets(OffsetSpec.for_timestamp(max(youngest_ms - self._kept_ms, 0)), timed)

    def _offsets(self, spec: OffsetSpec, places: list[tuple[str, int]] | None = None) -> Positions:
        return {place: answer.offset for place, answer in self._answered(spec, places).items()}

    def _answered(
        self, spec: OffsetSpec, places: list[tuple[str, int]] | None = None
    ) -> dict[tuple[str, int], ListOffsetsResultInfo]:
        """The answers; a leader that was just elected, or whose topic was just made, refuses for a moment."""
        end = time.monotonic() + _TIMEOUT_S
        for again in count():
            asked = self._ask(spec, places)
            found = asked.answers()
            if found is not None:
                return found
            if again and time.monotonic() > end:
                break
            time.sleep(_ASK_AGAIN_S)
        raise unreachable(self._settings, f"it did not say where the topics begin and end ({asked.refusal})")

    def _ask(self, spec: OffsetSpec, places: list[tuple[str, int]] | None = None) -> Asked:
        if self._asked is not None and self._asked.refusal:
            # What it knows of leaders may be of before an election; the next one asks.
            self._admin = new_admin(self._settings, connected=False)
        wanted = self.places if places is None else places
        futures = self._admin.list_offsets(
            {TopicPartition(self._settings.topic(name), number): spec for name, number in wanted},
            request_timeout=_TIMEOUT_S,
        )
        asked = {(self._names[place.topic], place.partition): future for place, future in futures.items()}
        self._asked = Asked(asked)
        return self._asked


def _place(message: Message) -> tuple[str | None, int | None, int | None]:
    return message.topic(), message.partition(), message.offset()
