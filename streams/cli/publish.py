"""`leadstream model publish` and `policy publish`: what a running stream goes by next."""

from __future__ import annotations

from dataclasses import dataclass

import click

from schemas.errors import Refused
from schemas.internal import ModelRequest, PolicyRequest, decode_internal, encode_model, encode_policy
from schemas.times import iso
from schemas.topics import LEAD_INTERNAL
from scoring.checks import warnings
from scoring.language.problems import Problem
from scoring.model import Model
from scoring.routing.checks import policy_warnings, role_names
from scoring.routing.policy import Policy
from streams.cli.base import ask, say, unasked, with_settings
from streams.clients import Sender
from streams.errors import InputError
from streams.model_files import load_model
from streams.policy_files import load_policy
from streams.settings import Settings
from streams.topic_reader import scan

__all__ = ["publish_model", "publish_policy"]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is published.

    Attributes:
        request: Its message in lead-internal.
        for_whom: Whom it is for.
        watch: Where to see that it has come.
    """

    request: type[ModelRequest] | type[PolicyRequest]
    for_whom: str
    watch: str


_MODEL = _Kind(ModelRequest, "every lead", "Watch leadstream_model_version, or read lead-events")
_POLICY = _Kind(PolicyRequest, "all of sales", "Watch leadstream_policy_version, or read lead-routing")


@click.command(name="publish")
@click.argument("file")
@unasked
@with_settings
def publish_model(settings: Settings, file: str, yes: bool) -> None:
    """Make a model the next version, for every lead, at one place of the log of each partition.

    Every lead is looked at anew there, and tier changes name the model as their cause. A worker that meets a version
    that is not higher than its own passes it over, so publishing twice does nothing.
    """
    model = load_model(file)
    _tell(warnings(model, file))
    value = encode_model(model.name, model.version, model.sha256, model.text)
    _publish(settings, model, value, _MODEL, yes=yes)


@click.command(name="publish")
@click.argument("file")
@unasked
@with_settings
def publish_policy(settings: Settings, file: str, yes: bool) -> None:
    """Make a policy the next version, at one place of lead-routing.

    Clocks that run end by the policy under which they started, and nobody is routed anew but leads of owners who are
    gone or away by it; then the waiting line is tried. A version that is not higher than the active one is passed over,
    so publishing twice does nothing.
    """
    policy = load_policy(file)
    _tell(sorted(policy_warnings(policy, file) + role_names(policy, file)))
    value = encode_policy(policy.name, policy.version, policy.sha256, policy.text)
    _publish(settings, policy, value, _POLICY, yes=yes)


def _tell(problems: list[Problem]) -> None:
    for problem in problems:
        say(f"{problem.file}:{problem.line}:{problem.column}: warning: {problem.message}")


def _publish(settings: Settings, file: Model | Policy, value: bytes, kind: _Kind, *, yes: bool) -> None:
    _refuse_older(settings, file, kind)
    if not yes:
        ask(f"Publish {file.name} version {file.version} to {settings.bootstrap_servers} for {kind.for_whom}?")
    sender = Sender(settings)
    sender.send(settings.topic(LEAD_INTERNAL), value, partition=0, timestamp_ms=1 if settings.clock == "record" else 0)
    sender.finish()
    say(
        f"{file.name} version {file.version} (sha256 {file.sha256[:12]}…) is published and acknowledged; it holds "
        f"from the place in the log where ingest puts it. {kind.watch}"
    )


def _refuse_older(settings: Settings, file: Model | Policy, kind: _Kind) -> None:
    """Workers would pass over a version that is not higher than theirs; better that whoever publishes it knows.

    Raises:
        InputError: One that is as high was published, as far back as lead-internal goes.
    """
    for record in scan(settings, LEAD_INTERNAL, [0]):
        try:
            message = decode_internal(record.value)
        except Refused:
            continue
        if not isinstance(message, ModelRequest | PolicyRequest) or type(message) is not kind.request:
            continue
        if message.version >= file.version:
            raise InputError(
                f"{file.name} has version {file.version}, but {message.name} version {message.version} was published "
                f"at {iso(record.timestamp_ms)}; write `version: {message.version + 1}` or higher into the file"
            )
