"""`leadstream route backfill`: leads that were in a tier before routing was switched on."""

from __future__ import annotations

from collections import Counter

import click
import msgspec

from schemas.internal import encode_backfill
from schemas.naming import partition_of
from schemas.topics import LEAD_INTERNAL, LEAD_SCORES
from scoring.language.problems import suggestion
from scoring.routing.policy import Policy
from streams.active_policy import active_policy
from streams.cli.base import Results, as_json, progress, with_settings
from streams.clients import Sender, partition_counts
from streams.errors import InputError
from streams.settings import Settings
from streams.topic_reader import scan

__all__ = ["backfill"]


class _State(msgspec.Struct):
    """What is looked at of a record of lead-scores; an alias has no tier."""

    lead_id: str
    tier: str = ""
    seq: int = 0


@click.command()
@click.option("--tier", "tiers", multiple=True, metavar="TIER", help="Only this one. Default: each that has a route.")
@as_json
@with_settings
def backfill(settings: Settings, tiers: tuple[str, ...], as_json: bool) -> None:
    """Give owners to leads that are in a tier already when routing is first switched on.

    Reads lead-scores to its end, and asks for each lead that is in a tier with a route to be routed as if it entered
    that tier now. A lead of which route has heard already is left alone, so running this twice does nothing, and what
    happens meanwhile is not lost.
    """
    wanted = _wanted(active_policy(settings), tiers)
    sender = Sender(settings)
    (count,) = partition_counts(settings, sender.producer, [LEAD_INTERNAL])
    leads = _leads(settings, wanted)
    with progress("Asking", len(leads), "leads") as moved:
        for done, lead_id in enumerate(leads, 1):
            sender.send(
                settings.topic(LEAD_INTERNAL),
                encode_backfill(lead_id),
                partition=partition_of(lead_id, count),
                timestamp_ms=1 if settings.clock == "record" else 0,
            )
            moved(done)
        sender.finish()
    found = Counter(leads.values())
    if as_json:
        Results().line({"leads": len(leads), "tiers": {tier: found[tier] for tier in wanted}})
        return
    each = ", ".join(f"{tier} {found[tier]:,}" for tier in wanted)
    click.echo(f"asked for {len(leads):,} leads ({each}); route passes over those that it knows already")


def _wanted(policy: Policy, tiers: tuple[str, ...]) -> list[str]:
    """Tiers whose leads are to be routed.

    Raises:
        InputError: The policy has no route for one that was asked for.
    """
    routed = [*dict.fromkeys(route.tier for route in policy.routes)]
    for tier in tiers:
        if tier not in routed:
            remedy = suggestion(tier, routed, f"it has routes for {', '.join(routed)}")
            raise InputError(f"policy {policy.name} version {policy.version} has no route for tier {tier}; {remedy}")
    return [tier for tier in routed if not tiers or tier in tiers]


def _leads(settings: Settings, wanted: list[str]) -> dict[str, str]:
    """The tiers of the leads that are in one of these, and have entered it: being in the last one at first is none."""
    decode = msgspec.json.Decoder(_State).decode
    found: dict[str, str] = {}
    for record in scan(settings, LEAD_SCORES):
        if not record.value:
            if record.key is not None:
                found.pop(record.key.decode(errors="replace"), None)
            continue
        state = decode(record.value)
        if state.seq and state.tier in wanted:
            found[state.lead_id] = state.tier
        else:
            found.pop(state.lead_id, None)
    return found
