"""The bytes of a row: the same for ever under one codec, refused beyond it, and small whatever a lead does.

`LEADSTREAM_WRITE_GOLDEN=1 pytest tests/scoring/test_row.py` writes `golden/rows-<codec>.json` anew. Once that codec was
released its file never changes: another form of a row is another codec, and the older ones stay readable.
"""

import json
import os
import statistics
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from schemas.log import EVENT_ROWS, Bounce, LogRow, Profile
from schemas.outputs_wire import encode_lead_score
from schemas.times import parse_iso
from schemas.wire import decode_event
from scoring.compiled import CompiledModel
from scoring.kernel import Kernel
from scoring.outcomes import score_of
from scoring.partition import PartitionFold
from scoring.reading import ModelError, read_model
from scoring.row import MAX_PROFILE_TEXT
from scoring.row_codec import ROW_CODEC, RowCodecError, encode_row
from scoring.shipped import shipped_model, shipped_text
from scoring.size import MAX_ROW_BYTES, row_bound
from tests.bench.load import raw_events
from tests.scoring.kernel.logs import DAY, HOUR, T0, bounced, form, log, new_fold, opened, profile, run, view

FOLDER = Path(__file__).parent / "golden"
GOLDEN = FOLDER / f"rows-{ROW_CODEC}.json"
MODEL = """
model: golden
version: 1
publish: [industry]
signals:
  visit: {on: page_view, distinct: session_id, keep: 3}
  form:  {on: form_fill, keep: 1}
  open:  {on: email_open, where: {machine: false}, distinct: message_id}
rules:
  fit:        {saas: {profile: {industry: saas}, points: 5}, large: {profile: {size: 100..}, points: 5}}
  engagement:
    twice:    {repeat: visit, times: 2, within: 7d, points: 15, fade: 30d}
    both:     {together: [visit, form], within: 24h, points: 25}
    asked:    {each: form, points: 30, hold: 5d}
    reads:    {streak: open, times: 2, points: 7}
tiers: {hot: {at_least: 40, stay_at_least: 1d}, warm: {at_least: 20}, cold: {}}
"""

STORIES: dict[str, list[LogRow]] = {
    "nothing that counts": [bounced(0)],
    "one visit": [view(0, session="s1", event_id="v1")],
    "visits pushed out, one again": [
        view(HOUR * number, session=f"s{number % 4}", event_id=f"v{number}") for number in range(6)
    ],
    "hot, with matches and a late event": [
        view(0, session="s1", event_id="v1"),
        view(HOUR, session="s2", event_id="v2"),
        form(2 * HOUR, event_id="f1"),
        form(HOUR, received=3 * HOUR, event_id="f2"),
        opened(3 * HOUR, "m1"),
        opened(4 * HOUR, "m2"),
    ],
    "profile, deleted and long": [
        profile(0, event_id="p1", industry="saas", size=250, color="red"),
        profile(HOUR, event_id="p2", size=None),
        profile(2 * HOUR, event_id="p3", industry="Ü" * 300),
    ],
    "held by the least stay, then down": [
        view(0, session="s1", event_id="v1"),
        form(HOUR, event_id="f1"),
        bounced(30 * DAY),
    ],
    "ahead of the clock": [form(600_000, received=0, event_id="f1")],
}


def told(rows: list[LogRow]) -> tuple[str, Any]:
    """The row of the lead as hexadecimal digits, and its score."""
    fold = new_fold(MODEL)
    said = run(fold, log(rows))
    row, value = fold.row("lead-1"), said.rows[b"lead-1"]
    assert row is not None
    assert value is not None
    assert fold.kernel is not None
    return value.hex(), json.loads(encode_lead_score(score_of(fold.kernel, row, T0)))


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    if os.environ.get("LEADSTREAM_WRITE_GOLDEN"):
        made = {name: dict(zip(("row", "score"), told(rows), strict=True)) for name, rows in STORIES.items()}
        GOLDEN.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    read: dict[str, Any] = json.loads(GOLDEN.read_text())
    return read


@pytest.mark.parametrize("name", STORIES)
def test_a_row_is_written_as_it_always_was(golden: dict[str, Any], name: str) -> None:
    row, score = told(STORIES[name])

    assert score == golden[name]["score"]
    assert row == golden[name]["row"]


@pytest.mark.parametrize("name", STORIES)
def test_a_row_is_read_as_it_always_was(golden: dict[str, Any], name: str) -> None:
    kernel = Kernel(CompiledModel(read_model(MODEL, "golden.yaml")))
    row = kernel.read("lead-1", bytes.fromhex(golden[name]["row"]))

    assert json.loads(encode_lead_score(score_of(kernel, row, T0))) == golden[name]["score"]


@pytest.mark.parametrize("codec", range(1, ROW_CODEC))
@pytest.mark.parametrize("name", STORIES)
def test_a_row_of_an_older_codec_is_read_and_written_anew(golden: dict[str, Any], name: str, codec: int) -> None:
    older = json.loads((FOLDER / f"rows-{codec}.json").read_text())[name]
    kernel = Kernel(CompiledModel(read_model(MODEL, "golden.yaml")))
    row = kernel.read("lead-1", bytes.fromhex(older["row"]))

    assert json.loads(encode_lead_score(score_of(kernel, row, T0))) == older["score"]
    kernel.rest(row)
    assert encode_row(kernel.model, row).hex() == golden[name]["row"]
    fold = PartitionFold()
    fold.restore([(b"lead-1", bytes.fromhex(older["row"]))])
    assert fold.leads == 1


