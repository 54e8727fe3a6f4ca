"""`leadstream topics`: made as they must be, and compared with it."""

from __future__ import annotations

import click
from rich.table import Table

from schemas.topics import TOPICS
from streams import topics_admin
from streams.acls import ROLES, commands
from streams.cli.base import Commands, Results, as_json, person, say, with_settings
from streams.settings import Settings

__all__ = ["topics"]

_history = click.option(
    "--history", is_flag=True, help="For a past stream: record times are their senders', nothing is deleted by time."
)


@click.group(cls=Commands)
def topics() -> None:
    """Make or verify the topics. What exists is never changed."""


@topics.command()
@_history
@as_json
@with_settings
def create(settings: Settings, history: bool, as_json: bool) -> None:
    """Make the topics that do not exist, then compare all of them with what they must be.

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


def _kept(config: dict[str, str]) -> str:
    if "retention.ms" not in config:
        return "latest per key"
    days = int(config["retention.ms"]) // 86_400_000
    return "for ever" if config["retention.ms"] == "-1" else f"{days} days"
