"""The sections `score` and `publish`."""

from __future__ import annotations

import re

from scoring.language.mappings import check_keys, listed, read_mapping
from scoring.language.nodes import Mapping, Node
from scoring.language.problems import Problems, quoted, suggestion
from scoring.language.values import read_int, read_list, read_text
from scoring.model import DIMENSIONS, Bounds, Total

__all__ = ["MAX_THRESHOLD", "read_publish", "read_score"]

MAX_THRESHOLD = 1_000_000
"""Of clamps and thresholds, either way: more than any sum of points."""

_PERSON = re.compile(
    r"((first|last|middle|full|given|family|nick|sur|display|user|contact|person)_?)?name",
)
"""A whole field that is somebody's name; `company_name` is none."""

_PERSON_WORD = re.compile(
    r"e?mails?|phones?|mobile|cell|telephone|tel|fax|whatsapp|address|street|postcode|zip|linkedin|twitter|facebook"
    r"|instagram|birth(day|date)?|passport|iban|dni|nif|ssn",
)
"""A word by which somebody can be reached or told apart, wherever it stands in a field."""


def read_score(node: Node, problems: Problems) -> tuple[dict[str, Bounds], Total]:
    """The clamps of the dimensions and of the total."""
    section = read_mapping(node, "score", problems)
    bounds: dict[str, Bounds] = {}
    total = Total()
    if section is None:
        return bounds, total
    check_keys(section, (*DIMENSIONS, "total"), "score", problems)
    for name, entry in section.entries.items():
        body = read_mapping(entry.value, f"score of {quoted(name)}", problems)
        if body is None or name not in (*DIMENSIONS, "total"):
            continue
        check_keys(body, ("of", "min", "max") if name == "total" else ("min", "max"), f"score of {name}", problems)
        low, high = _bounds(body, name, problems)
        if name == "total":
            total = Total(_of(body, problems), low, high)
        else:
            bounds[name] = Bounds(low, high)
    return bounds, total


def _bounds(body: Mapping, name: str, problems: Problems) -> tuple[int | None, int | None]:
    low, high = (
        read_int(entry.value, f"{key} of {name}", -MAX_THRESHOLD, MAX_THRESHOLD, problems)
        if (entry := body.entries.get(key))
        else None
        for key in ("min", "max")
    )
    if low is not None and high is not None and low > high:
        place = body.entries["min"].value.place
        problems.add(place, f"min {low} of {name} is over its max {high}", "swap them, or change one")
    return low, high


def _of(body: Mapping, problems: Problems) -> tuple[str, ...]:
    entry = body.entries.get("of")
    if entry is None:
        return DIMENSIONS
    found: list[str] = []
    for item in read_list(entry.value, "of of total", problems) or ():
        name = read_text(item, "of of total", problems)
        if name is None:
            continue
        if name not in DIMENSIONS:
            remedy = suggestion(name, DIMENSIONS, f"the dimensions are {listed(DIMENSIONS)}")
            problems.add(item.place, f"total is of the unknown dimension {quoted(name)}", remedy)
        elif name in found:
            problems.add(item.place, f"total is of {name} twice", "name it once")
        found.append(name)
    return tuple(found)


def read_publish(node: Node, problems: Problems) -> tuple[str, ...]:
    """The profile fields that leave with scores and tier changes."""
    fields: list[str] = []
    for item in read_list(node, "publish", problems, empty=True) or ():
        name = read_text(item, "publish", problems)
        if name is None:
            continue
        if _names_a_person(name):
            remedy = "remove it: what is published must not name a person"
            problems.add(item.place, f"publish has {quoted(name)}", remedy)
        elif name in fields:
            problems.add(item.place, f"publish has {quoted(name)} twice", "name it once")
        fields.append(name)
    return tuple(fields)


def _names_a_person(field: str) -> bool:
    """Whether a profile field says who somebody is, or how to reach them.

    >>> [_names_a_person(field) for field in ("First Name", "work_email", "company_name", "industry")]
    [True, True, False, False]
    """
    # `firstName` is the same as `first_name`.
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", field)
    words = [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]
    return _PERSON.fullmatch("_".join(words)) is not None or any(_PERSON_WORD.fullmatch(word) for word in words)
