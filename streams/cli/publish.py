"""`leadstream model publish`: the next model of a running stream."""

from __future__ import annotations

import sys

import click

from schemas.errors import Refused
from schemas.internal import ModelRequest, decode_internal, encode_model
from schemas.times import iso
from schemas.topics import LEAD_INTERNAL
from scoring.checks import warnings
from scoring.model import Model
from streams.cli.base import say, with_settings
from streams.clients import Sender
from streams.errors import InputError, UsageError
from streams.model_files import load_model
from streams.settings import Settings
from streams.topic_reader import scan

__all__ = ["publish"]


@click.command()
@click.argument("file")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings
def publish(settings: Settings, file: str, yes: bool) -> None:
    """Make a model the next version, for every lead, at one place of the log of each partition.

    Every lead is looked at anew there, and tier changes name the model as their cause. A worker that meets a version
    that is not higher than its own passes it over, so publishing twice does nothing.
    """
    model = load_model(file)
    for problem in warnings(model, file):
        say(f"{problem.file}:{problem.line}:{problem.column}: warning: {problem.message}")
    _refuse_older(settings, model)
    if not yes:
        _ask(model, settings)
    sender = Sender(settings)
    sender.send(
        settings.topic(LEAD_INTERNAL), encode_model(model.name, model.version, model.sha256, model.text), partition=0,
        timestamp_ms=1 if settings.clock == "record" else 0,
    )  # fmt: skip
    sender.finish()
    say(
        f"{model.name} version {model.version} (sha256 {model.sha256[:12]}…) is published and acknowledged; it holds "
        "from the place in the log where ingest puts it. Watch leadstream_model_version, or read lead-events"
    )


def _refuse_older(settings: Settings, model: Model) -> None:
    """Workers would pass over a version that is not higher than theirs; better that whoever publishes it knows.

    Raises:
        InputError: One that is as high was published, as far back as lead-internal goes.
    """
    for record in scan(settings, LEAD_INTERNAL, [0]):
        try:
            message = decode_internal(record.value)
        except Refused:
            continue
        if isinstance(message, ModelRequest) and message.version >= model.version:
            raise InputError(
                f"{model.name} has version {model.version}, but {message.name} version {message.version} was published "
                f"at {iso(record.timestamp_ms)}; write `version: {message.version + 1}` or higher into the file"
            )


def _ask(model: Model, settings: Settings) -> None:
    question = f"Publish {model.name} version {model.version} to {settings.bootstrap_servers} for every lead?"
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody can be asked here: say --yes")
    click.confirm(question, abort=True, err=True)
