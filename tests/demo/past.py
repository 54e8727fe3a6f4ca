"""The past of the demo without a broker: the same folds, and what the workers would have published of it."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import cast

import msgspec

from schemas.log import LogRow, encode_record
from schemas.outputs_wire import encode_lead_score, encode_tier_change
from schemas.routing_lines import own_time_ms
from schemas.routing_log import RoutingRow
from schemas.routing_wire import AssignmentOut, encode_assignment, encode_sla_event
from schemas.times import parse_iso
from schemas.topics import LEAD_ASSIGNMENTS, LEAD_EVENTS, LEAD_SCORES, LEADS_CHANGELOG, SLA_EVENTS, TIER_CHANGES
from schemas.wire import decode_event
from scoring.partition import FoldStep, PartitionFold
from scoring.routing.fold import RoutingFold
from scoring.routing.shipped import shipped_policy_text
from scoring.shipped import shipped_model, shipped_text
from streams.demo.behaviour import behaviour
from streams.demo.board import Board
from streams.demo.feed import Record
from streams.demo.forgotten import Forgotten
from streams.demo.person import Event

__all__ = ["END_MS", "board_after", "fold_of"]

END_MS = parse_iso("2026-03-31T15:00:00Z")


def fold_of(past: list[Event], take: Callable[[FoldStep], object] = lambda step: None) -> PartitionFold:
    """All leads, after all of these events."""
    fold = PartitionFold()
    fold.start_with(shipped_text("b2b-default"))
    for at_ms, event in past:
        row = decode_event(msgspec.json.encode(event), at_ms, b"key")
        while not fold.take(row, at_ms):
            take(fold.finish())
    fold.advance(END_MS)
    take(fold.finish())
    return fold


def board_after(seed: int, people: int, days: int) -> Board:
    """The board as it is when the past is done and the first forgotten lead is late."""
    board = Board(shipped_model("b2b-default"))
    routing: list[RoutingRow] = []

    def take(step: FoldStep) -> None:
        routing.extend(step.routing)
        for key, row in step.rows:
            board.take(Record(LEADS_CHANGELOG, key, row))
        for score in step.scores:
            board.take(Record(LEAD_SCORES, score.lead_id.encode(), encode_lead_score(score)))
        for change in step.changes:
            board.take(Record(TIER_CHANGES, change.lead_id.encode(), encode_tier_change(change)))

    past = sorted([*behaviour(seed, people, days, END_MS).past, *Forgotten(END_MS - 20_000).past], key=itemgetter(0))
    fold_of(past, take)
    for at_ms, event in past:
        row = decode_event(msgspec.json.encode(event), at_ms, b"key")
        board.take(Record(LEAD_EVENTS, None, encode_record(at_ms, [cast("LogRow", row)])))
    _route(routing, board)
    board.sort()
    return board


def _route(rows: list[RoutingRow], board: Board) -> None:
    fold = RoutingFold()
    fold.opened()
    fold.start_with(shipped_policy_text("b2b-default"))
    log_time_ms = 0
    for row in rows:
        log_time_ms = max(log_time_ms, own_time_ms(row))
        fold.advance(log_time_ms)
        fold.take(row)
    fold.advance(END_MS)
    for told in fold.finish().told:
        if isinstance(told, AssignmentOut):
            board.take(Record(LEAD_ASSIGNMENTS, b"x", encode_assignment(told)))
        else:
            board.take(Record(SLA_EVENTS, b"x", encode_sla_event(told)))
