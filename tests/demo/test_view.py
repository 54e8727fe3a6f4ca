"""The board fits every terminal, says what comes next, and shows nothing that could steer the terminal."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec
import pytest
from rich.console import Console

from schemas.outputs_wire import TierChangeOut
from schemas.times import parse_iso
from schemas.topics import LEAD_SCORES
from scoring.shipped import shipped_model
from streams.demo.behaviour import behaviour
from streams.demo.board import Board, Hot
from streams.demo.feed import Record
from streams.demo.outlook import Outlook
from streams.demo.view import board_view
from streams.demo.words import because, lead_name, outlook_words, span
from tests.demo.past import END_MS, board_after, fold_of
from tests.demo.picture import PICTURE, picture

NOW = datetime.fromtimestamp(END_MS / 1000, UTC)


@cache
def past() -> Board:
    return board_after(7, 120, 30)


def shown(board: Board, width: int, height: int, *, notice: str = "") -> str:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(board_view(board, NOW, width, height, notice))
    return captured.get()


@pytest.mark.parametrize(("width", "height"), [(80, 13), (80, 24), (100, 30), (140, 45), (200, 60)])
def test_the_board_fits_its_terminal(width: int, height: int) -> None:
    lines = shown(past(), width, height).splitlines()
    assert len(lines) <= height
    assert max(len(line) for line in lines) <= width
    assert "hot lead" in "".join(lines)
    assert "what happened" in "".join(lines)
    assert "time left" in "".join(lines)


def test_who_is_due_first_comes_first_then_the_best_with_reasons_and_what_time_alone_will_change() -> None:
    best = past().best(50)
    due = [hot.due_ms for hot in best if hot.due_ms is not None]
    assert 0 < len(due) < len(best)
    assert [hot.due_ms for hot in best[: len(due)]] == due == sorted(due)
    totals = [hot.score.total for hot in best[len(due) :]]
    assert totals == sorted(totals, reverse=True)
    text = shown(past(), 200, 60)
    assert "decision maker +20" in text
    assert "warm in " in text


def test_a_lead_has_an_owner_and_time_left_and_a_breach_is_seen() -> None:
    text = shown(past(), 140, 45)
    late = next(line for line in text.splitlines() if line.startswith(" lead-9001"))
    assert re.search(r"senior_[12] +15 s over", late)
    assert re.search(r"lead-9002 +senior_[12] +0 s over", text)
    assert re.search(r"lead-9003 +senior_[12] +15 s ", text)
    assert "overdue" in text
    assert "✗ breached" in text
    assert "nobody answered within 24 h" in text


def test_an_outlook_is_what_happens_if_nothing_happens() -> None:
    """The same fold, let alone until then, says the same."""
    board = past()
    score = next(hot.score for hot in board.best(50) if hot.score.lead_id < "lead-9")
    outlook = board.outlook(score)
    assert outlook is not None
    assert outlook.tier_at_ms is not None
    fold = fold_of(behaviour(7, 120, 30, END_MS).past)
    fold.advance(outlook.tier_at_ms - 1)
    fold.finish()
    before = fold.row(score.lead_id)
    assert before is not None
    assert before.tier_name == "hot"
    fold.advance(outlook.tier_at_ms)
    fold.finish()
    after = fold.row(score.lead_id)
    assert after is not None
    assert after.tier_name == outlook.tier == "warm"


def test_a_score_of_another_model_is_told_without_what_follows() -> None:
    score = past().best(1)[0].score
    other = msgspec.structs.replace(score, model=msgspec.structs.replace(score.model, sha256="0" * 64))
    outlook = past().outlook(other)
    assert outlook is not None
    assert outlook.total is None
    assert outlook.total_at_ms == parse_iso(score.changes_next_at or "")


def test_names_of_leads_cannot_steer_the_terminal() -> None:
    board = Board(shipped_model("b2b-default"))
    score = msgspec.structs.replace(past().best(1)[0].score, lead_id="\x1b[31m[bold]x[/nonsense]")
    board.take(Record(LEAD_SCORES, b"x", msgspec.json.encode(score)))
    text = shown(board, 140, 30)
    assert "\x1b[31m" not in text
    assert "?[31m[bold]x[/n" in text


def test_a_lead_that_has_another_name_is_gone() -> None:
    board = Board(shipped_model("b2b-default"))
    board.take(Record(LEAD_SCORES, b"x", msgspec.json.encode(past().best(1)[0].score)))
    alias = {"lead_id": past().best(1)[0].score.lead_id, "merged_into": "crm-1", "seq": 2}
    board.take(Record(LEAD_SCORES, b"x", msgspec.json.encode(alias)))
    assert board.best(5) == list[Hot]()


def test_a_repeated_tier_change_is_shown_once() -> None:
    board = Board(shipped_model("b2b-default"))
    body = next(news.body for news in past().news if isinstance(news.body, TierChangeOut))
    record = Record("tier-changes", b"x", msgspec.json.encode(body))
    assert board.take(record, END_MS) == body
    assert board.take(record, END_MS) is None
    assert board.live_news == 1


def test_a_notice_is_seen_at_every_size() -> None:
    assert "the score worker was ended" in shown(past(), 80, 15, notice="the score worker was ended by SIGKILL")


def test_the_picture_of_the_readme_is_what_a_terminal_shows() -> None:
    assert PICTURE.read_text() == picture(), "make it anew: make generate"


def test_words() -> None:
    assert [span(timedelta(days=12, hours=3)), span(timedelta(minutes=90)), span(timedelta(0))] == [
        "12 d",
        "1 h",
        "0 s",
    ]
    assert because({"event_id": "e-1", "kind": "form_fill"}) == "form fill"
    assert because({"deadline": "gone_quiet"}) == "time alone, gone quiet"
    assert because({"merged_from": "a:browser"}) == "is a:browser"
    assert lead_name("e:" + "0123456789" * 4) == "e:012345..."
    day = 86_400_000
    at = [END_MS + day, END_MS + 3 * day]
    assert outlook_words(NOW, None) == "nothing"
    assert outlook_words(NOW, Outlook(at[0], None)) == "in 1 d"
    assert outlook_words(NOW, Outlook(at[0], 65)) == "65 in 1 d"
    assert outlook_words(NOW, Outlook(at[0], 65, at[1], "warm")) == "65 in 1 d, warm in 3 d"
    assert outlook_words(NOW, Outlook(at[0], 65, at[1], "warm"), short=True) == "warm in 3 d"
    assert outlook_words(NOW, Outlook(at[0], 50, at[0], "warm")) == "warm in 1 d"