def a_row() -> bytes:
    return bytes.fromhex(told(STORIES["one visit"])[0])


@pytest.mark.parametrize("codec", [0, ROW_CODEC + 1, 255])
def test_another_codec_is_refused_by_its_number(codec: int) -> None:
    value = bytes([codec]) + a_row()[1:]

    with pytest.raises(RowCodecError, match=f"codec byte {codec}.*reads codec {ROW_CODEC}; upgrade"):
        PartitionFold().restore([(b"lead-1", value)])
    with pytest.raises(RowCodecError, match=f"codec byte {codec}"):
        Kernel(CompiledModel(read_model(MODEL, "golden.yaml"))).read("lead-1", value)


def test_a_row_that_was_cut_or_garbled_is_refused() -> None:
    kernel, value = Kernel(CompiledModel(read_model(MODEL, "golden.yaml"))), a_row()
    for size in range(len(value)):
        with pytest.raises(RowCodecError):
            kernel.read("lead-1", value[:size])
    with pytest.raises(RowCodecError):
        kernel.read("lead-1", value[:9] + b"\xc1" * 20)


# --- size ------------------------------------------------------------------------------------------------------------


def model_of(signals: int, keep: int, fields: int) -> str:
    """A model that remembers as much as may be of every page view."""
    lines = [
        *("model: large", f"version: {2**53 - 1}", f"publish: [{', '.join(f'f{n}' for n in range(fields))}]"),
        "signals:",
        # Every one of them matches every page.
        *(
            f'  s{number}: {{on: page_view, where: {{url: ["*", "{number}"]}}, keep: {keep}}}'
            for number in range(signals)
        ),
        "rules:\n  risk:",
        *(f"    r{number}: {{repeat: s{number}, times: 2, within: 400d, points: 1}}" for number in range(signals)),
        f"tiers: {{{'t' * 64}: {{at_least: -3}}, {'u' * 64}: {{}}}}",
    ]
    return "\n".join(lines)


def largest() -> str:
    """The most that is allowed, by trying."""
    for signals in range(40, 0, -1):
        text = model_of(signals, 64, 4)
        try:
            read_model(text, "large.yaml")
        except ModelError:
            continue
        return text
    raise AssertionError("no such model is allowed")


def test_a_model_whose_rows_could_grow_beyond_the_limit_is_refused_with_the_number() -> None:
    with pytest.raises(ModelError, match=r"large.yaml:5:3: a lead's row may grow to \d+ bytes .* 16384; lower keep"):
        read_model(model_of(40, 64, 0), "large.yaml")
    with pytest.raises(ModelError, match="name fewer profile fields"):
        read_model(model_of(1, 1, 40), "large.yaml")


def flood(chance: Random, count: int) -> list[LogRow]:
    """A lead that does everything, again and again, with the longest texts and under ever new keys."""
    texts = [
        "/pricing",
        "/blog/x",
        "/careers",
        "/product/x",
        "https://linkedin.example/",
        "proposal",
        "comparison",
        "rfp",
    ]
    rows: list[LogRow] = []
    for number in range(count):
        # Also as far back and as far ahead as an event may be, so that no age is a small number.
        received = T0 + number * HOUR
        occurred = received + chance.choice((0, 0, 600_000, -chance.randint(0, 400 * DAY)))
        row_type: Any = chance.choice(list(EVENT_ROWS.values()))
        fields: dict[str, Any] = {}
        for field in msgspec.structs.fields(row_type)[5:]:
            if field.name in {"url", "referrer"}:
                fields[field.name] = f"https://shop.example{chance.choice(texts[:4])}/{number}"
            elif field.name == "machine":
                fields[field.name] = False
            elif field.name == "dwell_ms":
                fields[field.name] = number
            elif field.name != "fields":
                fields[field.name] = f"{chance.choice(texts[4:])} {number}"
        if row_type is Bounce:
            fields["bounce_type"] = "hard"
        if row_type is Profile:
            names = ["industry", "country", "company_size", "seniority", "title", *(f"f{n}" for n in range(4))]
            fields["fields"] = dict.fromkeys(names, "😀" * (2 * MAX_PROFILE_TEXT))
        rows.append(row_type("lead-1", received, occurred, f"event-{number}", "web", **fields))
    return rows


@pytest.mark.parametrize("text", [shipped_text("b2b-default"), shipped_text("fit-behaviour-200"), largest()])
def test_the_worst_row_keeps_to_its_bound(text: str) -> None:
    fold = new_fold(text)
    rows = flood(Random(1), 3_000)
    said = run(fold, log(rows, pack=100))
    bound = row_bound(read_model(text, "model.yaml"))
    value = said.rows[b"lead-1"]

    assert value is not None
    assert bound * 0.9 < len(value) <= bound <= MAX_ROW_BYTES


def test_the_median_row_of_a_real_site_is_small() -> None:
    values = [value for _, _, value in raw_events(30_000, 1_500, span_s=30 * 86_400)]
    rows: list[Any] = [decode_event(value, parse_iso(json.loads(value)["occurred_at"]), b"k" * 32) for value in values]
    said = run(new_fold(shipped_text("b2b-default")), log(rows, pack=100))
    sizes = [len(value) for key, value in said.rows.items() if value is not None and key[:1] != b"\0"]

    assert len(sizes) > 1_000
    assert statistics.median(sizes) <= 400


def test_the_bounds_of_the_shipped_models() -> None:
    assert row_bound(shipped_model("b2b-default")) < 6_000
    assert row_bound(shipped_model("fit-behaviour-200")) < 6_000
