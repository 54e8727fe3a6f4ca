"""The oracle is tested first: it is content with a good ledger, and every seeded bug turns it red."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from schemas.dead_letters import dead_letter_headers
from schemas.log import Alarm, EventRow, Link, ModelControl, encode_record
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


def carry_to_another_partition(ledger: Ledger) -> None:
    record = ledger.log[log_place(ledger, 5)]
    ledger.log[log_place(ledger, 5)] = record._replace(partition=1 - record.partition)


def drop_an_alarm(ledger: Ledger) -> None:
    place = next(place for place, record in enumerate(ledger.log) if isinstance(record.rows[0], Alarm))
    del ledger.log[place]


def drop_a_model(ledger: Ledger) -> None:
    """One partition never hears of it."""
    place = max(place for place, record in enumerate(ledger.log) if isinstance(record.rows[0], ModelControl))
    del ledger.log[place]


def say_a_link_that_nobody_said(ledger: Ledger) -> None:
    link = Link("a:browser", 0, "lead-1", 0)
    ledger.log.append(ledger.log[-1]._replace(offset=ledger.log[-1].offset + 1, rows=[link]))


def change_a_dead_letter(ledger: Ledger) -> None:
    ledger.letters[0] = ledger.letters[0]._replace(value=b"{}")


def lose_a_header_of_a_dead_letter(ledger: Ledger) -> None:
    ledger.letters[0] = ledger.letters[0]._replace(headers=ledger.letters[0].headers[1:])


def write_a_dead_letter_twice(ledger: Ledger) -> None:
    ledger.letters.append(ledger.letters[0])


def refuse_a_good_record(ledger: Ledger) -> None:
    good = ledger.raw["form-fills"][0]
    headers = dead_letter_headers("form-fills", good.partition, good.offset, good.timestamp_ms, "bad_json", "", [])
    ledger.letters.append(good._replace(headers=headers))


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


def forget_a_score(ledger: Ledger) -> None:
    lead = msgspec.json.decode(ledger.changes[0].value or b"")["lead_id"]
    ledger.scores = [one for one in ledger.scores if f'"lead_id":"{lead}"'.encode() not in (one.value or b"")]


def forget_a_row(ledger: Ledger) -> None:
    key = next(record.key for record in ledger.changelog if record.key and not record.key.startswith(b"\0"))
    ledger.changelog = [record for record in ledger.changelog if record.key != key]


def row_of_nobody(ledger: Ledger) -> None:
    ledger.changelog.append(next(r for r in ledger.changelog if r.key != CHECKPOINT_KEY)._replace(key=b"nobody"))


def checkpoint_of_a_zombie(ledger: Ledger) -> None:
    """Between two of its heir, so that the last one is right."""
    places = [n for n, one in enumerate(ledger.changelog) if (one.partition, one.key) == (0, CHECKPOINT_KEY)]
    ledger.changelog.insert(places[2], ledger.changelog[places[0]])


def change_of_nobody(ledger: Ledger) -> None:
    change = msgspec.json.decode(ledger.changes[0].value or b"") | {"lead_id": "nobody", "id": "nobody:1", "seq": 1}
    ledger.changes.append(ledger.changes[0]._replace(value=msgspec.json.encode(change)))


def change_in_another_partition(ledger: Ledger) -> None:
    ledger.changes[0] = ledger.changes[0]._replace(partition=1 - ledger.changes[0].partition)


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
    drop_an_event: "is not in partition",
    carry_to_another_partition: "is not in partition",
    drop_an_alarm: "is not in partition",
    drop_a_model: "is not in partition",
    say_a_link_that_nobody_said: "link: nobody said",
    change_a_dead_letter: "is not the record that it was",
    lose_a_header_of_a_dead_letter: "is not the record that it was",
    write_a_dead_letter_twice: "is a dead letter 2 times",
    refuse_a_good_record: "a record that can be used",
    apply_an_event_twice: "is in the log 2 times",
    carry_out_of_order: "order: ",
    say_safe_too_early: "safe: ",
    forget_a_dead_letter: "is no dead letter",
    stale_row_over_a_newer_one: "row of ",
    stale_score_over_a_newer_one: "score of ",
    forget_a_score: "score of ",
    forget_a_row: "row of ",
    row_of_nobody: "row of b'nobody'",
    checkpoint_of_a_zombie: "goes back",
    change_of_nobody: "tier change nobody:1 should not be",
    change_in_another_partition: "tier change of ",
    lose_the_checkpoint: "is not at the end of the log",
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


def test_what_was_carried_twice_by_a_killed_worker_is_no_fault() -> None:
    ledger = worked_off()
    twice = ledger.letters[0]
    ledger.letters.append(twice)
    assert violations(ledger, prefix="", partitions=PARTITIONS, doubles=True) == []


def test_one_row_out_of_two_partitions_is_in_no_order() -> None:
    ledger = worked_off()
    carry_out_of_order(ledger)
    row = ledger.log[log_place(ledger, 3)].rows[0]
    assert isinstance(row, EventRow)
    assert any("order: " in one for one in judged(ledger))
    for records in ledger.raw.values():
        records += [one._replace(partition=1) for one in records if f'"{row.event_id}"'.encode() in (one.value or b"")]
    assert not any("order: " in one for one in judged(ledger))
