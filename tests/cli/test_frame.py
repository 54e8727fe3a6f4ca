"""What all commands share: help, suggestions, exit codes, a reader that goes away."""

import os
import subprocess
import sys

import click
import pytest

from streams.cli import cli
from tests.cli.conftest import Leadstream

COMMAND = [sys.executable, "-m", "streams.cli"]


def test_help_lists_every_command(leadstream: Leadstream) -> None:
    ran = leadstream("--help")

    assert ran.code == 0
    for name in cli.list_commands(click.Context(cli)):
        assert f"\n  {name} " in ran.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["scroe"], "Did you mean 'score'?"),
        (["dlq", "lst"], "Did you mean 'list'?"),
        (["settings", "--jsn"], "Did you mean --json?"),
        (["worker", "routes"], "'routes' is not one of 'ingest', 'score', 'route'"),
        (["dlq", "show", "17"], "'17' is not PARTITION:OFFSET"),
    ],
)
def test_a_misspelt_word_is_answered_with_what_was_meant(
    leadstream: Leadstream, arguments: list[str], told: str
) -> None:
    ran = leadstream(*arguments)

    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err


@pytest.mark.parametrize("arguments", [["dlq", "list"], ["dlq", "show", "0:0"], ["dlq", "replay"]], ids=" ".join)
def test_a_broker_that_is_away_ends_a_command_with_3_and_its_address(
    leadstream: Leadstream, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("LEADSTREAM_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setattr("streams.clients.REACH_TIMEOUT_S", 1.0)

    ran = leadstream(*arguments)

    assert (ran.code, ran.out) == (3, "")
    (line,) = ran.err.splitlines()
    assert line.startswith("leadstream: Kafka at 127.0.0.1:1 cannot be reached: ")
    assert "Connection refused" in line
    assert line.endswith("start it, or set LEADSTREAM_BOOTSTRAP_SERVERS")


def test_a_reader_that_goes_away_is_no_error() -> None:
    shell = f"{' '.join(COMMAND)} settings --json | head -1; echo ${{PIPESTATUS[0]}}"

    ran = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=30, check=False)

    assert ran.stdout.splitlines()[-1] == "0"
    assert ran.stderr == ""


@pytest.mark.parametrize("arguments", [["settings", "--json"], ["settings"], ["--help"]], ids=" ".join)
def test_a_full_disk_is_told_without_a_traceback(arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123  # a device
        ran = subprocess.run([*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, timeout=30, check=False)

    assert ran.returncode == 1
    assert ran.stderr.decode() == (
        "leadstream: what was to be written does not fit: No space left on device; make room and start again\n"
    )


def test_the_shell_completes_commands() -> None:
    asked = {"_LEADSTREAM_COMPLETE": "bash_complete", "COMP_WORDS": "leadstream dlq re", "COMP_CWORD": "2"}

    ran = subprocess.run(COMMAND, env=os.environ | asked, capture_output=True, text=True, timeout=30, check=False)

    assert ran.stdout.split() == ["plain,replay", "plain,release"]


def test_help_loads_no_stream_processor() -> None:
    program = (
        "import sys, streams.engine; from streams.cli import run; run(['--help']); "
        "print(*{'faust', 'mode', 'aiokafka', 'confluent_kafka'} & sys.modules.keys(), file=sys.stderr)"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)

    assert (ran.returncode, ran.stderr.split()) == (0, [])
