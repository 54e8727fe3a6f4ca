"""YAML text to a tree in which everything knows its place.

PyYAML's events are used, not its loaders: so a key that stands twice is seen, nothing is made of tags, aliases cannot
blow up, and `no`, `on`, `1_000`, `0x1F` or `1.5` stay the text that they are. Only `true`, `false` and decimal whole
numbers, written without quotes, are not text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from schemas.limits import MAX_MODEL_BYTES
from scoring.language.problems import Problems, quoted
from scoring.model import Place

__all__ = ["MAX_DEPTH", "Broken", "Entry", "Mapping", "Node", "Scalar", "Sequence", "compose"]

MAX_DEPTH = 20

_WHOLE_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
_TOO_LONG_NUMBER = re.compile(r"[-+]?[1-9][0-9]{19,}")


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value.

    Attributes:
        text: As written, without quotes.
        value: The same as what it means: `true` and `false`, a whole number, or text.
    """

    text: str
    value: str | int | bool
    place: Place


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a mapping."""

    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values, in the order of the file."""

    place: Place
    entries: dict[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Broken:
    """Stands for something that has been reported already; whoever meets it says nothing more."""

    place: Place


Node = Scalar | Sequence | Mapping | Broken


class _Stop(Exception):  # noqa: N818 - not an error: the rest of the file cannot be read, what is wrong is noted
    pass


def compose(text: str, problems: Problems, kind: str = "model") -> Node | None:
    """The tree of a file, or None where the file cannot be read at all; every problem is noted.

    Args:
        text: The file.
        problems: Where they are noted.
        kind: What the file is, for messages; also the key that it begins with.
    """
    start = Place(1, 1)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        problems.add(start, "the file has characters that are no text", "save it as UTF-8")
        return None
    if size > MAX_MODEL_BYTES:
        problems.add(start, f"the file has {size} bytes", f"a {kind} has at most {MAX_MODEL_BYTES}: shorten it")
        return None
    try:
        return _Composer(yaml.parse(text, Loader=yaml.SafeLoader), problems, kind).document()
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark)
        what = ", ".join(part for part in (error.context, error.problem) if part)
        problems.add(place, f"not YAML: {_on_one_line(what)}", "check brackets, quotes, colons and indentation here")
    except yaml.reader.ReaderError as error:
        place = _place_of_offset(text, int(error.position))
        problems.add(place, f"not YAML: the character {error.character:#06x} may not stand here", "remove it")
    return None


def _on_one_line(text: str) -> str:
    """A message of the parser on one line, whatever of the file it repeats."""
    return " ".join(quoted(word) for word in text.split())


def _place(mark: Any) -> Place:
    return Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)


def _place_of_offset(text: str, offset: int) -> Place:
    before = text[:offset]
    return Place(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


class _Composer:
    """Builds the tree from the parser's events; stops where going on would only repeat the damage."""

    def __init__(self, events: Iterator[yaml.Event], problems: Problems, kind: str) -> None:
        self._events = events
        self._problems = problems
        self._kind = kind

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if event.tags:
                    self._problems.add(_place(event.start_mark), "%TAG is not allowed", "remove it")
                if root is not None:
                    place = _place(event.start_mark)
                    self._problems.add(place, "a second document begins", f"a {self._kind} is one document: remove it")
                    raise _Stop
                root = self._node(next(self._events), 1)
        if root is None:
            self._problems.add(Place(1, 1), "the file is empty", f"begin with {self._kind}: NAME")
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        place = _place(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            what = f"alias *{quoted(event.anchor or '')} is not allowed"
            self._problems.add(place, what, "write out what it stands for")
            return Broken(place)
        broken = self._refused(event, place)
        if depth > MAX_DEPTH and not isinstance(event, yaml.ScalarEvent):
            self._problems.add(
                place, f"deeper than {MAX_DEPTH}", f"no {self._kind} needs this: check brackets and indentation"
            )
            raise _Stop
        node: Node
        if isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(place, depth)
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(place, depth)
        elif isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, place)
        else:  # pragma: no cover - the parser gives nothing else here
            raise _Stop
        return Broken(place) if broken else node

    def _refused(self, event: Any, place: Place) -> bool:
        """Notes an anchor or a tag on a node."""
        anchor, tag = event.anchor, event.tag
        if anchor is not None:
            self._problems.add(place, f"anchor &{quoted(anchor)} is not allowed", "remove it")
        if tag is not None:
            shown = quoted(tag.replace("tag:yaml.org,2002:", "!!"))
            self._problems.add(
                place, f"tag {shown} is not allowed", f"remove it: the {self._kind}'s values need no types"
            )
        return anchor is not None or tag is not None

    def _sequence(self, place: Place, depth: int) -> Sequence:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Sequence(tuple(items), place)

    def _mapping(self, place: Place, depth: int) -> Mapping:
        mapping = Mapping(place)
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if isinstance(key, Scalar):
                self._entry(mapping, key, value)
            elif not isinstance(key, Broken):
                self._problems.add(key.place, "a key is a list or a mapping", "a key is one word")
        return mapping

    def _entry(self, mapping: Mapping, key: Scalar, value: Node) -> None:
        earlier = mapping.entries.get(key.text)
        if earlier is None:
            mapping.entries[key.text] = Entry(key, value)
            return
        first = earlier.key.place
        what = f"{quoted(key.text)} stands twice, first on line {first.line}"
        self._problems.add(key.place, what, "keep one of the two")

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Node:
        text = event.value
        if event.style is not None:
            return Scalar(text, text, place)
        if text in ("true", "false"):
            return Scalar(text, text == "true", place)
        if _WHOLE_NUMBER.fullmatch(text) and -(2**63) <= int(text) < 2**63:
            return Scalar(text, int(text), place)
        if _WHOLE_NUMBER.fullmatch(text) or _TOO_LONG_NUMBER.fullmatch(text):
            what = f"the whole number {quoted(text)} does not fit in 64 bits"
            self._problems.add(place, what, "write a smaller one, or quotes around it if it is text")
            return Broken(place)
        return Scalar(text, text, place)
