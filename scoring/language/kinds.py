"""Rule kinds, read from their annotations.

A kind is a dataclass (`scoring.rules`); its fields are its keys in the file and their annotations say how to read
them. A new kind needs nothing here, as long as its annotations are among these.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping as Lookup
from dataclasses import dataclass
from typing import Annotated, Any

from scoring.language.mappings import listed
from scoring.language.nodes import Broken, Entry, Mapping, Node, Sequence
from scoring.language.problems import Problems, quoted, suggestion
from scoring.language.values import described, read_bool, read_conditions, read_duration, read_int, read_list, read_text
from scoring.model import Signal
from scoring.rules import RULE_KINDS, RuleKind
from scoring.rules.base import Conditions, Duration, SignalNames, Times

__all__ = ["KINDS", "Key", "KindReader", "keys_of"]

KINDS: dict[str, type[RuleKind]] = {kind.KIND: kind for kind in RULE_KINDS}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a rule kind.

    Attributes:
        form: The annotation without its limits and without `| None`.
        times: Limits of a whole number.
        default: What holds where the key is missing; `dataclasses.MISSING` where it must be there.
    """

    name: str
    form: Any
    times: Times | None
    default: Any

    @property
    def required(self) -> bool:
        """Whether the key must be there."""
        return self.default is dataclasses.MISSING


def keys_of(kind: type[RuleKind]) -> list[Key]:
    """The keys of a kind, in the order of its fields."""
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = dataclasses.fields(kind)  # type: ignore[arg-type]  # every kind is a dataclass
    return [_key(field.name, hints[field.name], field.default) for field in fields]


def _key(name: str, hint: Any, default: Any) -> Key:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (option for option in typing.get_args(hint) if option is not type(None))
    if typing.get_origin(hint) is Annotated:
        form, times = typing.get_args(hint)
        return Key(name, form, times, default)
    return Key(name, hint, None, default)


class KindReader:
    """Reads the keys of kinds against the signals of the file.

    Args:
        signals: By name; None for one that is there but wrong.
    """

    def __init__(self, signals: Lookup[str, Signal | None], problems: Problems) -> None:
        self._signals = signals
        self._problems = problems

    def read(self, kind: type[RuleKind], mapping: Mapping, what: str) -> RuleKind | None:
        """The kind of a rule with its keys, or None after noting what is wrong."""
        values: dict[str, Any] = {}
        complete = True
        for key in keys_of(kind):
            entry = mapping.entries.get(key.name)
            if entry is not None:
                values[key.name] = self._value(key, entry, f"{key.name} of {what}")
                complete = complete and values[key.name] is not None
            elif key.required:
                remedy = f"add {key.name}: the kind {kind.KIND} needs it"
                self._problems.add(mapping.place, f"{what} has no {key.name}", remedy)
                complete = False
        return kind(**values) if complete else None

    def _value(self, key: Key, entry: Entry, what: str) -> Any:
        node = entry.value
        if key.form is int:
            limits = key.times or Times(1, 64)
            return read_int(node, what, limits.low, limits.high, self._problems)
        if key.form == SignalNames:
            return self._union(node, what, empty=key.default == ())
        if key.form == tuple[SignalNames, ...]:
            return self._unions(node, what)
        reader = {Conditions: read_conditions, Duration: read_duration, bool: read_bool}[key.form]
        return reader(node, what, self._problems)

    def _unions(self, node: Node, what: str) -> tuple[SignalNames, ...] | None:
        """Several signals, each of which may be a union."""
        if isinstance(node, Broken):
            return None
        if not isinstance(node, Sequence) or len(node.items) < 2:
            shown = "a list of one" if isinstance(node, Sequence) and node.items else described(node)
            self._problems.add(node.place, f"{what} is {shown}", "write a list of two or more signals")
            return None
        unions = [self._union(item, what) for item in node.items]
        return None if None in unions else tuple(one for one in unions if one is not None)

    def _union(self, node: Node, what: str, *, empty: bool = False) -> SignalNames | None:
        """One signal, or a list of them that stands for one."""
        items = read_list(node, what, self._problems, empty=empty)
        if items is None:
            return None
        names: list[str] = []
        for item in items:
            name = read_text(item, what, self._problems)
            if name is not None and self._is_known(name, item, what):
                if name in names:
                    self._problems.add(item.place, f"{what} names {quoted(name)} twice", "name it once")
                names.append(name)
        self._check_distinct(names, node, what)
        return tuple(names) if len(names) == len(items) else None

    def _is_known(self, name: str, item: Node, what: str) -> bool:
        if name in self._signals:
            return True
        known = f"the signals are {listed(self._signals)}" if self._signals else "the file has no signals"
        if len(self._signals) > 12:
            known = "define it under signals"
        remedy = suggestion(name, self._signals, known)
        self._problems.add(item.place, f"{what} names the unknown signal {quoted(name)}", remedy)
        return False

    def _check_distinct(self, names: list[str], node: Node, what: str) -> None:
        """A union counts each key once, so its signals must agree on what a key is."""
        signals = [signal for name in names if (signal := self._signals[name]) is not None]
        for signal in signals[1:]:
            if signal.distinct != signals[0].distinct:
                pair = " and ".join(f"{one.name} ({one.distinct or 'none'})" for one in (signals[0], signal))
                remedy = "signals of one list have the same distinct, or none"
                self._problems.add(node.place, f"{what} lists signals of different distinct: {pair}", remedy)
                return
