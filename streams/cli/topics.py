"""`leadstream topics`: made as they must be, compared with it, and changed to it."""

from __future__ import annotations

import click
from rich.table import Table

from schemas.topics import TOPICS
from streams import topics_admin, topics_alter
from streams.acls import ROLES, commands
from streams.cli.base import Commands, Results, as_json, ask, person, say, unasked, with_settings
from streams.settings import Settings

__all__ = ["topics"]

_DAY_MS = 86_400_000

_history = click.option(
    "--history", is_flag=True, help="For a past stream: record times are their senders', nothing is deleted by time."
)


@click.group(cls=Commands)
def topics() -> None:
    """Make, verify or alter the topics."""


@topics.command()
@_history
@as_json
@with_settings
def create(settings: Settings, history: bool, as_json: bool) -> None:
    """Make the topics that do not exist, then compare all of them with what they must be. What exists is not changed.

    Exit code 4 if a topic that was there before is not as it must be; every difference is told, with its remedy.
    """
    made = topics_admin.create(settings, history)
    _report(settings, made, history, as_json)
    say(f"{len(made)} topics made at {settings.bootstrap_servers}, {len(TOPICS) - len(made)} were there and are good")


@topics.command()
@_history
@as_json
@with_settings
def check(settings: Settings, history: bool, as_json: bool) -> None:
    """Compare the topics with what they must be: partitions, cleanup, retention, replicas, whose time counts.

    Exit code 4 if they differ; every difference is told, with its remedy.
    """
    topics_admin.check(settings, history)
    _report(settings, [], history, as_json)
    say(f"{len(TOPICS)} topics at {settings.bootstrap_servers} are good")


@topics.command()
@_history
@unasked
@with_settings
def alter(settings: Settings, history: bool, yes: bool) -> None:
    """Change settings of topics that exist to what they must be: after an upgrade, or for another retention.

    Every change is shown before it is made. A shorter retention deletes what is older. Partitions and replicas stay as
    they are; whatever differs then is told, with exit code 4.
    """
    planned = topics_alter.planned(settings, history=history)
    if planned:
        table = Table("topic", "setting", "is", "will be")
        for topic, key, actual, wanted in planned:
            table.add_row(topic, key, _with_days(key, actual), _with_days(key, wanted))
        person().print(table)
        if not yes:
            ask(f"Change these {len(planned)} settings at {settings.bootstrap_servers}?")
        topics_alter.alter(settings, planned)
    topics_admin.check(settings, history)
    say(f"{len(planned)} settings changed at {settings.bootstrap_servers}; all {len(TOPICS)} topics are good")


@topics.command()
@click.argument("role", type=click.Choice(list(ROLES)), required=False)
@click.option("--user", help="Who gets it; else somebody of the role's own name.")
@with_settings
def acls(settings: Settings, role: str | None, user: str | None) -> None:
    """What each ROLE may do, as commands for Kafka's own tool: the least with which it can do its work.

    Nothing is sent to the brokers. Each worker, each platform that sends and each reader logs in as a user of its own.
    """
    for name in [role] if role else ROLES:
        click.echo(f"# {name}: {ROLES[name].purpose}")
        for command in commands(settings, name, user or name):
            click.echo(command)


def _report(settings: Settings, made: list[str], history: bool, as_json: bool) -> None:
    rows = []
    for topic in TOPICS:
        config = topics_admin.settings_of(topic, settings, history=history)
        rows.append(
            {
                "topic": settings.topic(topic.name),
                "partitions": topics_admin.wanted_partitions(topic, settings),
                "cleanup": topic.cleanup,
                "kept": _kept(config),
                "time": config["message.timestamp.type"],
                "made": settings.topic(topic.name) in made,
                "purpose": topic.purpose,
            }
        )
    if as_json:
        results = Results()
        for row in rows:
            results.line(row)
        return
    table = Table("topic", "partitions", "cleanup", "kept", "time", "", "purpose")
    for row in rows:
        table.add_row(*(("new" if value else "") if isinstance(value, bool) else str(value) for value in row.values()))
    person().print(table)


def _with_days(key: str, value: str | None) -> str:
    """A setting's value; a time of whole days in these, too."""
    if value is None or not key.endswith(".ms") or (ms := int(value)) < _DAY_MS or ms % _DAY_MS:
        return str(value)
    return f"{value} ({ms // _DAY_MS} days)"


def _kept(config: dict[str, str]) -> str:
    if "retention.ms" not in config:
        return "latest per key"
    days = int(config["retention.ms"]) // _DAY_MS
    return "for ever" if config["retention.ms"] == "-1" else f"{days} days"
