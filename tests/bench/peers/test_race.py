"""The race does not rot: its input, its reference, the jobs in Python, and what is said of the results."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.naming import partition_of as our_partition
from tests.bench.peers.events import PARTITIONS, Raw, Town, partition_of, turning
from tests.bench.peers.install import java_jars
from tests.bench.peers.jobs.fold import State, fold, fresh, signal_of
from tests.bench.peers.ledger import merged
from tests.bench.peers.meeting import Sizes
from tests.bench.peers.peer import Missing
from tests.bench.peers.picture import picture
from tests.bench.peers.reference import Change, Reference
from tests.bench.peers.registry import PEERS
from tests.bench.peers.report import ratio, table
from tests.bench.peers.story import Progress, Story, read_change

HERE = Path(__file__).resolve().parent
END_MS = 1_764_000_000_000
TOWN = Town(300, 12_000, END_MS)


def story(town: Town = TOWN) -> tuple[Story, list[Raw]]:
    told = Story()
    return told, list(told.take(town.past()))


def changes(told: Story) -> list[Change]:
    return [change for partition in told.changes for _, change in partition]


def test_the_same_seed_makes_the_same_input() -> None:
    assert list(TOWN.past()) == list(TOWN.past())
    assert list(TOWN.past()) != list(TOWN._replace(seed=2).past())


def test_input_is_in_order_and_each_lead_has_one_partition() -> None:
    _, raws = story()
    times = [json.loads(raw.value)["occurred_at"] for raw in raws]
    assert times == sorted(set(times))
    assert all(raw.partition == partition_of(raw.lead) == our_partition(raw.lead, PARTITIONS) for raw in raws[:500])


def test_tiers_move_both_ways() -> None:
    moves = {(change.before, change.after) for change in changes(story()[0])}
    assert {("cold", "warm"), ("warm", "hot"), ("hot", "warm"), ("warm", "cold")} <= moves


def test_the_fold_in_python_tells_what_the_reference_tells() -> None:
    told, raws = story()
    states: dict[str, State] = {}
    found = []
    for raw in raws:
        event = json.loads(raw.value)
        signal = signal_of(event)
        if signal is not None and (out := fold(states.setdefault(raw.lead, fresh()), event, signal)) is not None:
            found.append(read_change(json.dumps(out).encode()))
    assert sorted(found) == sorted(changes(told))


def test_leadstream_tells_what_the_reference_tells(tmp_path: Path) -> None:
    told, raws = story()
    lines = tmp_path / "events.jsonl"
    lines.write_bytes(b"\n".join(raw.value for raw in raws))
    command = [sys.executable, "-m", "streams.cli", "score", "--model", str(HERE / "jobs" / "model.yaml"), str(lines)]
    done = subprocess.run(command, capture_output=True, check=True, cwd=HERE.parents[2])
    found = [read_change(line) for line in done.stdout.splitlines()]
    assert sorted(found) == sorted(changes(told))


def test_an_engine_is_as_far_as_its_tier_changes_say() -> None:
    told, raws = story()
    progress = Progress(told)
    assert progress.done == 0
    place, first = told.changes[0][0]
    progress.take(first)
    assert progress.done == place
    for change in changes(told):
        if change != first:
            progress.take(change)
    assert progress.done == len(raws)
    assert str(progress.compared()) == f"all {len(changes(told)):,} as expected"


def test_every_kind_of_difference_is_told() -> None:
    told, raws = story()
    expected = [change for _, change in told.changes[0]]
    quiet = next(raw for raw in raws if raw.partition == 0)
    progress = Progress(told)
    wrong = expected[1]._replace(total=99)
    for change in (*expected[2:], wrong, expected[2], expected[3]._replace(event=quiet.event)):
        progress.take(change)
    assert not progress.compared([0, 1, 1, 1]).missing
    compared = progress.compared()
    assert (compared.missing, compared.different, compared.extra, compared.doubled) == (1, 1, 1, 1)


def test_probes_turn_warm_only_if_they_are_remembered() -> None:
    reference = Reference()
    told = [reference.take(raw.value) for raw in turning("probe", 0, END_MS, part=slice(2))]
    assert told == [None] * 2 * PARTITIONS
    last = list(turning("probe", 8, END_MS + 60_000, part=slice(2, 3)))
    assert {raw.partition for raw in last} == set(range(PARTITIONS))
    assert [change.after for raw in last if (change := reference.take(raw.value))] == ["warm"] * PARTITIONS
    assert not any(Reference().take(raw.value) for raw in last)


def test_a_filled_town_stays_cold_until_its_end() -> None:
    told = Story()
    raws = list(told.take(Town(50, 0, END_MS).filling()))
    assert [raw.number for raw in raws] == list(range(len(raws)))
    assert [change.lead.partition("-")[0] for change in changes(told)] == ["filled"] * PARTITIONS


def results() -> dict[str, Any]:
    compared = {"expected": 10, "missing": 0, "different": 0, "extra": 0, "doubled": 0}
    runs = {
        "leadstream": [{"round": n, "cpu_us": 10.0 + n, "compared": compared} for n in (1, 2, 3)],
        "faust": [{"round": n, "cpu_us": 100.0 + 10 * n, "compared": compared | {"missing": 1}} for n in (1, 2, 3)],
    }
    part = {"machine": "this one", "sizes": Sizes.scaled(1)._asdict(), "runs": runs}
    versions = {"leadstream": "leadstream 1", "faust": "faust-streaming 2"}
    return {"versions": versions, "absent": {"bytewax": "no wheel"}, "failures": [], "trials": {"backlog": part}}


def test_ratios_are_of_the_same_rounds() -> None:
    found = ratio({1: 10.0, 2: 20.0, 3: 10.0}, {2: 40.0, 3: 30.0, 9: 1000.0})
    assert found is not None
    assert (found.middle, found.low, found.high) == (2.5, 2.0, 3.0)
    assert ratio({1: 10.0}, {2: 10.0}) is None


def test_the_table_has_costs_differences_and_who_is_absent() -> None:
    text = table(results())
    assert re.search(r"\| leadstream 1 .*\| 12\.0 \| 83,333 \| – \|", text)
    assert re.search(r"\| stock Faust, in memory 2 .*\| 120\.0 \| 8,333 \| 10\.00 \(.*3 missing of 30 \|", text)
    assert "| Bytewax | not installed here: no wheel |" in text


def test_the_picture_has_a_bar_for_each_engine() -> None:
    text = picture(results())
    assert text.count('height="18"') == 2
    assert text.index("leadstream") < text.index("stock Faust")


def test_a_later_race_replaces_only_the_trials_it_had() -> None:
    later = {"versions": {"bytewax": "bytewax 3"}, "absent": {}, "failures": [], "trials": {"latency": {}}}
    both = merged(results(), later)
    assert set(both["trials"]) == {"backlog", "latency"}
    assert both["absent"] == {}


def test_engines_are_pinned() -> None:
    for lock in (HERE / "requirements").glob("*.in"):
        first = lock.read_text().split()[0]
        assert re.search(r"==\d", first), f"{lock.name}: {first}"
        assert "--hash=sha256:" in lock.with_suffix(".lock").read_text()
    for pom in (HERE / "jobs" / "java").glob("*-pom.xml"):
        assert not re.search(r"<version>[^<]*(SNAPSHOT|LATEST|RELEASE|,)", pom.read_text())
    assert len({peer.name for peer in PEERS}) == len(PEERS)


def test_what_is_missing_is_said_with_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tests.bench.peers.install.CACHE", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match="apt-get install"):
        java_jars("flink")
