"""Dead letters on the embedded broker: list, show, replay."""

import json

import pytest

from schemas.dead_letters import dead_letter_headers
from schemas.reasons import ReasonName
from streams.clients import Sender
from streams.settings import Settings
from streams.topic_reader import Record, scan
from tests.cli.conftest import Leadstream

AT = 1_772_446_500_000


@pytest.fixture
def settings(embedded: str) -> Settings:
    return Settings.read()


def put(
    settings: Settings,
    topic: str,
    reason: ReasonName,
    value: bytes | None,
    partition: int = 0,
    cut: bool = False,
) -> None:
    own = [("trace", b"t-1")]
    headers = dead_letter_headers(topic, 2, 17, AT, reason, f"why: {reason}", own)
    headers += [("leadstream.whole.bytes", b"5000000")] if cut else []
    sender = Sender(settings)
    sender.send(settings.topic("dead-letters"), value, key=b"k", partition=partition, headers=headers, timestamp_ms=AT)
    sender.finish()


def there(settings: Settings, topic: str) -> list[Record]:
    return list(scan(settings, topic))


def test_letters_are_listed_by_reason_and_topic(leadstream: Leadstream, settings: Settings) -> None:
    put(settings, "page-views", "bad_json", b"{")
    put(settings, "page-views", "bad_json", b"[", partition=3)
    put(settings, "form-fills", "bad_email", b"{}")

    rows = [json.loads(line) for line in leadstream("dlq", "list", "--json").lines]

    assert [(row["reason"], row["topic"], row["letters"], row["replayed"]) for row in rows] == [
        ("bad_json", "page-views", 2, 0),
        ("bad_email", "form-fills", 1, 0),
    ]
    assert rows[1] | {"newest": ""} == {
        "reason": "bad_email",
        "topic": "form-fills",
        "letters": 1,
        "replayed": 0,
        "newest": "",
        "newest_at": "2026-03-02T10:15:00.000Z",
        "message": "why: bad_email",
    }
    table = leadstream("dlq", "list", "--topic", "form-fills").out
    assert "bad_email" in table
    assert "bad_json" not in table


def test_an_empty_list_says_so(leadstream: Leadstream, settings: Settings) -> None:
    assert leadstream("dlq", "list").out == "no dead letters\n"
    assert leadstream("dlq", "list", "--json").out == ""


def test_one_letter_is_shown_whole(leadstream: Leadstream, settings: Settings) -> None:
    put(settings, "page-views", "bad_utf8", b"\xff\x00{", partition=1)

    ran = leadstream("dlq", "show", "1:0")
    shown = json.loads(leadstream("dlq", "show", "1:0", "--json").out)

    assert ran.out == (
        "dead letter   1:0, written 2026-03-02T10:15:00.000Z\n"
        "reason        bad_utf8\n"
        "message       why: bad_utf8\n"
        "what to do    Encode the JSON as UTF-8, not compressed, no other format.\n"
        "came from     page-views 2:17 at 2026-03-02T10:15:00.000Z\n"
        "key           k\n"
        "header trace  t-1\n"
        "value         3 bytes\n"
        "base64 /wB7\n"
    )
    assert shown["value"] == {"base64": "/wB7"}
    assert shown["from"] == {"topic": "page-views", "partition": 2, "offset": 17, "at": "2026-03-02T10:15:00.000Z"}


def test_a_place_without_a_letter_is_told(leadstream: Leadstream, settings: Settings) -> None:
    put(settings, "page-views", "bad_json", b"{")

    ran = leadstream("dlq", "show", "0:99")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "dead-letters has no record at 0:99; see `dlq list`\n"


def test_a_letter_goes_back_once_with_its_key_bytes_and_own_headers(leadstream: Leadstream, settings: Settings) -> None:
    put(settings, "page-views", "bad_json", b"{")
    put(settings, "form-fills", "bad_email", b"{}")

    first = leadstream("dlq", "replay", "--reason", "bad_json")
    second = leadstream("dlq", "replay", "--json")
    third = leadstream("dlq", "replay")

    assert first.out == "1 sent back, 0 had been sent back before\n"
    assert json.loads(second.out) == {"replayed": 1, "already": 1, "left": 0}
    assert third.out == "0 sent back, 2 had been sent back before\n"
    (back,) = there(settings, "page-views")
    assert (back.partition, back.key, back.value, list(back.headers)) == (2, b"k", b"{", [("trace", b"t-1")])
    assert len(there(settings, "form-fills")) == 1
    rows = [json.loads(line) for line in leadstream("dlq", "list", "--json").lines]
    assert [row["replayed"] for row in rows] == [1, 1]


def test_a_letter_keeps_its_time_in_a_past_stream(
    leadstream: Leadstream, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(settings, "page-views", "bad_json", b"{")
    monkeypatch.setenv("LEADSTREAM_CLOCK", "record")

    leadstream("dlq", "replay")

    assert [record.timestamp_ms for record in there(settings, "page-views")] == [AT]


def test_a_letter_of_another_topic_is_left(leadstream: Leadstream, settings: Settings) -> None:
    put(settings, "somebody-elses", "bad_json", b"{")

    ran = leadstream("dlq", "replay")

    assert ran.out == "0 sent back, 0 had been sent back before\n"
    assert ran.err.startswith("1 left where they are: from topics that ingest does not read")


def test_a_letter_that_is_cut_is_left(leadstream: Leadstream, settings: Settings) -> None:
    put(settings, "page-views", "too_large", b"{", cut=True)

    assert leadstream("dlq", "replay").out == "0 sent back, 0 had been sent back before\n"
    assert not there(settings, "page-views")
