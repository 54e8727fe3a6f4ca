"""Redis is what the topics say, whatever the batches, the order between topics, repetitions, crashes and floods."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import redis

from schemas.topics import LEAD_SCORES
from streams.view.batch import Batch, Raw
from streams.view.changes import Changes
from streams.view.entry import LeadEntry
from streams.view.facts import LeadFacts
from streams.view.keys import Keys
from streams.view.report import make_report
from streams.view.store import Hold, HoldLost, Store
from tests.redis_server import PREFIX, RedisServer
from tests.view import naive
from tests.view.small_town import Town, a_town, last_log_time_ms

CASES = 40


@pytest.fixture(scope="module")
def server() -> Any:
    with RedisServer() as started:
        yield started


class Player:
    """Plays a town into Redis in random batches, with whatever may happen in between."""

    def __init__(self, server: RedisServer, town: Town, seed: int) -> None:
        self.town, self.chance, self.server = town, Random(seed), server
        self.admin = server.admin
        self.admin.flushall()
        self.shown: dict[tuple[str, str], int] = {}
        self.store = self.new_store()

    def new_store(self, writer: str = "one") -> Store:
        client = redis.Redis.from_url(self.server.url)
        return Store(client, Keys(PREFIX), writer, "the topics", lambda: 1, time.monotonic)

    def play(self) -> Hold:
        hold = self.take()
        while left := self.left(hold):
            self.happens()
            try:
                self.store.apply(hold, Batch.of(self.some(left, hold)))
                self.looks_newer()
            except HoldLost:
                hold = self.take()
            if self.chance.random() < 0.1:  # as after a crash: nothing is remembered
                self.store = self.new_store()
                hold = self.take()
        return hold

    def take(self) -> Hold:
        hold = self.store.take()
        assert hold is not None
        if not hold.positions:
            self.shown.clear()
        return hold

    def left(self, hold: Hold) -> list[tuple[str, int]]:
        return [place for place, records in self.town.records.items() if hold.positions.get(place, 0) < len(records)]

    def some(self, left: list[tuple[str, int]], hold: Hold) -> list[Raw]:
        records: list[Raw] = []
        for place in self.chance.sample(left, self.chance.randint(1, len(left))):
            start = hold.positions.get(place, 0)
            records += self.town.records[place][start : start + self.chance.choice((1, 3, 20))]
        return records

    def happens(self) -> None:
        if self.chance.random() < 0.03:
            self.admin.flushall()

    def looks_newer(self) -> None:
        """No lead shows an older state than it did before."""
        for lead_id, parts in naive.found_hashes(self.admin, PREFIX).items():
            for name, truth in (("score", self.town.scores), ("assignment", self.town.assignments)):
                if name in parts:
                    version = truth[lead_id].index(parts[name])
                    assert version >= self.shown.get((lead_id, name), 0), f"{name} of {lead_id} went back in time"
                    self.shown[lead_id, name] = version


@pytest.mark.parametrize("seed", range(CASES))
def test_redis_holds_what_the_topics_say(server: RedisServer, seed: int) -> None:
    town = a_town(seed)
    hold = Player(server, town, seed).play()
    admin = server.admin
    assert naive.found_lists(admin, PREFIX) == naive.expected_lists(town)
    assert naive.found_hashes(admin, PREFIX) == naive.expected_hashes(town)
    feed = naive.found_feed(admin, PREFIX)
    for lead_id, ids in town.told.items():
        found = feed["tier_change"].get(lead_id, []), feed["sla_event"].get(lead_id, [])
        changes = [one["id"] for one in town.changes if one["lead_id"] == lead_id]
        assert found == (changes, [one for one in ids if one not in changes]), "each once, in order"
    plain = facts_of(town)
    assert hold.facts == plain
    assert hold.clock.now_ms == last_log_time_ms(town)


def facts_of(town: Town) -> dict[str, LeadFacts]:
    """The facts of a town that is read in one go."""
    server_less: dict[str, LeadFacts] = {}
    batch = Batch.of([record for records in town.records.values() for record in records])
    Changes(Keys(PREFIX), server_less).fold(batch, {lead_id: LeadEntry() for lead_id in batch.leads})
    return server_less


@pytest.mark.parametrize("seed", [0, 1, 3, 4])
def test_the_report_is_the_same_in_whatever_order_the_topics_came(server: RedisServer, seed: int) -> None:
    town = a_town(seed)
    at_ms = last_log_time_ms(town)
    reports = [make_report(Player(server, town, number).play().facts, at_ms) for number in range(3)]
    assert reports[0] == reports[1] == reports[2]
    assert reports[0].tiers


def test_an_exec_of_another_writer_ends_the_hold(server: RedisServer) -> None:
    player = Player(server, a_town(1), 1)
    hold = player.take()
    assert player.new_store().take() is not None
    with pytest.raises(HoldLost):
        player.store.apply(hold, Batch.of(player.town.records[LEAD_SCORES, 0]))
    assert naive.found_hashes(player.admin, PREFIX) == {}


def test_a_change_between_looking_and_writing_is_seen(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    player = Player(server, a_town(1), 1)
    hold = player.take()
    watched = player.store._watch

    def then_flushed(pipe: Any, held: Hold) -> None:
        watched(pipe, held)
        player.admin.flushall()

    monkeypatch.setattr(player.store, "_watch", then_flushed)
    with pytest.raises(HoldLost):
        player.store.apply(hold, Batch.of(player.town.records[LEAD_SCORES, 0]))
    assert player.admin.dbsize() == 0


def test_a_second_worker_stands_by_until_the_first_is_silent(server: RedisServer) -> None:
    server.admin.flushall()
    now = [0.0]

    def store(writer: str) -> Store:
        client = redis.Redis.from_url(server.url)
        return Store(client, Keys(PREFIX), writer, "the topics", lambda: 1, lambda: now[0])

    first, second = store("one"), store("two")
    hold = first.take()
    assert hold is not None
    for now[0] in (1.0, 9.0, 15.0, 24.0):
        assert second.take() is None
        first.progress(hold, 1, 2)
    now[0] = 30.0
    assert second.take() is None  # a sign of life since the last look
    now[0] = 39.0
    assert second.take() is None
    now[0] = 41.0
    assert second.take() is not None
    with pytest.raises(HoldLost):
        first.progress(hold, 2, 2)


@pytest.mark.parametrize("change", ["topics", "layout", "half cleared"])
def test_what_is_of_other_topics_or_layout_is_cleared_away(
    server: RedisServer, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = Player(server, a_town(2), 2)
    player.play()
    player.admin.set("somebody else's", 1)
    monkeypatch.setattr("streams.view.store._SCAN", 3)
    change_of: dict[str, Callable[[], Any]] = {
        "topics": lambda: player.admin.hset(f"{PREFIX}meta", "topics", "made anew"),
        "layout": lambda: player.admin.hset(f"{PREFIX}meta", "layout", "0"),
        "half cleared": lambda: player.admin.hset(f"{PREFIX}meta", "state", "clearing"),
    }
    change_of[change]()
    hold = player.new_store().take()
    assert hold is not None
    assert (hold.positions, hold.whole) == ({}, False)
    assert sorted(player.admin.scan_iter("*")) == ["somebody else's", f"{PREFIX}meta"]
    assert player.admin.hget(f"{PREFIX}meta", "state") == "rebuilding"


def test_a_deleted_lead_leaves_every_list(server: RedisServer) -> None:
    player = Player(server, a_town(3), 3)
    hold = player.play()
    for number in range(3):
        place = (LEAD_SCORES, number)
        keys = {record.key for record in player.town.records[place]}
        end = hold.positions[place]
        gone = [Raw(*place, end + count, key, None) for count, key in enumerate(keys)]
        player.store.apply(hold, Batch.of([*gone, Raw(*place, end + len(gone), b"\0owner", None)]))
    found = naive.found_hashes(player.admin, PREFIX)
    assert all("score" not in parts for parts in found.values())
    assert not [name for name in naive.found_lists(player.admin, PREFIX) if name.startswith("total:")]


def test_what_cannot_be_read_is_passed_over_and_told(server: RedisServer) -> None:
    player = Player(server, a_town(1), 1)
    hold = player.take()
    bad = {LEAD_SCORES: b"{", "lead-routing": b"\x09", "sla-events": b"[]"}
    batch = Batch.of([Raw(topic, 0, 0, b"L1", value) for topic, value in bad.items()])
    assert [topic for topic, _ in batch.refused] == [LEAD_SCORES, "lead-routing", "sla-events"]
    assert "lead-scores[0] at offset 0 cannot be read" in batch.refused[0][1]
    player.store.apply(hold, batch)
    assert hold.positions == {(LEAD_SCORES, 0): 1, ("lead-routing", 0): 1, ("sla-events", 0): 1}
