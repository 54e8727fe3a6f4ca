"""Order and safe time, against a small world: a broker with its own clock, and workers that read it as they like."""

from __future__ import annotations

from itertools import pairwise
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.stage import Block, FetchState, Record, TopicPartition, size_of
from streams.ordering import AHEAD_MS, SKEW_MS, Ordering

START_MS = 1_700_000_000_000
VIEWS, OPENS, INTERNAL = (
    TopicPartition("page-views", 0),
    TopicPartition("email-opens", 0),
    TopicPartition("internal", 0),
)
AT_END, UNKNOWN = FetchState(True, 0.0, 0.0), FetchState(False, 0.0, 0.0)


def _block(offset: int, time_ms: int) -> Block:
    return Block(time_ms, offset + 1, 1, iter([Record(offset, time_ms, None, b"")]))


def _blocks(*times_ms: int, start: int = 0) -> list[Block]:
    return [_block(start + number, START_MS + time) for number, time in enumerate(times_ms)]


def _offsets(blocks: list[Block]) -> list[int]:
    return [record.offset for block in blocks for record in block.records]


def _ordering(*partitions: TopicPartition) -> Ordering:
    ordering = Ordering()
    ordering.assign(partitions, {})
    return ordering


def _safe(ordering: Ordering) -> int:
    return ordering.safe_ms - START_MS


def test_all_in_hand_is_taken_while_it_is_less_than_a_minute_ahead() -> None:
    ordering = _ordering(VIEWS, OPENS)
    taken = ordering.take({VIEWS: _blocks(0, 10), OPENS: _blocks(5, AHEAD_MS + 10, AHEAD_MS + 11)}, {})
    assert [len(blocks) for blocks in taken.blocks.values()] == [2, 2]
    assert taken.hold == {OPENS}
    assert _safe(ordering) == 10
    taken = ordering.take({VIEWS: _blocks(12, start=2)}, {OPENS: UNKNOWN})
    assert {tp: _offsets(blocks) for tp, blocks in taken.blocks.items()} == {OPENS: [2], VIEWS: [2]}
    assert _safe(ordering) == 12


def test_nothing_is_taken_before_every_partition_answered() -> None:
    ordering = _ordering(VIEWS, OPENS)
    assert ordering.take({VIEWS: _blocks(0)}, {OPENS: FetchState(False, inf, inf)}).blocks == {}
    assert set(ordering.take({}, {VIEWS: AT_END, OPENS: AT_END}).blocks) == {VIEWS}


def test_where_nothing_is_left_safe_is_one_second_behind_the_newest() -> None:
    ordering = _ordering(VIEWS, OPENS)
    ordering.take({VIEWS: _blocks(5000)}, {OPENS: AT_END})
    assert _safe(ordering) == 4000
    ordering.take({}, {VIEWS: AT_END, OPENS: AT_END})
    assert _safe(ordering) == 4000
    ordering.take({VIEWS: _blocks(9000, start=1)}, {OPENS: AT_END})
    assert _safe(ordering) == 8000


def test_an_answer_is_worth_what_it_was_when_it_was_asked_for() -> None:
    ordering = _ordering(VIEWS, OPENS)
    ordering.take({VIEWS: _blocks(5000)}, {OPENS: FetchState(True, 2.5, 0.0)})
    assert _safe(ordering) == 5000 - 2500 - SKEW_MS
    ordering.take({VIEWS: _blocks(9000, start=1)}, {OPENS: FetchState(True, 6.5, 4.0)})
    assert _safe(ordering) == 5000 - 2500 - SKEW_MS, "the same answer says the same"
    ordering.take({}, {VIEWS: AT_END, OPENS: FetchState(False, 0.1, 0.0)})
    assert _safe(ordering) == 5000 - 2500 - SKEW_MS, "there is more, of whatever time"


