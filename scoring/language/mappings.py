"""A mapping whose keys are known beforehand."""

from __future__ import annotations

from collections.abc import Iterable

from scoring.language.nodes import Broken, Mapping, Node
from scoring.language.problems import Problems, quoted, suggestion
from scoring.language.values import described

__all__ = ["check_keys", "listed", "read_mapping", "require"]


def listed(names: Iterable[str]) -> str:
    """Names as a sentence lists them.

    >>> listed(["a", "b", "c"])
    'a, b, c'
    """
    return ", ".join(names)


def read_mapping(node: Node, what: str, problems: Problems) -> Mapping | None:
    """The node as a mapping, or None after saying that it is none."""
    if isinstance(node, Mapping):
        return node
    if not isinstance(node, Broken):
        problems.add(node.place, f"{what} is {described(node)}", "write a mapping: keys with values, {} for none")
    return None


def check_keys(mapping: Mapping, known: Iterable[str], what: str, problems: Problems) -> None:
    """Notes every key that is not known, with the nearest one that is."""
    known = list(known)
    for name, entry in mapping.entries.items():
        if name not in known:
            remedy = suggestion(name, known, f"its keys are {listed(known)}")
            problems.add(entry.key.place, f"unknown key {quoted(name) or 'without text'} in {what}", remedy)


def require(mapping: Mapping, names: Iterable[str], what: str, problems: Problems) -> None:
    """Notes every key that is missing."""
    for name in names:
        if name not in mapping.entries:
            problems.add(mapping.place, f"{what} has no {name}", f"add {name}")
