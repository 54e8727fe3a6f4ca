"""Who is who, told by hand: tiers at a merge, doubles, chains, what comes late, and who is nobody's."""

from __future__ import annotations

from array import array
from typing import Any

import msgspec
import pytest

from schemas.log import ByHand, EventRow, FormFill, Link, LogRow, Merge, PageView
from schemas.outputs_wire import MergedLeadOut
from scoring.identity import MAX_NAMES, MAX_OWNERS
from scoring.merging import BadMerge, check_body
from scoring.partition import PartitionFold
from scoring.row_codec import ROW_CODEC, RowCodecError
from scoring.size import IDENTITY_BYTES
from tests.scoring.kernel.logs import DAY, HOUR, MINUTE, T0, Told, alarm, form, log, new_fold, run, view

MODEL = """
model: identity
version: 1
signals:
  visit: {on: page_view, where: {path: /pricing*}}
  form:  {on: form_fill}
rules:
  engagement:
    visit_and_form: {together: [visit, form], within: 24h, points: 25}
    form:  {each: form, points: 30, hold: 2h}
    visit: {each: visit, at_most: 3, points: 10}
tiers:
  hot:  {at_least: 60, leave_below: 20, stay_at_least: 1h}
  warm: {at_least: 30}
  cold: {}
"""


def link(at: int, alias: str = "a:1", owner: str = "crm-1", hour: int | None = None) -> Link:
    """Received at a moment; since the hour of it."""
    return Link(alias, T0 + at, owner, T0 + at if hour is None else hour)


class Leads:
    """One partition with everybody in it; what is sent comes back as rows, when it is asked for."""

    def __init__(self) -> None:
        self.fold, self.told = new_fold(MODEL), Told()
        self.sent: list[Merge | EventRow | ByHand] = []
        self.merged: dict[str, MergedLeadOut] = {}
        self.shared = 0

    def take(self, *rows: LogRow | EventRow) -> None:
        for row in rows:
            assert self.fold.take(row, row.received_at_ms)
        self.step()

    def step(self) -> None:
        step = self.fold.finish()
        self.told.changes += step.changes
        self.told.scores |= {score.lead_id: score for score in step.scores}
        self.told.rows |= dict(step.rows)
        self.told.problems += step.problems
        self.merged |= {one.lead_id: one for one in step.merged}
        self.shared += step.shared
        self.sent += step.sent

    def carry(self, at: int, *, times: int = 1) -> None:
        """What was sent comes to its owners, merges with the broker's time."""
        while self.sent:
            row = self.sent.pop(0)
            made = msgspec.structs.replace(row, received_at_ms=T0 + at) if isinstance(row, Merge) else row
            for _ in range(times):
                self.take(made)

    def path(self, lead: str) -> list[tuple[int, str, str, str]]:
        """(seq, from, to, cause)."""
        own = [one for one in self.told.changes if one.lead_id == lead]
        return [(one.seq, one.from_tier, one.to_tier, next(iter(one.cause))) for one in own]


def test_the_visit_before_the_form_counts() -> None:
    leads = Leads()
    leads.take(view(0, "/pricing", lead="a:1"), link(HOUR), form(HOUR, lead="crm-1"))
    assert leads.told.reasons("crm-1") == [("form", 30)]
    leads.carry(HOUR + 1)
    assert dict(leads.told.reasons("crm-1")) == {"form": 30, "visit_and_form": 25, "visit": 10}
    assert leads.path("crm-1") == [(1, "cold", "warm", "event_id"), (2, "warm", "hot", "merged_from")]
    assert leads.told.scores["crm-1"].names == ["a:1"]
    assert leads.merged == {"a:1": MergedLeadOut("a:1", "crm-1", 0)}


def test_an_alias_that_was_hot_leaves_its_tier_and_brings_it() -> None:
    """Its score alone would no longer enter hot at the owner, but it stays there as the alias would have."""
    leads = Leads()
    leads.take(view(0, "/pricing", lead="a:1"), form(0, lead="a:1"))
    assert leads.path("a:1") == [(1, "cold", "hot", "event_id")]
    leads.take(alarm(3 * HOUR), link(3 * HOUR))
    before = leads.path("a:1")
    assert before[-1][1:] == ("hot", "cold", "merged_into")
    assert leads.merged["a:1"].seq == before[-1][0]
    leads.carry(3 * HOUR + 1)
    assert leads.path("crm-1") == [(1, "cold", "hot", "merged_from")]
    (change,) = [one for one in leads.told.changes if one.lead_id == "crm-1"]
    assert change.total == 35
    assert change.effective_at == change.decided_at > (leads.told.scores["crm-1"].tier_since or "")