def test_a_paused_topic_is_no_backlog_and_what_it_held_is_late() -> None:
    ordering = _ordering(VIEWS, OPENS)
    ordering.take({VIEWS: _blocks(0, 1)}, {OPENS: AT_END})
    ordering.give_back(VIEWS, _blocks(1, start=1))
    ordering.pause([VIEWS.topic])
    taken = ordering.take({OPENS: _blocks(50_000)}, {VIEWS: UNKNOWN})
    assert set(taken.blocks) == {OPENS}
    assert taken.hold == {VIEWS}
    assert _safe(ordering) == 50_000
    ordering.pause([])
    assert _offsets(ordering.take({}, {OPENS: AT_END, VIEWS: AT_END}).blocks[VIEWS]) == [1]
    assert _safe(ordering) == 50_000


def test_other_workers_hold_time_back_and_bring_it() -> None:
    ordering = _ordering(VIEWS)
    ordering.take({VIEWS: _blocks(5000)}, {}, others_ms=START_MS + 100)
    assert _safe(ordering) == 100
    ordering.saw(START_MS + 9000)
    ordering.take({}, {VIEWS: AT_END}, others_ms=START_MS + 100)
    assert ordering.bounds()[VIEWS] == START_MS + 5000, "what was heard after the poll began says nothing about it"
    ordering.take({}, {VIEWS: AT_END}, others_ms=START_MS + 8500)
    assert ordering.bounds()[VIEWS] == START_MS + 8000
    assert _safe(ordering) == 8000


def test_times_that_go_back_within_a_partition_keep_their_order() -> None:
    ordering = _ordering(VIEWS, INTERNAL)
    first = ordering.take({VIEWS: _blocks(100, 50, 2**62, 120), INTERNAL: [_block(0, 0)]}, {})
    assert set(first.blocks) == {INTERNAL}
    taken = ordering.take({}, {INTERNAL: AT_END, VIEWS: AT_END})
    assert _offsets(taken.blocks[VIEWS]) == [0, 1, 2, 3]
    assert _safe(ordering) == 120 - SKEW_MS


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from([VIEWS, OPENS, INTERNAL]), st.lists(st.integers(-3, 30), min_size=1, max_size=40)),
    st.integers(1, 60),
)
def test_slices_are_the_records_cut_where_time_moves_on(times: dict[TopicPartition, list[int]], about: int) -> None:
    ordering = _ordering(*times)
    taken = ordering.take({tp: _blocks(*of_one) for tp, of_one in times.items()}, {})
    parts = list(taken.slices(about))
    joined: dict[TopicPartition, list[Block]] = {}
    for part in parts:
        for tp, blocks in part.items():
            assert blocks
            joined.setdefault(tp, []).extend(blocks)
    assert joined == taken.blocks
    effective = {
        (tp, block.end): time
        for tp in taken.blocks
        for block, time in zip(taken.blocks[tp], taken.times[tp], strict=True)
    }
    of_parts = [[effective[tp, block.end] for tp in part for block in part[tp]] for part in parts if part]
    assert all(max(earlier) < min(later) for earlier, later in pairwise(of_parts))


def test_slices_are_about_as_large_as_asked_for() -> None:
    ordering = _ordering(VIEWS, OPENS)
    taken = ordering.take({VIEWS: _blocks(*range(9_000)), OPENS: _blocks(*range(0, 9_000, 9))}, {})
    sizes = [sum(map(len, part.values())) for part in taken.slices(1_000)]
    assert sum(sizes) == 10_000
    assert all(900 <= size <= 1_100 for size in sizes[:-1])


def test_slices_count_records_not_blocks() -> None:
    ordering = _ordering(VIEWS, OPENS)
    large = [_block(100 * number, START_MS + number)._replace(size=100) for number in range(90)]
    taken = ordering.take({VIEWS: large, OPENS: _blocks(*range(0, 90, 9))}, {})
    sizes = [sum(map(size_of, part.values())) for part in taken.slices(1_000)]
    assert sum(sizes) == 9_010
    assert all(900 <= size <= 1_200 for size in sizes[:-1])


