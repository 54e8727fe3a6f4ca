"""Routing policies from where users keep them: a file, standard input, or the name of a shipped one."""

from __future__ import annotations

from scoring.routing.policy import Policy
from scoring.routing.reading import PolicyError, read_policy
from scoring.routing.shipped import shipped_policies, shipped_policy_text
from streams.errors import InputError
from streams.shipped_files import FileKind, refuse_stdin_twice, text_of

__all__ = ["load_policy", "policy_beside", "policy_text"]

_POLICY = FileKind("policy", "policies", shipped_policies, shipped_policy_text)


def load_policy(source: str) -> Policy:
    """The policy, checked.

    Args:
        source: See `policy_text`.

    Raises:
        UsageError: There is no such file or shipped policy.
        InputError: The file is wrong; every problem, with line and column.
    """
    text, name = policy_text(source)
    try:
        return read_policy(text, name)
    except PolicyError as error:
        raise InputError(*(str(problem) for problem in error.problems)) from error


def policy_beside(files: tuple[str, ...], source: str | None) -> Policy | None:
    """The policy that an option names, read before the files of the same command; None where none is named.

    Raises:
        UsageError: There is no such policy, or it would be read from where one of the files is.
        InputError: The policy is wrong.
    """
    if source is None:
        return None
    refuse_stdin_twice(files, source, _POLICY)
    return load_policy(source)


def policy_text(source: str) -> tuple[str, str]:
    """The file's text as it is, and what messages call the file.

    Args:
        source: A shipped name, a path, or `-`. A file that is named like a shipped policy is written `./NAME`.
    """
    return text_of(source, _POLICY)
