"""The policy that a command goes by: the last one that was published, else that of the settings."""

from __future__ import annotations

from schemas.errors import Refused
from schemas.internal import PolicyRequest, decode_internal
from schemas.topics import LEAD_INTERNAL
from scoring.routing.policy import Policy
from scoring.routing.reading import PolicyError, read_policy
from streams.policy_files import load_policy
from streams.settings import Settings
from streams.topic_reader import scan

__all__ = ["active_policy"]


def active_policy(settings: Settings) -> Policy:
    """The policy with the highest version in lead-internal, as far back as that goes; else the one of the settings.

    Raises:
        UsageError: None was published, and the settings name none.
        InputError: None was published, and that of the settings is wrong.
        BrokerUnreachable: Nobody answers.
        StateRefused: There is no lead-internal.
    """
    found: Policy | None = None
    for record in scan(settings, LEAD_INTERNAL, [0]):
        try:
            message = decode_internal(record.value)
            if isinstance(message, PolicyRequest) and (found is None or message.version > found.version):
                found = read_policy(message.body, message.name)
        except (Refused, PolicyError):
            continue  # nobody goes by it
    return load_policy(settings.policy) if found is None else found