def test_a_merge_that_comes_again_brings_no_tier_again() -> None:
    """Not even after the owner has left the tier."""
    leads = Leads()
    leads.take(view(0, "/pricing", lead="a:1"), form(0, lead="a:1"), link(MINUTE))
    (merge,) = leads.sent
    assert isinstance(merge, Merge)
    leads.carry(MINUTE + 1, times=3)
    assert [one[2] for one in leads.path("crm-1")] == ["hot"]
    late = msgspec.structs.replace(merge, received_at_ms=T0 + 10 * DAY)
    leads.fold.take(alarm(9 * DAY), T0 + 9 * DAY)
    number = len(leads.told.changes)
    row = leads.fold.row("crm-1")
    assert row is not None
    row.tier, row.tier_name = 2, "cold"
    leads.take(late)
    assert [one for one in leads.told.changes[number:] if one.lead_id == "crm-1" and one.to_tier == "hot"] == []


def test_what_comes_late_is_forwarded_with_its_own_id_and_time() -> None:
    leads = Leads()
    leads.take(link(0))
    leads.carry(1)
    late = view(MINUTE, "/pricing", lead="a:1", received=2 * MINUTE, event_id="late")
    leads.take(late)
    assert leads.sent == [msgspec.structs.replace(late, lead_id="crm-1")]
    leads.carry(DAY)
    assert leads.told.reasons("crm-1") == [("visit", 10)]
    assert "a:1" not in leads.told.scores


def test_a_chain_of_a_visitor_an_address_and_an_id() -> None:
    """With two cookies; the second one is linked when the address is an alias already."""
    leads = Leads()
    leads.take(view(0, "/pricing", lead="a:1"), link(HOUR, "a:1", "e:1"), form(HOUR, lead="e:1"))
    leads.carry(HOUR + 1)
    leads.take(link(2 * HOUR, "e:1", "crm-1"))
    leads.carry(2 * HOUR + 1)
    leads.take(view(3 * HOUR, "/pricing", lead="a:2"), link(3 * HOUR, "a:2", "e:1"))
    leads.carry(3 * HOUR + 1)
    leads.take(view(4 * HOUR, "/pricing", lead="a:1"))
    leads.carry(4 * HOUR + 1)
    assert dict(leads.told.reasons("crm-1")) == {"visit_and_form": 25, "visit": 30}
    assert leads.told.scores["crm-1"].names == ["a:1", "e:1", "a:2"]
    assert {name: one.merged_into for name, one in leads.merged.items()} == {
        "a:1": "e:1",
        "a:2": "e:1",
        "e:1": "crm-1",
    }


def test_doubled_late_and_disordered_links_change_nothing() -> None:
    leads = Leads()
    leads.take(link(0, hour=5))
    leads.carry(1)
    rows = leads.told.rows[b"a:1"]
    leads.take(*[link(1 + number, hour=number % 6) for number in range(1000)])
    assert (leads.sent, leads.told.rows[b"a:1"]) == ([], rows)
    assert leads.told.changes == []


def test_the_past_stays_with_the_first_and_the_rest_goes_to_the_latest() -> None:
    leads = Leads()
    leads.take(view(0, "/pricing", lead="a:1"), link(HOUR, owner="crm-1"))
    leads.carry(HOUR)
    leads.take(link(2 * HOUR, owner="crm-2"), view(2 * HOUR, "/pricing", lead="a:1"))
    leads.carry(2 * HOUR)
    # In the same hour the greater name has it, whatever comes first.
    leads.take(link(2 * HOUR, owner="crm-0", hour=T0 + 2 * HOUR))
    assert leads.merged["a:1"].merged_into == "crm-2"
    assert leads.told.reasons("crm-1") == leads.told.reasons("crm-2") == [("visit", 10)]


def test_too_many_owners_make_an_alias_nobodys() -> None:
    """Ten thousand people behind one browser: eight merges, then none; it is a lead of its own, with its numbers."""
    leads = Leads()
    leads.take(view(0, "/pricing", lead="a:1"), form(0, lead="a:1"))
    for number in range(10_000):
        leads.take(link(HOUR + number, owner=f"crm-{number}"))
    assert len([row for row in leads.sent if isinstance(row, Merge)]) == MAX_OWNERS
    assert leads.shared == 1
    assert leads.told.scores["a:1"].shared
    leads.sent.clear()
    number = leads.told.scores["a:1"].seq
    leads.take(view(3 * HOUR, "/pricing", lead="a:1"), form(3 * HOUR, lead="a:1"))
    assert leads.sent == []
    assert leads.told.scores["a:1"].seq > number
    ids = [one.id for one in leads.told.changes]
    assert len(ids) == len(set(ids))


