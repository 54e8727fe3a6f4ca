"""Signals that no event can match: kinds, fields and values that the event contract does not have."""

from __future__ import annotations

from collections.abc import Iterable

from scoring.conditions import Allowed, Condition, Conditions, Pattern, Range
from scoring.fields import EVENT_KINDS, FREE_FIELDS, FieldForm, field_form, field_names, has_free_fields
from scoring.language.implied import conditions_imply
from scoring.language.mappings import listed
from scoring.language.nodes import Entry, Mapping, Node, Sequence
from scoring.language.problems import Problems, quoted, suggestion
from scoring.matching import text_fits
from scoring.model import Place, Signal

__all__ = ["check_signal"]


def check_signal(signal: Signal, body: Mapping, problems: Problems) -> None:
    """Notes whatever no event of the signal's kinds can be."""
    known = _check_kinds(signal, body.entries["on"].value, problems)
    if not known:
        return
    before = len(problems.found)
    for key, conditions in (("where", signal.where), ("except", signal.excepted)):
        if entry := body.entries.get(key):
            _check_conditions(conditions, entry, signal, known, problems)
    if signal.distinct is not None:
        _check_field(signal.distinct, body.entries["distinct"].value.place, signal, known, problems)
    if len(problems.found) > before:
        return
    place = body.entries["where"].key.place if signal.where else body.place
    if not any(_possible(signal.where, kind) for kind in known):
        what = f"signal {signal.name} matches no event: none of {listed(known)} has all of its fields"
        problems.add(place, what, "make one signal for each kind")
    elif signal.excepted and conditions_imply(signal.where, signal.excepted):
        what = f"signal {signal.name} matches no event: except holds wherever where does"
        problems.add(place, what, "change one of the two")


def _check_kinds(signal: Signal, node: Node, problems: Problems) -> list[str]:
    items: tuple[Node, ...] = node.items if isinstance(node, Sequence) else (node,)
    known: list[str] = []
    for kind, item in zip(signal.on, items, strict=False):
        if kind not in EVENT_KINDS:
            remedy = suggestion(kind, EVENT_KINDS, f"the kinds are {listed(EVENT_KINDS)}")
            problems.add(item.place, f"signal {signal.name} is on the unknown kind {quoted(kind)}", remedy)
        elif kind in known:
            problems.add(item.place, f"signal {signal.name} is on {kind} twice", "name it once")
        else:
            known.append(kind)
    return known


def _check_conditions(
    conditions: Conditions, entry: Entry, signal: Signal, kinds: list[str], problems: Problems
) -> None:
    if not isinstance(entry.value, Mapping):
        return
    for condition in conditions:
        line = entry.value.entries[condition.field]
        forms = _check_field(condition.field, line.key.place, signal, kinds, problems)
        items: tuple[Node, ...] = line.value.items if isinstance(line.value, Sequence) else (line.value,)
        for allowed, item in zip(condition.allowed, items, strict=True):
            if forms and not any(_can_be(form, allowed) for form in forms):
                what = f"{condition.field} of signal {signal.name} is never {_shown(allowed)}"
                problems.add(item.place, what, _remedy(allowed, forms))


def _check_field(field: str, place: Place, signal: Signal, kinds: list[str], problems: Problems) -> list[FieldForm]:
    """What can stand in the field, one form for each kind that has it; a note where none has."""
    forms = [form for kind in kinds if (form := field_form(kind, field))]
    if not forms:
        names = list(dict.fromkeys(name for kind in kinds for name in field_names(kind)))
        if any(has_free_fields(kind) for kind in kinds):
            names.append(f"{FREE_FIELDS}.NAME")
        near = f"{FREE_FIELDS}.{field}" if f"{FREE_FIELDS}.NAME" in names and "." not in field else None
        remedy = suggestion(field, names, f"its fields are {listed(names)}")
        if near and not remedy.startswith("did"):
            remedy = f"did you mean {quoted(near)}? {remedy[0].upper()}{remedy[1:]}"
        owners = f"{listed(kinds)} has" if len(kinds) == 1 else f"none of {listed(kinds)} has"
        owners += " no" if len(kinds) == 1 else " a"
        problems.add(place, f"signal {signal.name}: {owners} field {quoted(field)}", remedy)
    return forms


def _possible(conditions: Conditions, kind: str) -> bool:
    """Whether an event of one kind can meet all conditions."""
    return all(_meets(condition, kind) for condition in conditions)


def _meets(condition: Condition, kind: str) -> bool:
    form = field_form(kind, condition.field)
    return form is not None and any(_can_be(form, allowed) for allowed in condition.allowed)


def _can_be(form: FieldForm, allowed: Allowed) -> bool:
    if isinstance(allowed, bool):
        return bool in form.types
    if isinstance(allowed, Pattern):
        if str not in form.types or not allowed.text.startswith((form.begins, "*")):
            return False
        return form.closed is None or any(text_fits(allowed.text, value.casefold()) for value in form.closed)
    # Text of digits only counts as the number that it spells, and spells none below 0.
    if int in form.types:
        return True
    high = allowed.high if isinstance(allowed, Range) else allowed
    return str in form.types and form.closed is None and not form.begins and (high is None or high >= 0)


def _shown(allowed: Allowed) -> str:
    if isinstance(allowed, Pattern):
        return quoted(allowed.text)
    if isinstance(allowed, Range):
        ends = ("" if end is None else str(end) for end in (allowed.low, allowed.high))
        return "..".join(ends)
    return str(allowed).lower()


def _remedy(allowed: Allowed, forms: Iterable[FieldForm]) -> str:
    closed = [value for form in forms for value in form.closed or ()]
    if closed and isinstance(allowed, Pattern):
        return suggestion(allowed.text, closed, f"it is one of {listed(dict.fromkeys(closed))}")
    begins = [form.begins for form in forms if form.begins]
    if begins and isinstance(allowed, Pattern):
        first = begins[0]
        return f"it begins with {first}: write {quoted(first + allowed.text)}, or {quoted('*' + allowed.text)}"
    types = {one for form in forms for one in form.types}
    names = [name for one, name in ((str, "text"), (int, "a whole number"), (bool, "true or false")) if one in types]
    return f"it is {' or '.join(names)}" if not closed else f"it is one of {listed(dict.fromkeys(closed))}"
