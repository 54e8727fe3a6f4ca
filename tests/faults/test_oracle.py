"""The oracle is tested first: it is content with a good ledger, and every seeded bug turns it red."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from schemas.log import EventRow, encode_record
from schemas.times import iso, parse_iso
from streams.engine.checkpoint import CHECKPOINT_KEY
from tests.faults.ledger import Ledger
from tests.faults.oracle import violations
from tests.faults.small_world import PARTITIONS, worked_off
from tests.pipeline import Kept

Bug = Callable[[Ledger], None]


def judged(ledger: Ledger) -> list[str]:
    return violations(ledger, prefix="", partitions=PARTITIONS, doubles=False)


def change_at(ledger: Ledger, place: int, **members: object) -> None:
    record = ledger.changes[place]
    change = msgspec.json.decode(record.value or b"") | members
    ledger.changes[place] = record._replace(value=msgspec.json.encode(change))


def by_deadline(ledger: Ledger) -> int:
    """Place of a tier change that time alone made."""
    changes = [msgspec.json.decode(record.value or b"") for record in ledger.changes]
    return next(place for place, change in enumerate(changes) if "deadline" in change["cause"])


def log_place(ledger: Ledger, number: int) -> int:
    """Place of the so manieth event of the log."""
    return [place for place, record in enumerate(ledger.log) if isinstance(record.rows[0], EventRow)][number]


def drop_an_event(ledger: Ledger) -> None:
    del ledger.log[log_place(ledger, 20)]


def apply_an_event_twice(ledger: Ledger) -> None:
    ledger.log.append(ledger.log[log_place(ledger, 20)])
    ledger.log.sort(key=lambda record: record[:2])


def carry_out_of_order(ledger: Ledger) -> None:
    one = log_place(ledger, 3)
    first = ledger.log[one]
    two = next(
        place
        for place in range(one + 1, len(ledger.log))
        if ledger.log[place].partition == first.partition and type(ledger.log[place].rows[0]) is type(first.rows[0])
    )
    second = ledger.log[two]
    ledger.log[one] = second._replace(offset=first.offset)
    ledger.log[two] = first._replace(offset=second.offset)


def say_safe_too_early(ledger: Ledger) -> None:
    place = log_place(ledger, 5)
    record = ledger.log[place]
    safe_ms = record.safe_ms + 30 * 86_400_000
    ledger.log[place] = record._replace(safe_ms=safe_ms, value=encode_record(safe_ms, record.rows))


def forget_a_dead_letter(ledger: Ledger) -> None:
    ledger.raw["page-views"].append(Kept(0, len(ledger.raw["page-views"]), None, b"{", 0, []))


def stale_row_over_a_newer_one(ledger: Ledger) -> None:
    seen: dict[bytes, Kept] = {}
    for record in ledger.changelog:
        if record.key and not record.key.startswith(b"\0") and record.key in seen:
            return ledger.changelog.append(seen[record.key]._replace(offset=len(ledger.changelog)))
        seen[record.key or b""] = record
    raise AssertionError("no lead was written twice")


def stale_score_over_a_newer_one(ledger: Ledger) -> None:
    leads = [msgspec.json.decode(record.value or b"")["lead_id"] for record in ledger.scores]
    lead = next(lead for lead in leads if leads.count(lead) > 2)
    ledger.scores.append(ledger.scores[leads.index(lead)])


def lose_the_checkpoint(ledger: Ledger) -> None:
    ledger.changelog = [record for record in ledger.changelog if record.key != CHECKPOINT_KEY]


def wrong_tier(ledger: Ledger) -> None:
    change_at(ledger, 3, to_tier="lukewarm")


def wrong_points(ledger: Ledger) -> None:
    change_at(ledger, 4, total=99)


def early_timer(ledger: Ledger) -> None:
    place = by_deadline(ledger)
    effective = msgspec.json.decode(ledger.changes[place].value or b"")["effective_at"]
    change_at(ledger, place, effective_at=iso(parse_iso(effective) - 1))


def timer_twice(ledger: Ledger) -> None:
    place = by_deadline(ledger)
    change = msgspec.json.decode(ledger.changes[place].value or b"")
    again = change | {"seq": change["seq"] + 1, "id": f"{change['lead_id']}:{change['seq'] + 1}"}
    ledger.changes.insert(place + 1, ledger.changes[place]._replace(value=msgspec.json.encode(again)))


def missing_timer(ledger: Ledger) -> None:
    del ledger.changes[by_deadline(ledger)]


def id_with_two_bodies(ledger: Ledger) -> None:
    ledger.changes.append(ledger.changes[0])
    change_at(ledger, -1, decided_at=iso(0))


def gap_in_seq(ledger: Ledger) -> None:
    change_at(ledger, 0, seq=2)


BUGS: dict[Bug, str] = {
    drop_an_event: "is not in the log",
    apply_an_event_twice: "is in the log 2 times",
    carry_out_of_order: "order: ",
    say_safe_too_early: "safe: ",
    forget_a_dead_letter: "conservation: ",
    stale_row_over_a_newer_one: "row of ",
    stale_score_over_a_newer_one: "score of ",
    lose_the_checkpoint: "checkpoint of ",
    wrong_tier: "tier change ",
    wrong_points: "tier change ",
    early_timer: "tier change ",
    timer_twice: "tier change ",
    missing_timer: "is missing",
    id_with_two_bodies: "has two bodies",
    gap_in_seq: "seq: ",
}


@pytest.mark.parametrize("seed", range(3))
def test_a_good_ledger_is_good(seed: int) -> None:
    assert judged(worked_off(seed)) == []


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_seeded_bug_turns_the_oracle_red(bug: Bug) -> None:
    ledger = worked_off()
    bug(ledger)
    found = judged(ledger)
    assert any(BUGS[bug] in one for one in found), found
