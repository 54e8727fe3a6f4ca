"""`hot`, `lead` and `report`: what stands in Redis, for people and for programs."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import msgspec
import pytest
from rich.console import Console

from schemas.times import iso
from streams.cli.hot import hot_table
from streams.demo.clock_words import time_left
from streams.view.reader import Lead
from tests.cli.conftest import Leadstream
from tests.redis_server import PREFIX, RedisServer
from tests.view import naive
from tests.view.served import Filled
from tests.view.small_town import a_town

HOUR = 3_600_000


@pytest.fixture(scope="module")
def filled() -> Iterator[Filled]:
    with RedisServer() as server:
        made = Filled(server, a_town(6, 150))
        made.fill()
        yield made


@pytest.fixture(autouse=True)
def _here(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.caught_up()
    monkeypatch.setenv("LEADSTREAM_REDIS_URL", filled.server.url)
    monkeypatch.setenv("LEADSTREAM_REDIS_PREFIX", PREFIX)


def test_hot_tells_who_is_due_next(leadstream: Leadstream, filled: Filled) -> None:
    due = naive.expected_lists(filled.town)["due::"]
    ran = leadstream("hot", "--json")
    told = json.loads(ran.out)
    assert (ran.code, told["stale"], told["count"]) == (0, None, len(due))
    found = [lead["lead_id"] for lead in told["leads"]]
    assert sorted(found) == sorted(due)
    assert [due[lead_id] for lead_id in found] == sorted(due.values())
    table = leadstream("hot")
    assert table.lines[0].split() == ["lead", "tier", "total", "why", "owner", "time", "left"]
    assert [line.split()[0] for line in table.lines[1 : len(due) + 1]] == found
    assert "as of 2026-" in table.lines[-1]


def test_hot_of_one_owner_and_of_those_that_wait(leadstream: Leadstream, filled: Filled) -> None:
    lists = naive.expected_lists(filled.town)
    for owner in ("ann", "-"):
        told = json.loads(leadstream("hot", "--json", "--owner", owner).out)
        assert {lead["lead_id"] for lead in told["leads"]} == lists[f"due::{owner}"].keys()
    assert "waiting" in leadstream("hot", "--owner", "-").out
    assert leadstream("hot", "--owner", "nobody_of_that_name").lines[1].strip() == "nobody"


@pytest.mark.parametrize(
    ("state", "left_ms", "told"),
    [
        ("running", 26 * HOUR, ("26 h", "green")),
        ("running", 50 * HOUR, ("2 d 2 h", "green")),
        ("running", 4 * HOUR - 1, ("3 h 59 min", "yellow")),
        ("running", HOUR - 1000, ("59 min 59 s", "red")),
        ("running", 0, ("0 s over", "bold red")),
        ("breached", -90 * 60_000, ("1 h 30 min over", "bold red")),
        ("answered", HOUR, ("", "")),
    ],
)
def test_time_left_is_coloured_by_urgency(state: str, left_ms: int, told: tuple[str, str]) -> None:
    now = 100 * HOUR
    assert time_left({"state": state, "due_at": iso(now + left_ms)}, now) == told


def test_in_a_small_terminal_the_reasons_give_way_and_nothing_else() -> None:
    reasons = [{"rule": rule, "points": 25} for rule in ("pricing_and_form", "decision_maker", "comparison_or_rfp")]
    score = msgspec.Raw(msgspec.json.encode({"tier": "hot", "total": 100, "reasons": reasons}))
    sla = {"state": "running", "due_at": iso(50 * HOUR)}
    has = msgspec.Raw(msgspec.json.encode({"owner": "executive_1", "tier": "hot", "sla": sla}))
    console = Console(width=70, file=io.StringIO())
    with console.capture() as captured:
        console.print(hot_table([Lead("example-hot", None, score, has)], 0))
    header, row = captured.get().splitlines()
    assert header.split() == ["lead", "tier", "total", "why", "owner", "time", "left"]
    words = row.split()
    assert (words[0], words[-5:]) == ("example-hot", ["executive_1", "2", "d", "2", "h"])
    assert words[3:6] == ["pricing", "and", "form"]


def test_hot_is_live_in_a_terminal(filled: Filled) -> None:
    main, child = pty.openpty()
    # As in a terminal: a shell starts what runs in its background deaf to Ctrl-C, and children inherit that.
    run = ("env", "--default-signal=INT", sys.executable, "-m", "streams.cli", "hot")
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120", "LINES": "20"}
    process = subprocess.Popen(run, stdin=child, stdout=child, stderr=child, env=environment)
    os.close(child)
    seen = b""
    try:
        end = time.monotonic() + 20
        while seen.count(b"as of") < 2 and time.monotonic() < end:
            if select.select([main], [], [], 0.2)[0]:
                seen += os.read(main, 65_536)
        process.send_signal(signal.SIGINT)
        # A terminal goes on reading: who writes to one that is full waits for it. It is gone with its last writer.
        with suppress(OSError):
            while process.poll() is None and time.monotonic() < end:
                if select.select([main], [], [], 0.2)[0]:
                    os.read(main, 65_536)
        assert process.wait(10) == 130
    finally:
        process.kill()
        os.close(main)
    assert seen.count(b"as of") >= 2, seen
    assert b"Traceback" not in seen


def test_a_lead_is_shown_with_reasons_owner_and_clock(leadstream: Leadstream, filled: Filled) -> None:
    (lead_id,) = list(naive.expected_lists(filled.town)["due::-"])[:1]
    ran = leadstream("lead", lead_id)
    assert ran.code == 0
    assert "nobody yet" in ran.out
    assert "passed over: ann, full" in ran.out
    assert "running, due 2027-" in ran.out
    told = json.loads(leadstream("lead", lead_id, "--json").out)
    assert told["lead"]["assignment"] == filled.town.assignments[lead_id][-1]


def test_an_alias_leads_to_its_lead(leadstream: Leadstream, filled: Filled) -> None:
    (alias, into) = next(
        (lead_id, versions[-1]["merged_into"])
        for lead_id, versions in filled.town.scores.items()
        if "merged_into" in versions[-1]
    )
    ran = leadstream("lead", alias)
    assert ran.lines[0].strip() == f"{alias} is {into} now"
    assert into in ran.lines[1]
    assert json.loads(leadstream("lead", alias, "--json").out)["lead"]["merged_into"] == into


def test_the_report_is_a_table_and_json(leadstream: Leadstream, filled: Filled) -> None:
    told = json.loads(leadstream("report", "--json").out)["report"]
    assert told == json.loads(filled.server.admin.get(f"{PREFIX}report"))
    ran = leadstream("report")
    assert ran.code == 0
    assert len(ran.lines) == 3 + len(told["tiers"]) + len(told["groups"])


def test_mistakes_and_a_redis_that_is_away_empty_or_stale(
    leadstream: Leadstream, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = leadstream("lead", "of-nobody")
    assert (unknown.code, unknown.err.partition(" (")[0]) == (1, "nobody heard of lead 'of-nobody' yet")
    filled.caught_up(filled.now_ms() - 60_000)
    assert "stale since" in leadstream("hot").lines[-1]
    monkeypatch.setenv("LEADSTREAM_REDIS_PREFIX", f"{PREFIX}other:")
    empty = leadstream("report")
    assert empty.code == 4
    assert "Start one: `leadstream worker view`" in empty.err
    monkeypatch.setenv("LEADSTREAM_REDIS_PREFIX", "not-ours:")
    refused = leadstream("hot")
    assert refused.code == 3
    assert "refuses the user" in refused.err
    assert "only-for-tests" not in refused.err
    monkeypatch.setenv("LEADSTREAM_REDIS_URL", "redis://127.0.0.1:1/0")
    away = leadstream("hot", "--json")
    assert (away.code, away.out) == (3, "")
    assert "Redis at 127.0.0.1:1/0 cannot be reached" in away.err
    for name, value in (("LEADSTREAM_REDIS_URL", "http://x"), ("LEADSTREAM_REDIS_PREFIX", "*")):
        monkeypatch.setenv(name, value)
        assert leadstream("hot").code == 2
