"""`leadstream shared`: visitors and addresses that are nobody's."""

from __future__ import annotations

import click
import msgspec

from schemas.topics import LEAD_SCORES
from scoring.identity import MAX_OWNERS
from streams.cli.base import Results, with_settings
from streams.settings import Settings
from streams.topic_reader import read_there

__all__ = ["shared"]


class _State(msgspec.Struct):
    """What is looked at of a record of lead-scores."""

    lead_id: str
    tier: str = ""
    total: int = 0
    shared: bool = False


@click.command(
    help=f"""Visitors and addresses that too many leads claimed, as JSON lines, sorted.

    A visitor (`a:…`) or an address (`e:…`) that more than {MAX_OWNERS} different leads turned out to be is shared: the
    browser of an office or a shop, a test id, an address like info@. It is linked to nobody any more and scored alone.
    Who sees one's own website's visitors here should look at where `anonymous_id` comes from.
    """
)
@with_settings
def shared(settings: Settings) -> None:
    """Reads lead-scores to its end."""
    decode = msgspec.json.Decoder(_State).decode
    found: dict[str, _State] = {}
    for record in read_there(settings, LEAD_SCORES):
        if record.value:
            state = decode(record.value)
            if state.shared:
                found[state.lead_id] = state
            else:
                found.pop(state.lead_id, None)
    results = Results()
    for name in sorted(found):
        results.line({"lead_id": name, "tier": found[name].tier, "total": found[name].total})