class _World:
    """Partitions that grow in broker time, and readers at their own pace."""

    def __init__(self, partitions: list[TopicPartition]) -> None:
        self.now_ms = START_MS
        self.logs: dict[TopicPartition, list[Block]] = {tp: [] for tp in partitions}
        self.read: dict[TopicPartition, int] = dict.fromkeys(partitions, 0)

    def append(self, tp: TopicPartition, count: int) -> None:
        log = self.logs[tp]
        log += [_block(len(log) + number, self.now_ms) for number in range(count)]

    def fetch(self, tp: TopicPartition, most: int) -> list[Block]:
        start = self.read[tp]
        found = self.logs[tp][start : start + most]
        self.read[tp] = start + len(found)
        return found

    def state(self, tp: TopicPartition, ago_ms: int) -> FetchState:
        """An answer that left the broker as soon as it was asked for."""
        there = sum(block.timestamp_ms <= self.now_ms - ago_ms for block in self.logs[tp])
        return FetchState(self.read[tp] >= there, ago_ms / 1000, 0.0)


PARTITIONS = [TopicPartition(topic, number) for topic in ("a", "b") for number in (0, 1)]
Move = tuple[int, list[tuple[TopicPartition, int]], list[tuple[TopicPartition, int]], int, int]
moves = st.lists(
    st.tuples(
        st.integers(0, 40_000),
        st.lists(st.tuples(st.sampled_from(PARTITIONS), st.integers(1, 4)), max_size=4),
        st.lists(
            st.tuples(st.sampled_from(PARTITIONS), st.integers(0, 5)), max_size=4, unique_by=lambda fetch: fetch[0]
        ),
        st.integers(0, 1),
        st.sampled_from([0, 300, 2_000, 60_000]),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(moves, st.sampled_from([1, 2]))
def test_no_record_is_carried_after_a_safe_beyond_its_time(steps: list[Move], workers: int) -> None:
    world = _World(PARTITIONS)
    mine = [PARTITIONS[number::workers] for number in range(workers)]
    orderings = [Ordering() for _ in mine]
    for ordering, own in zip(orderings, mine, strict=True):
        ordering.assign(own, {})
    progress: dict[TopicPartition, int] = {}
    carried: dict[TopicPartition, list[int]] = {tp: [] for tp in PARTITIONS}
    said = 0
    for passed_ms, appends, fetches, turn, ago_ms in [*steps, *_to_the_end(workers)]:
        world.now_ms += passed_ms
        for tp, count in appends:
            world.append(tp, count)
        number = turn % workers
        ordering = orderings[number]
        held = ordering.hold()
        fetched = {tp: world.fetch(tp, most) for tp, most in fetches if tp in mine[number] and tp not in held}
        fetched = {tp: blocks for tp, blocks in fetched.items() if blocks}
        idle = {tp: world.state(tp, ago_ms) for tp in mine[number] if tp not in fetched}
        others = [progress.get(tp, 0) for tp in PARTITIONS if tp not in mine[number]]
        before = ordering.safe_ms
        taken = ordering.take(fetched, idle, min(others) if others else None)
        for tp, blocks in taken.blocks.items():
            carried[tp] += _offsets(blocks)
            assert all(block.timestamp_ms >= said for block in blocks)
        assert taken.safe_ms >= before
        said = max(said, taken.safe_ms)
        assert len(taken.hold) <= len(mine[number])
        for tp, bound in ordering.bounds().items():
            progress[tp] = max(progress.get(tp, 0), bound)
        for other in orderings:
            other.saw(ordering.newest_ms)
    for tp in PARTITIONS:
        assert carried[tp] == list(range(len(world.logs[tp]))), "everything is carried in the end, once, in order"
    newest = max((log[-1].timestamp_ms for log in world.logs.values() if log), default=0)
    assert said >= newest - 1000
    assert all(earlier < later for offsets in carried.values() for earlier, later in pairwise(offsets))


def _to_the_end(workers: int) -> list[Move]:
    everything = [(tp, 10_000) for tp in PARTITIONS]
    return [(10, [], everything, turn, 0) for _ in range(8) for turn in range(workers)]
