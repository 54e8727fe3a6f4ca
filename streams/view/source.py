"""The view's side of Kafka: its topics from given positions on, and where they end.

No group: positions are Redis's. What is asked of the brokers beside records is asked without waiting.
"""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec

from schemas.topics import TOPICS_BY_NAME
from streams.clients import new_admin, new_consumer, partition_counts, unreachable
from streams.settings import Settings
from streams.view.batch import READ, Raw

__all__ = ["Asked", "PositionsLost", "Source"]

EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]

_TIMEOUT_S = 10.0
_LEADERS_AGE_MS = 2_000
_BATCH = 2_000
_POLL_S = 0.05

Positions = dict[tuple[str, int], int]


class PositionsLost(Exception):  # noqa: N818  # a state of the world, not a slip
    """What lies at the positions is gone: retention was faster than the view."""


class Asked:
    """A question to the brokers: where does each partition end (or begin)?

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
        """The answers, waited for; None: a broker did not answer, see `refusal`."""
        try:
            return {place: future.result(_TIMEOUT_S).offset for place, future in self._futures.items()}
        except KafkaException as error:
            self.refusal = error.args[0].str()
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
        self._admin: AdminClient = new_admin(settings, leaders_age_ms=_LEADERS_AGE_MS)
        self._consumer = new_consumer(settings, "leadstream-view", fetch_wait_ms=100)
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

    def go_to(self, positions: Positions, now_ms: int) -> Positions:
        """Reads on from there; a partition without a position from its beginning, or so far back as is looked at.

        What retention has taken away meanwhile is passed over. Returns where each partition is read from.

        Raises:
            BrokerUnreachable: Nobody answers.
        """
        lows, ends = self._answered(EARLIEST), self._answered(LATEST)
        starts = self._starts(now_ms) if len(positions) < len(self.places) else {}
        found = {}
        for place in self.places:
            start = positions.get(place)
            if start is None:
                # -1: nothing is as young as that.
                start = ends[place] if starts.get(place) == -1 else starts.get(place, 0)
            found[place] = min(max(start, lows[place]), ends[place])
        self._consumer.assign(
            [TopicPartition(self._settings.topic(name), number, found[name, number]) for name, number in self.places]
        )
        return found

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

    def _starts(self, now_ms: int) -> Positions:
        """Topics that are kept for a time: where what is looked at begins. Past streams have other times: all of it."""
        if self._settings.clock == "record" or self._settings.broker_profile == "embedded":
            return {}
        timed = [place for place in self.places if TOPICS_BY_NAME[place[0]].cleanup == "delete"]
        return self._answered(OffsetSpec.for_timestamp(now_ms - self._kept_ms), timed)

    def _answered(self, spec: OffsetSpec, places: list[tuple[str, int]] | None = None) -> Positions:
        asked = self._ask(spec, places)
        found = asked.offsets()
        if found is None:
            raise unreachable(self._settings, f"it did not say where the topics begin and end ({asked.refusal})")
        return found

    def _ask(self, spec: OffsetSpec, places: list[tuple[str, int]] | None = None) -> Asked:
        wanted = self.places if places is None else places
        asked = {TopicPartition(self._settings.topic(name), number): spec for name, number in wanted}
        futures = self._admin.list_offsets(asked, request_timeout=_TIMEOUT_S)
        return Asked({(self._names[place.topic], place.partition): future for place, future in futures.items()})


def _place(message: Message) -> tuple[str | None, int | None, int | None]:
    return message.topic(), message.partition(), message.offset()
