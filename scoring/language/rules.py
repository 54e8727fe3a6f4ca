"""The section `rules`."""

from __future__ import annotations

from dataclasses import replace

from scoring.language.kinds import KINDS, KindReader, keys_of
from scoring.language.mappings import check_keys, listed, read_mapping, require
from scoring.language.nodes import Mapping, Node
from scoring.language.problems import Problems, quoted, suggestion
from scoring.language.values import read_duration, read_int, read_name
from scoring.model import DIMENSIONS, Rule
from scoring.rules import RuleKind

__all__ = ["AGE_KEYS", "MAX_POINTS", "RULE_KEYS", "read_rules"]

MAX_POINTS = 1_000

RULE_KEYS = ("points", "group")
"""Keys of every kind; its own come from its annotations."""

AGE_KEYS = ("hold", "fade", "halve")


def read_rules(node: Node, reader: KindReader, problems: Problems) -> dict[str, Rule | None]:
    """Rules by name, in the order of the file; None for one that is there but wrong."""
    section = read_mapping(node, "rules", problems)
    rules: dict[str, Rule | None] = {}
    if section is None:
        return rules
    check_keys(section, DIMENSIONS, "rules", problems)
    for dimension, entry in section.entries.items():
        bodies = read_mapping(entry.value, f"dimension {quoted(dimension)}", problems)
        signs: dict[str, Rule] = {}
        for text, rule_entry in bodies.entries.items() if bodies else ():
            name = read_name(rule_entry.key, "a rule", problems)
            if text in rules:
                what = f"rule {quoted(text)} stands in two dimensions"
                problems.add(rule_entry.key.place, what, "give one of them another name")
            body = read_mapping(rule_entry.value, f"rule {quoted(text)}", problems)
            rule = _rule(text, dimension, body, reader, problems) if body else None
            rule = replace(rule, place=rule_entry.key.place) if rule else None
            if rule and body:
                _check_sign(rule, body, signs, problems)
            rules.setdefault(text, rule if name else None)
    return rules


def _rule(name: str, dimension: str, body: Mapping, reader: KindReader, problems: Problems) -> Rule | None:
    what = f"rule {quoted(name)}"
    before = len(problems.found)
    kind_type = _kind_type(body, what, problems)
    if kind_type is None:
        return None
    _check_rule_keys(body, kind_type, what, problems)
    require(body, ("points",), what, problems)
    kind = reader.read(kind_type, body, what)
    points = _points(body, what, problems)
    group = read_name(entry.value, f"group of {what}", problems) if (entry := body.entries.get("group")) else None
    ages = _ages(body, kind_type, what, problems)
    if len(problems.found) > before or kind is None or points is None:
        return None
    hold, fade, halve = (ages.get(key) for key in AGE_KEYS)
    return Rule(name, dimension, kind, points, group, hold, fade, halve)


def _kind_type(body: Mapping, what: str, problems: Problems) -> type[RuleKind] | None:
    named = [key for key in body.entries if key in KINDS]
    if len(named) == 1:
        return KINDS[named[0]]
    if named:
        place = body.entries[named[1]].key.place
        problems.add(place, f"{what} has two kinds, {named[0]} and {named[1]}", "make two rules of it, or keep one")
        return None
    elsewhere = {key.name for kind in KINDS.values() for key in keys_of(kind)}.union(RULE_KEYS, AGE_KEYS)
    for key, entry in body.entries.items():
        near = suggestion(key, KINDS, "")
        if near and key not in elsewhere:
            problems.add(entry.key.place, f"{what} has the unknown kind {quoted(key)}", near)
            return None
    problems.add(body.place, f"{what} has no kind", f"add one of {listed(KINDS)}")
    return None


def _check_rule_keys(body: Mapping, kind: type[RuleKind], what: str, problems: Problems) -> None:
    known = [key.name for key in keys_of(kind)] + list(RULE_KEYS)
    known += AGE_KEYS if kind.AGES else ()
    for name, entry in body.entries.items():
        if name not in known:
            remedy = suggestion(name, known, f"its keys are {listed(known)}")
            if name in AGE_KEYS:
                remedy = "remove it: points of this kind do not age"
            problems.add(entry.key.place, f"unknown key {quoted(name)} in {what} of the kind {kind.KIND}", remedy)


def _points(body: Mapping, what: str, problems: Problems) -> int | None:
    entry = body.entries.get("points")
    if entry is None:
        return None
    points = read_int(entry.value, f"points of {what}", -MAX_POINTS, MAX_POINTS, problems)
    if points == 0:
        remedy = f"write -{MAX_POINTS} to {MAX_POINTS}, not 0, or remove the rule"
        problems.add(entry.value.place, f"points of {what} is 0", remedy)
    return points or None


def _ages(body: Mapping, kind: type[RuleKind], what: str, problems: Problems) -> dict[str, int | None]:
    if not kind.AGES:
        return {}
    found = {key: entry for key in AGE_KEYS if (entry := body.entries.get(key))}
    if "fade" in found and "halve" in found:
        problems.add(found["halve"].key.place, f"{what} has both fade and halve", "keep one of the two")
    return {key: read_duration(entry.value, f"{key} of {what}", problems) for key, entry in found.items()}


def _check_sign(rule: Rule, body: Mapping, firsts: dict[str, Rule], problems: Problems) -> None:
    """All rules of a group reward, or all take away: "the most points by size" means nothing otherwise."""
    if rule.group is None:
        return
    first = firsts.setdefault(rule.group, rule)
    if (first.points > 0) != (rule.points > 0):
        place = body.entries["points"].value.place
        what = f"points of rule {rule.name} is {rule.points}, in group {rule.group} with {first.name} at {first.points}"
        problems.add(place, what, "rules of a group have the same sign: change it, or take the rule out of the group")
