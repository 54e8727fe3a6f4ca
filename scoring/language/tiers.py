"""The section `tiers`: best first, the last one takes everybody else."""

from __future__ import annotations

from collections.abc import Mapping as Lookup
from dataclasses import replace

from scoring.language.mappings import check_keys, read_mapping
from scoring.language.nodes import Mapping, Node
from scoring.language.problems import Problems, quoted, suggestion
from scoring.language.score import MAX_THRESHOLD
from scoring.language.values import read_duration, read_int, read_list, read_name, read_text
from scoring.model import Rule, Tier

__all__ = ["TIER_KEYS", "entry_total", "read_tiers"]

_NUMBERS = ("at_least", "above", "leave_below", "fit_at_least", "engagement_at_least")
TIER_KEYS = (*_NUMBERS, "requires_any", "stay_at_least")


def entry_total(tier: Tier) -> int | None:
    """The least total that lets a lead in, or None where the tier does not ask for one."""
    if tier.above is not None:
        return tier.above + 1
    return tier.at_least


def read_tiers(node: Node, rules: Lookup[str, Rule | None], problems: Problems) -> tuple[Tier, ...]:
    """The tiers that can be read."""
    section = read_mapping(node, "tiers", problems)
    if section is None:
        return ()
    if not section.entries:
        problems.add(section.place, "there are no tiers", "add at least a last one, such as cold: {}")
    tiers: list[Tier] = []
    last = next(reversed(section.entries), None)
    for text, entry in section.entries.items():
        read_name(entry.key, "a tier", problems)
        body = read_mapping(entry.value, f"tier {quoted(text)}", problems)
        tier = _tier(text, body, rules, problems) if body else None
        tier = replace(tier, place=entry.key.place) if tier else None
        if text == last and body and body.entries:
            first = next(iter(body.entries.values())).key
            remedy = "write {} there: it takes everybody else; or add a tier below it"
            problems.add(first.place, f"the last tier {quoted(text)} has the condition {quoted(first.text)}", remedy)
        elif tier and body:
            _check_descending(tiers, tier, body, problems)
        if tier:
            tiers.append(tier)
    return tuple(tiers)


def _tier(name: str, body: Mapping, rules: Lookup[str, Rule | None], problems: Problems) -> Tier | None:
    what = f"tier {quoted(name)}"
    before = len(problems.found)
    check_keys(body, TIER_KEYS, what, problems)
    get = body.entries.get
    numbers = {
        key: read_int(entry.value, f"{key} of {what}", -MAX_THRESHOLD, MAX_THRESHOLD, problems)
        for key in _NUMBERS
        if (entry := get(key))
    }
    required = _requires_any(entry.value, what, rules, problems) if (entry := get("requires_any")) else ()
    stay = read_duration(entry.value, f"stay_at_least of {what}", problems) if (entry := get("stay_at_least")) else None
    if len(problems.found) > before:
        return None
    at_least, above, leave_below, fit, engagement = (numbers.get(key) for key in _NUMBERS)
    tier = Tier(name, at_least, above, leave_below, fit, engagement, required, stay)
    _check_numbers(tier, body, problems)
    return tier


def _requires_any(node: Node, what: str, rules: Lookup[str, Rule | None], problems: Problems) -> tuple[str, ...]:
    names: list[str] = []
    for item in read_list(node, f"requires_any of {what}", problems) or ():
        name = read_text(item, f"requires_any of {what}", problems)
        if name is None:
            continue
        if name not in rules:
            remedy = suggestion(name, rules, "name a rule of the file")
            problems.add(item.place, f"requires_any of {what} names the unknown rule {quoted(name)}", remedy)
        elif name in names:
            problems.add(item.place, f"requires_any of {what} names {quoted(name)} twice", "name it once")
        names.append(name)
    return tuple(names)


def _check_numbers(tier: Tier, body: Mapping, problems: Problems) -> None:
    """Numbers of one tier that must agree."""
    what = f"tier {tier.name}"
    if tier.at_least is not None and tier.above is not None:
        place = body.entries["above"].key.place
        problems.add(place, f"{what} has both at_least {tier.at_least} and above {tier.above}", "keep one of the two")
        return
    if tier.leave_below is None:
        return
    entry = entry_total(tier)
    place = body.entries["leave_below"].value.place
    if entry is None:
        remedy = "add at_least or above, or remove it: it takes the place of one of them"
        problems.add(place, f"{what} has leave_below {tier.leave_below} without a threshold to enter", remedy)
    elif tier.leave_below > entry:
        written = f"at_least {tier.at_least}" if tier.above is None else f"above {tier.above}"
        remedy = f"a lead would leave as it enters: write {entry} or less"
        problems.add(place, f"leave_below {tier.leave_below} of {what} is over its {written}", remedy)


def _check_descending(better: list[Tier], tier: Tier, body: Mapping, problems: Problems) -> None:
    """Each tier asks for a smaller total than the better ones, or for the same without their other conditions."""
    entry = entry_total(tier)
    if entry is None:
        return
    for other in better:
        bar = entry_total(other)
        if bar is None:
            continue
        more = other.requires_any or other.fit_at_least is not None or other.engagement_at_least is not None
        if entry > bar or (entry == bar and not more):
            key = "at_least" if tier.above is None else "above"
            what = f"{key} {body.entries[key].value.text} of tier {tier.name}"  # type: ignore[union-attr]
            remedy = "tiers stand best first: write a smaller number, or change their order"
            written = f"at_least {other.at_least}" if other.above is None else f"above {other.above}"
            problems.add(body.entries[key].value.place, f"{what} is not under {written} of {other.name}", remedy)
            return
