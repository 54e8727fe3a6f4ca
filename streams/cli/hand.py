"""`leadstream assign` and `leadstream release`: a lead given away or taken back by hand."""

from __future__ import annotations

import getpass
import uuid

import click

from schemas.errors import Refused
from schemas.internal import decode_internal, encode_assign, encode_release
from schemas.naming import partition_of
from schemas.topics import LEAD_INTERNAL
from scoring.language.problems import suggestion
from scoring.routing.policy import Policy
from streams.active_policy import active_policy
from streams.cli.base import say, with_settings
from streams.clients import Sender, partition_counts
from streams.errors import InputError, UsageError
from streams.settings import Settings

__all__ = ["assign", "release"]

_by = click.option("--by", metavar="WHO", help="Who does it; it stands in the record. Default: the login name.")


@click.command()
@click.argument("lead")
@click.argument("name", metavar="OWNER|TEAM")
@click.option("--team", "is_team", is_flag=True, help="NAME is the team, where an owner is called so too.")
@_by
@with_settings
def assign(settings: Settings, lead: str, name: str, is_team: bool, by: str | None) -> None:
    """Give a lead to an owner, or to whom a team picks.

    LEAD is named as in lead-scores. The owner may be over capacity, away or in another team: a hand knows better. The
    clock is not touched. It is a record in the log, like everything else; route does it when the record comes there.
    """
    owner, team = _whom(active_policy(settings), name, is_team=is_team)
    _send(settings, lead, encode_assign(lead, uuid.uuid4().hex, owner=owner, team=team, by=_who(by)))
    say(f"lead {lead} goes to {'whom team ' + name + ' picks' if team else name}; read lead-assignments to see it done")


@click.command()
@click.argument("lead")
@_by
@with_settings
def release(settings: Settings, lead: str, by: str | None) -> None:
    """Take a lead from its owner, and end its clock.

    LEAD is named as in lead-scores. It is routed again when it enters a tier, or asks for a person.
    """
    _send(settings, lead, encode_release(lead, uuid.uuid4().hex, by=_who(by)))
    say(f"lead {lead} is taken from its owner, its clock ends; read lead-assignments to see it done")


def _whom(policy: Policy, name: str, *, is_team: bool) -> tuple[str | None, str | None]:
    """The owner or the team that is meant.

    Raises:
        InputError: The policy has neither.
    """
    if name in policy.owners and not is_team:
        if name in policy.teams:
            say(f"{name} is an owner and a team; the owner is meant. Say --team for the team")
        return name, None
    if name in policy.teams:
        return None, name
    known = [*policy.teams] if is_team else [*policy.owners, *policy.teams]
    what = "no such team" if is_team else "neither such an owner nor such a team"
    remedy = suggestion(name, known, f"it has {', '.join(known)}")
    raise InputError(f"policy {policy.name} version {policy.version} has {what}: {name}; {remedy}")


def _who(by: str | None) -> str | None:
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None  # a user without a name, as containers have


def _send(settings: Settings, lead: str, value: bytes) -> None:
    try:
        decode_internal(value)
    except Refused as refused:
        raise UsageError(f"this cannot be sent: {refused.message}") from refused
    sender = Sender(settings)
    (count,) = partition_counts(settings, sender.producer, [LEAD_INTERNAL])
    sender.send(
        settings.topic(LEAD_INTERNAL),
        value,
        partition=partition_of(lead, count),
        timestamp_ms=1 if settings.clock == "record" else 0,
    )
    sender.finish()
