"""The command `leadstream`: one file per group of commands.

Results go to standard output, everything else to standard error. Exit codes: 0 good, 1 the input is wrong (every
problem is listed), 2 wrong usage, 3 a server cannot be reached, 4 the state on the broker is not what it must be,
5 stopped itself to stay exact: start it again. Ctrl-C: 130.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

import click

from streams.cli.base import Commands, say
from streams.engine.errors import EngineError
from streams.errors import InputError, LeadstreamError

__all__ = ["cli", "main", "run"]

INTERRUPTED = 130
_COMPLETE = "_LEADSTREAM_COMPLETE"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_COMMANDS = {
    "model": ("streams.cli.model:model", "Check, show and publish scoring models."),
    "policy": ("streams.cli.policy:policy", "Check, show and publish routing policies."),
    "score": ("streams.cli.score:score", "Score files of events, without Kafka."),
    "explain": ("streams.cli.explain:explain", "Why a lead has its score."),
    "route": ("streams.cli.route:route", "Owners and clocks of files of tier changes, without Kafka; backfill."),
    "assign": ("streams.cli.hand:assign", "Give a lead to an owner or a team, by hand."),
    "release": ("streams.cli.hand:release", "Take a lead from its owner, by hand."),
    "topics": ("streams.cli.topics:topics", "Make or verify the topics."),
    "send": ("streams.cli.send:send", "Send files of events to their topics."),
    "worker": ("streams.cli.worker:worker", "Run one process of one stage."),
    "up": ("streams.cli.worker:up", "Run all stages on this machine, supervised."),
    "read": ("streams.cli.read:read", "Read a topic as JSON lines."),
    "dlq": ("streams.cli.dlq:dlq", "Dead letters: look at them, send them again."),
    "shared": ("streams.cli.shared:shared", "Visitors and addresses that are nobody's."),
    "settings": ("streams.cli.settings:settings", "Every setting and its value."),
    "hot": ("streams.cli.hot:hot", "Who must be called next, and by when."),
    "lead": ("streams.cli.lead:lead", "One lead: score, reasons, owner, clock."),
    "report": ("streams.cli.report:report", "What becomes of hot leads, over 28 days."),
    "serve": ("streams.cli.serve:serve", "The API of the read model in Redis."),
    "demo": ("streams.cli.demo:demo", "Watch it work, with a broker of its own."),
}


@click.group(cls=Commands, lazy=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="leadstream", message="%(package)s %(version)s")
def cli() -> None:
    """Lead scoring on Kafka: events in, tier changes out, each with its reasons.

    Settings come from the environment (LEADSTREAM_…) or a file (--env-file); `leadstream settings` lists them.

    In ~/.bashrc, eval "$(_LEADSTREAM_COMPLETE=bash_source leadstream)" has the tab key complete commands and options;
    zsh_source and fish_source do it for these shells.
    """


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; its exit code. A user's mistake never shows a traceback."""
    try:
        with cli.make_context("leadstream", list(arguments)) as context:
            code = cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        _forget_results()  # the reader has seen enough
        return 0
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _forget_results()
        say(f"leadstream: what was to be written does not fit: {error.strerror}; make room and start again")
        return InputError.exit_code
    except (KeyboardInterrupt, click.Abort):
        say("stopped")
        return INTERRUPTED
    except InputError as error:
        # The lines begin with a file and a place, so that an editor can go there.
        say(str(error))
        return error.exit_code
    except (LeadstreamError, EngineError) as error:
        say("\n".join(f"leadstream: {line}" for line in str(error).splitlines()))
        return error.exit_code
    return code if isinstance(code, int) else 0


def main() -> None:
    """Entry point of the command, and of the shell where it completes a line (`_LEADSTREAM_COMPLETE=bash_source`)."""
    if instruction := os.environ.get(_COMPLETE):
        from click.shell_completion import shell_complete  # noqa: PLC0415  # no other command needs it

        sys.exit(shell_complete(cli, {}, "leadstream", _COMPLETE, instruction))
    sys.exit(run(sys.argv[1:]))


def _forget_results() -> None:
    """What Python still holds for standard output goes nowhere: it would fail once more when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
