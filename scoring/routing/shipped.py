"""The routing policies that ship, by name: `b2b-default`.

They are files of the package, read through `importlib.resources`; nothing else here touches the disk.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from scoring.routing.policy import Policy
from scoring.routing.reading import read_policy

__all__ = ["shipped_policies", "shipped_policy", "shipped_policy_text"]

_SUFFIX = ".yaml"


@cache
def shipped_policies() -> tuple[str, ...]:
    """Their names, sorted.

    >>> shipped_policies()
    ('b2b-default',)
    """
    files = resources.files("scoring.routing.policies").iterdir()
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX)))


def shipped_policy_text(name: str) -> str:
    """The file of a shipped policy.

    Raises:
        KeyError: There is none of that name.
    """
    if name not in shipped_policies():
        raise KeyError(name)
    return resources.files("scoring.routing.policies").joinpath(name + _SUFFIX).read_bytes().decode()


@cache
def shipped_policy(name: str) -> Policy:
    """A shipped policy, read.

    Raises:
        KeyError: There is none of that name.
    """
    return read_policy(shipped_policy_text(name), name + _SUFFIX)