def test_names_are_bounded() -> None:
    leads = Leads()
    for number in range(100):
        leads.take(link(number, f"a:{number}" if number % 10 else f"a:{'Ü' * 190}{number}"))
    leads.carry(HOUR)
    names = leads.told.scores["crm-1"].names
    assert names[-1] == "a:99"
    assert len(names) <= MAX_NAMES
    assert sum(len(name.encode()) for name in names) <= IDENTITY_BYTES
    value = leads.told.rows[b"crm-1"]
    assert value is not None
    assert len(value) < 100 + IDENTITY_BYTES


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (link(0, "crm-1", "a:1"), "a link does not go from a weaker name to a stronger one"),
        (link(0, "e:1", "e:2"), "a link does not go from a weaker name to a stronger one"),
        (link(0, "crm-1", "crm-1"), "a link does not go from a weaker name to a stronger one"),
        (Merge("a:1", T0, "crm-1", b"", 1), "a merge does not go from a weaker name to a stronger one"),
        (Merge("e:1", T0, "e:2", b"", 1), "a merge does not go from a weaker name to a stronger one"),
        (Merge("crm-1", T0, "a:1", b"", 1), "the body of a merge is no row"),
        (Merge("crm-1", T0, "a:1", b"\2" + b"\0" * 30, 1), "the body of a merge is no row"),
    ],
)
def test_what_ingest_would_not_have_written_is_passed_over(row: Link | Merge, problem: str) -> None:
    """Circles cannot be: every link goes upwards."""
    fold = new_fold(MODEL)
    told = run(fold, log([form(0, lead="crm-1"), row, form(HOUR, lead="crm-1")]))
    assert len(told.problems) == 1
    assert problem in told.problems[0]
    assert fold.lead_ids() == ["crm-1"]
    assert told.applied == 3
    assert told.reasons("crm-1") == [("form", 30)]


def test_bodies_are_looked_at_before_they_are_believed() -> None:
    leads = Leads()
    leads.take(view(0, "/pricing", lead="a:1"), view(1, "/pricing", lead="a:1"), link(HOUR))
    (merge,) = leads.sent
    assert isinstance(merge, Merge)
    check_body(merge.body)
    body = msgspec.msgpack.decode(merge.body[9:])
    (head, *pairs), (digest, times, keys) = array("Q", body[4]), (64, [T0, T0 + 1], [1, 2])
    assert head % 64 == 1
    some: tuple[list[int], ...] = ([], pairs[:3], pairs[2:] + pairs[:2], [pairs[0], 1, pairs[0], 1])
    bad = [b"x", *(array("Q", [head, *numbers]).tobytes() for numbers in some)]
    bad_lists: list[list[Any]] = [
        *([1], [digest, "x", 1], [digest, [], []], [digest, times, keys[:1]], [digest, times[::-1], keys]),
        *([digest, times, [1, 1]], ["x", times, keys], [digest, times, None], [digest, [True, False], keys]),
        *([digest, [-1, 1], keys], [[1], times, keys], [digest, [1] * 65, list(range(65))], [digest, 1, keys]),
    ]
    for codec, evidence in ((3, body[4]), (2, [digest, times, keys]), (2, [digest, T0, 1])):
        check_body(bytes([codec]) + merge.body[1:9] + msgspec.msgpack.encode([*body[:4], evidence, *body[5:]]))
    for codec, evidence in (*((3, one) for one in bad), *((2, one) for one in bad_lists)):
        other = [*body[:4], evidence, *body[5:]]
        with pytest.raises(BadMerge):
            check_body(bytes([codec]) + merge.body[1:9] + msgspec.msgpack.encode(other))
    with pytest.raises(RowCodecError, match="upgrade"):
        check_body(bytes([ROW_CODEC + 1]) + merge.body[1:])


def test_an_alias_is_known_again_from_its_bytes() -> None:
    leads = Leads()
    leads.take(view(0, "/pricing", lead="a:1"), link(HOUR))
    again = PartitionFold()
    again.restore(list(leads.told.rows.items()))
    again.opened()
    again.start_with(MODEL)
    row = again.row("a:1")
    assert row is not None
    assert row.is_merged
    again.take(view(2 * HOUR, "/pricing", lead="a:1", event_id="x"), T0 + 2 * HOUR)
    (sent,) = again.sent()
    assert isinstance(sent, PageView)
    assert sent.lead_id == "crm-1"


def test_a_link_before_anything_else_of_the_alias() -> None:
    leads = Leads()
    leads.take(link(0), form(1, lead="crm-1"), form(2, lead="a:1"))
    assert [type(row) for row in leads.sent] == [Merge, FormFill]
    leads.carry(MINUTE)
    assert leads.told.scores["crm-1"].names == ["a:1"]
    assert leads.told.reasons("crm-1") == [("form", 30)]
