"""What a link makes of an alias's row, and what a merge makes of its owner's."""

from __future__ import annotations

from typing import NamedTuple

from schemas.log import Link, Merge
from schemas.naming import is_weaker
from scoring.identity import Claim, Identity
from scoring.kernel import Kernel
from scoring.row import Row
from scoring.row_codec import ROW_CODEC, RowCodecError, decode_row, encode_row, evidence_of

__all__ = ["BadMerge", "Linked", "check_body", "follow_link", "problem_of", "unite"]


class BadMerge(ValueError):  # noqa: N818 - it is raised, caught and told as what it is
    """A merge whose body is no row of the table."""


class Linked(NamedTuple):
    """What a link brought about.

    Attributes:
        row: The alias's row now; another object where the alias went away.
        claim: What the link said.
        merge: For the owner, or None.
        left: The tier that the alias was in and has left for the last one; None where it was there already.
    """

    row: Row
    claim: Claim
    merge: Merge | None = None
    left: str | None = None


def problem_of(row: Link | Merge) -> str | None:
    """What is wrong with a row that ingest would not have written; None for a good one.

    Raises:
        RowCodecError: Its body is of a newer version.
    """
    if isinstance(row, Link):
        good = is_weaker(row.lead_id, row.owner)
        return None if good else "a link does not go from a weaker name to a stronger one"
    if not is_weaker(row.merged_from, row.lead_id):
        return "a merge does not go from a weaker name to a stronger one"
    try:
        check_body(row.body)
    except BadMerge as error:
        return str(error)
    return None


def follow_link(kernel: Kernel, row: Row, link: Link) -> Linked:
    """Takes a link of the row's lead in. Deadlines of the lead up to the link must be applied before."""
    identity = row.identity = row.identity or Identity()
    at_home, told = not identity.owner, len(identity.owners)
    claim = identity.claimed(link.owner, link.hour_ms)
    if claim == Claim.SHARED:
        # A lead of which nobody has heard yet, but for its time and its numbers.
        row.at = row.seen_at = max(row.at, link.received_at_ms)
        row.tier, row.tier_name, row.tier_since = kernel.model.ladder.last, kernel.model.ladder.names[-1], None
    # Who has owned the alias before knows its name; what it had learnt went away with the first link.
    if claim != Claim.MOVED or not (at_home or told < len(identity.owners)):
        return Linked(row, claim)
    identity.sent += 1
    names, identity.names = identity.names, {}
    empty = kernel.new(row.lead_id)
    learnt = row if at_home else kernel.new(row.lead_id)
    learnt.identity = Identity(names=names) if names else None
    kernel.rest(learnt)
    empty.identity, empty.seq, empty.tier_since = identity, row.seq, row.tier_since
    empty.at = max(row.at, link.received_at_ms)
    merge = Merge(link.owner, empty.at, link.lead_id, encode_row(kernel.model, learnt), identity.sent)
    if learnt.tier == empty.tier:
        return Linked(empty, claim, merge)
    empty.seq, empty.tier_since = row.seq + 1, empty.at
    return Linked(empty, claim, merge, row.tier_name)


def unite(kernel: Kernel, row: Row, merge: Merge) -> tuple[int, bool]:
    """Takes in what an alias had learnt: what it changed, and whether the lead's names are others.

    A merge that came before brings no tier again. Deadlines of the lead up to the merge must be applied before.
    """
    other = decode_row(kernel.model, merge.merged_from, merge.body)
    identity = row.identity = row.identity or Identity()
    before = list(identity.names)
    if other.identity is not None:
        for name, number in other.identity.names.items():
            if is_weaker(name, merge.merged_from):
                identity.named(name, number)
    is_new = identity.named(merge.merged_from, merge.number)
    identity.trim()
    changed = kernel.unite(row, other, merge.received_at_ms, with_tier=is_new)
    return changed, list(identity.names) != before


def check_body(body: bytes) -> None:
    """Whether a merge's body is a row as its codec writes them.

    Raises:
        BadMerge: It is none.
        RowCodecError: It is of a newer version.
    """
    if body and body[0] > ROW_CODEC:
        raise RowCodecError(f"a merge brings a row with codec {body[0]}, this program reads {ROW_CODEC}; upgrade it")
    try:
        evidence, matches = evidence_of(body)
    except RowCodecError as error:
        raise BadMerge(f"the body of a merge is no row: {error}") from error
    if len(matches) % 2:
        raise BadMerge("the body of a merge is no row: there is half a match")
    for occurrences in evidence:
        times = [time for time, _ in occurrences]
        if len({key for _, key in occurrences}) < len(occurrences) or times != sorted(times):
            raise BadMerge("the body of a merge is no row: its evidence is not in order")
