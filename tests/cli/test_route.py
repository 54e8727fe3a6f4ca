"""`leadstream route` over files of tier changes and sales activities."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from schemas.routing_lines import routing_lines
from schemas.routing_log import LogTime, PolicyControl, RoutedActivity, RoutedTier, encode_routing
from schemas.times import parse_iso
from scoring.routing.reading import read_policy
from tests.cli.conftest import Leadstream
from tests.cli.test_frame import COMMAND
from tests.scoring.routing.builders import policy_text

DESK = policy_text(
    owners={"ann": {}, "bob": {}},
    teams={"desk": {"members": ["ann", "bob"]}},
    sla={"hot": {"respond_within": "24h", "remind_at": ["20h"]}},
    answered_by=["contacted"],
    requests="hot",
)

Line = dict[str, Any]


def tier_change(lead: str, at: str, tier: str = "hot", seq: int = 1) -> Line:
    return {"type": "tier_change", "lead_id": lead, "seq": seq, "to_tier": tier, "effective_at": at, "profile": {}}


def activity(lead: str, at: str, what: str = "contacted", **more: Any) -> Line:
    event = {"event_id": f"{lead}-{at}", "kind": "sales_activity", "occurred_at": at, "lead": {"lead_id": lead}}
    return event | {"activity": what} | more


@pytest.fixture
def policy(tmp_path: Path) -> str:
    file = tmp_path / "policy.yaml"
    file.write_text(DESK)
    return str(file)


def put(path: Path, lines: Iterable[Line | bytes]) -> str:
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(raw) + b"\n")
    return str(path)


def told(lines: list[str]) -> list[tuple[str, ...]]:
    """Who has which lead, and what clocks did when."""
    found = list[tuple[str, ...]]()
    for one in map(json.loads, lines):
        if one["type"] == "assignment":
            found.append((one["lead_id"], one["owner"], one["sla"]["state"]))
        else:
            found.append((one["id"], one["effective_at"][5:16]))
    return found


STORY = [
    tier_change("L1", "2026-03-02T10:00:00Z"),
    tier_change("L2", "2026-03-02T11:00:00Z"),
    activity("L1", "2026-03-02T12:00:00Z"),
    activity("L2", "2026-03-03T13:00:00Z"),
]
EXPECTED = [
    ("L1:1:started", "03-02T10:00"),
    ("L1", "ann", "running"),
    ("L2:1:started", "03-02T11:00"),
    ("L2", "bob", "running"),
    ("L1:1:answered", "03-02T12:00"),
    ("L1", "ann", "answered"),
    ("L2:1:reminded:1", "03-03T07:00"),
    ("L2:1:breached", "03-03T11:00"),
    ("L2", "bob", "breached"),
    ("L2:1:answered", "03-03T13:00"),
    ("L2", "bob", "answered"),
]


def test_lines_are_told_as_they_come(leadstream: Leadstream, tmp_path: Path, policy: str) -> None:
    ran = leadstream("route", "--policy", policy, put(tmp_path / "lines", STORY))

    assert (ran.code, ran.err) == (0, "")
    assert told(ran.lines) == EXPECTED
    assignment, event = json.loads(ran.lines[1]), json.loads(ran.lines[-2])
    assert list(assignment) == [
        "type", "lead_id", "seq", "owner", "team", "tier", "since", "reason", "sla", "tier_change", "policy"
    ]  # fmt: skip
    assert assignment["policy"] == {"name": "test", "version": 1}
    assert event["late_ms"] == 2 * 3_600_000


def test_files_are_merged_by_the_lines_own_times(leadstream: Leadstream, tmp_path: Path, policy: str) -> None:
    changes, events = put(tmp_path / "changes", STORY[:2]), put(tmp_path / "events", STORY[2:])
    packed = tmp_path / "events.gz"
    packed.write_bytes(gzip.compress(Path(events).read_bytes()))

    for files in ((changes, events), (events, changes), (str(packed), changes)):
        assert told(leadstream("route", "--policy", policy, *files).lines) == EXPECTED


def test_in_a_tie_tier_changes_come_first_then_the_order_of_the_arguments(
    leadstream: Leadstream, tmp_path: Path, policy: str
) -> None:
    at = "2026-03-02T10:00:00Z"
    answer = put(tmp_path / "answer", [activity("L1", at)])
    second = put(tmp_path / "second", [tier_change("L2", at)])
    first = put(tmp_path / "first", [tier_change("L1", at)])

    started = told(leadstream("route", "--policy", policy, answer, second, first).lines)

    assert [one[0] for one in started if one[0].endswith(("started", "answered"))] == [
        "L2:1:started",
        "L1:1:started",
        "L1:1:answered",
    ]


def test_lines_of_one_file_keep_their_order(leadstream: Leadstream, tmp_path: Path, policy: str) -> None:
    """Log time never goes back: what is older is applied where it stands."""
    lines = [tier_change("L1", "2026-03-02T12:00:00Z"), tier_change("L2", "2026-03-02T10:00:00Z")]

    ran = leadstream("route", "--policy", policy, put(tmp_path / "lines", lines))

    assignments = [one for one in map(json.loads, ran.lines) if one["type"] == "assignment"]
    assert [(one["lead_id"], one["since"]) for one in assignments] == [
        ("L1", "2026-03-02T12:00:00.000Z"),
        ("L2", "2026-03-02T12:00:00.000Z"),
    ]
    assert assignments[1]["sla"]["started_at"] == "2026-03-02T10:00:00.000Z"


def test_until_moves_time_on_at_the_end_and_never_back(leadstream: Leadstream, tmp_path: Path, policy: str) -> None:
    lines = put(tmp_path / "lines", STORY[:2])
    plain = leadstream("route", "--policy", policy, lines).lines
    late = leadstream("route", "--policy", policy, "--until", "2026-03-03T10:00:00Z", lines).lines

    assert leadstream("route", "--policy", policy, "--until", "2026-03-01T00:00:00Z", lines).lines == plain
    assert told(late[len(plain) :]) == [
        ("L1:1:reminded:1", "03-03T06:00"),
        ("L2:1:reminded:1", "03-03T07:00"),
        ("L1:1:breached", "03-03T10:00"),
        ("L1", "ann", "breached"),
    ]


def test_requests_and_hands_may_stand_among_the_lines(leadstream: Leadstream, tmp_path: Path, policy: str) -> None:
    at = "2026-03-02T10:00:00Z"
    lines = [
        {"type": "request", "lead_id": "L1", "event_id": "r1", "occurred_at": at, "received_at": at},
        {"type": "assign", "lead_id": "L1", "event_id": "h1", "received_at": at, "owner": "bob", "by": "eve"},
        {"type": "release", "lead_id": "L1", "event_id": "h2", "received_at": at},
    ]

    ran = leadstream("route", "--policy", policy, put(tmp_path / "lines", lines))

    assert [one[1:] for one in told(ran.lines) if one[0] == "L1"] == [
        ("ann", "running"),
        ("bob", "running"),
        (None, "cancelled"),
    ]


def test_other_events_and_scores_are_skipped(leadstream: Leadstream, tmp_path: Path, policy: str) -> None:
    month = "examples/one-month.jsonl"
    scored = tmp_path / "scored"
    scored.write_text(leadstream("score", "--model", "b2b-default", "--scores", month).out)

    ran = leadstream("route", "--policy", "b2b-default", str(scored), month)

    assert (ran.code, ran.err) == (0, "")
    assert ("ana:2:breached", "03-04T07:45") in told(ran.lines)


def test_score_says_all_that_route_reads_each_under_its_leads_name(
    leadstream: Leadstream, tmp_path: Path, policy: str
) -> None:
    """A visitor asks for a demo and is answered under its address; the address is what the visitor turned out to be."""
    head: Line = {"source": "web", "occurred_at": "2026-03-02T10:00:00Z"}
    demo = head | {"event_id": "1", "kind": "form_fill", "form_id": "d", "form_type": "demo"}
    named = head | {"event_id": "2", "kind": "form_fill", "form_id": "n", "occurred_at": "2026-03-02T11:00:00Z"}
    both = {"email": "ann@example.com", "anonymous_id": "b"}
    called = head | {"event_id": "3", "kind": "sales_activity", "activity": "contacted"}
    called |= {"occurred_at": "2026-03-02T12:00:00Z", "lead": {"anonymous_id": "b"}}
    events = put(tmp_path / "events", [demo | {"lead": {"anonymous_id": "b"}}, named | {"lead": both}, called])

    scored = leadstream("score", "--routing", "--model", "b2b-default", events)
    rows = tmp_path / "rows"
    rows.write_text(scored.out)
    ran = leadstream("route", "--policy", policy, str(rows))

    assert [json.loads(line)["type"] for line in scored.lines] == ["request", "merged", "sales_activity"]
    owner = json.loads(scored.lines[1])["into"]
    assert told(ran.lines) == [
        ("a:b:1:started", "03-02T10:00"),
        ("a:b", "ann", "running"),
        ("a:b", None, "cancelled"),
        (owner, "ann", "running"),
        (f"{owner}:1:answered", "03-02T12:00"),
        (owner, "ann", "answered"),
    ]


def test_rows_of_lead_events_are_not_copied_once_more(leadstream: Leadstream, tmp_path: Path) -> None:
    at = "2026-03-02T10:00:00.000Z"
    row = {"partition": 0, "offset": 0, "index": 0, "safe": at, "type": "alarm", "received_at": at}

    ran = leadstream("score", "--routing", "--model", "b2b-default", put(tmp_path / "log", [row]))

    assert (ran.code, "stands in lead-routing already; read that" in ran.err) == (2, True)


def test_refused_lines_are_told_and_the_rest_is_routed(leadstream: Leadstream, tmp_path: Path, policy: str) -> None:
    wrong: list[Line | bytes] = [
        b"nothing",
        {"type": "tier_change", "lead_id": "L9"},
        {"type": "nonsense", "lead_id": "L9"},
        activity("L9", "2026-03-02T10:00:00"),
        activity("L9", "2026-03-02T10:00:00Z", "called"),
        {"kind": "call", "event_id": "1"},
        activity("L9", "2026-03-02T10:00:00Z", received_at="2028-03-02T10:00:00Z"),
    ]
    lines = put(tmp_path / "lines", [*wrong, b"", *STORY])

    ran = leadstream("route", "--policy", policy, lines)

    assert ran.code == 1
    assert told(ran.lines) == EXPECTED
    refused = [json.loads(line) for line in ran.err.splitlines()]
    assert all(list(one) == ["file", "line", "reason", "message"] and one["file"] == lines for one in refused)
    assert [(one["line"], one["reason"]) for one in refused] == [
        (1, "bad_json"),
        (2, "missing_field"),
        (3, "unknown_kind"),
        (4, "time_without_zone"),
        (5, "unknown_value"),
        (6, "unknown_kind"),
        (7, "time_too_old"),
    ]


def of_the_stream(policy_of_the_log: str) -> list[bytes]:
    """The story as `read lead-routing` prints it: log time is told by two partitions, and comes late."""
    first = parse_iso("2026-03-02T10:00:00Z")
    policy = read_policy(policy_of_the_log, "p")
    records = [
        [RoutedTier("L1", 1, "hot", first)],
        [PolicyControl(first, policy.name, policy.version, policy.sha256, policy.text)],
        [LogTime(0, 2, first), RoutedTier("L2", 1, "hot", first + 30 * 3_600_000)],
        [LogTime(1, 2, first), LogTime(0, 2, first + 40 * 3_600_000)],
        [RoutedActivity("L1", "e1", first + 3_600_000, first + 3_600_000, "contacted")],
        [LogTime(1, 2, first + 30 * 3_600_000)],
    ]  # fmt: skip
    return [line for offset, rows in enumerate(records) for line in routing_lines(0, offset, encode_routing(rows))]  # type: ignore[arg-type]


def test_log_time_of_lead_routing_is_what_its_rows_say(leadstream: Leadstream, tmp_path: Path, policy: str) -> None:
    lines = put(tmp_path / "lines", of_the_stream(DESK))

    for options in ((), ("--policy", policy)):
        ran = leadstream("route", *options, lines)
        assert told(ran.lines) == [
            ("L1:1:started", "03-02T10:00"),
            ("L1", "ann", "running"),
            ("L2:1:started", "03-03T16:00"),
            ("L2", "bob", "running"),
            ("L1:1:answered", "03-02T11:00"),
            ("L1", "ann", "answered"),
        ]


def test_the_callers_policy_stands_for_those_of_the_log(leadstream: Leadstream, tmp_path: Path, policy: str) -> None:
    other = DESK.replace('"version": 1', '"version": 2').replace('["ann", "bob"]', '["bob"]')
    lines = put(tmp_path / "lines", of_the_stream(other))

    in_the_log = leadstream("route", lines)
    with_own = leadstream("route", "--policy", policy, lines)

    owners = [[one[1] for one in told(ran.lines) if len(one) == 3] for ran in (in_the_log, with_own)]
    assert owners == [["bob", "bob", "bob"], ["ann", "bob", "ann"]]


@pytest.mark.parametrize(
    ("arguments", "told_"),
    [
        (["LINES"], "no policy among the lines; give one with --policy FILE, or the name of a shipped one\n"),
        (["--policy", "b2b-defalt", "LINES"], "did you mean b2b-default?\n"),
        (["--policy", "-", "-"], "standard input cannot be both the policy and a file; give one of them a name\n"),
        (["--policy", "b2b-default", "nowhere"], "File 'nowhere' does not exist.\n"),
        (["--policy", "b2b-default"], "Missing argument 'FILE…'.\n"),
    ],
)
def test_wrong_usage_is_told_with_2(leadstream: Leadstream, tmp_path: Path, arguments: list[str], told_: str) -> None:
    lines = put(tmp_path / "lines", STORY)

    ran = leadstream("route", *(lines if argument == "LINES" else argument for argument in arguments))

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith(told_)


def test_what_a_pipe_brings_is_told_as_soon_as_it_pauses(policy: str) -> None:
    process = subprocess.Popen(
        [*COMMAND, "route", "--policy", policy, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        for line, first in ((STORY[0], "L1:1:started"), (STORY[1], "L2:1:started")):
            process.stdin.write(json.dumps(line).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == first
            assert json.loads(process.stdout.readline())["type"] == "assignment"
        process.stdin.close()
    assert process.returncode == 0
