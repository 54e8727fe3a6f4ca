"""The section `signals`."""

from __future__ import annotations

from scoring.language.mappings import check_keys, read_mapping, require
from scoring.language.matching import check_signal
from scoring.language.nodes import Mapping, Node
from scoring.language.problems import Problems, quoted
from scoring.language.values import read_bool, read_conditions, read_int, read_list, read_name, read_text
from scoring.model import DEFAULT_KEEP, MAX_KEEP, Place, Signal

__all__ = ["SIGNAL_KEYS", "read_signals"]

SIGNAL_KEYS = ("on", "where", "except", "distinct", "keep", "request")


def read_signals(node: Node, problems: Problems) -> dict[str, Signal | None]:
    """Signals by name; None for one that is there but wrong, so that the rules that use it are not blamed."""
    section = read_mapping(node, "signals", problems)
    signals: dict[str, Signal | None] = {}
    for text, entry in section.entries.items() if section else ():
        name = read_name(entry.key, "a signal", problems)
        body = read_mapping(entry.value, f"signal {quoted(text)}", problems)
        signal = _signal(text, body, entry.key.place, problems) if body else None
        signals[text] = signal if name else None
    return signals


def _signal(name: str, body: Mapping, place: Place, problems: Problems) -> Signal | None:
    what = f"signal {quoted(name)}"
    before = len(problems.found)
    check_keys(body, SIGNAL_KEYS, what, problems)
    require(body, ("on",), what, problems)
    get = body.entries.get
    kinds: list[str] = []
    if entry := get("on"):
        items = read_list(entry.value, f"on of {what}", problems) or ()
        kinds = [kind for item in items if (kind := read_text(item, f"on of {what}", problems))]
    where = read_conditions(entry.value, f"where of {what}", problems) if (entry := get("where")) else ()
    excepted = read_conditions(entry.value, f"except of {what}", problems) if (entry := get("except")) else ()
    distinct = read_text(entry.value, f"distinct of {what}", problems) if (entry := get("distinct")) else None
    keep = read_int(entry.value, f"keep of {what}", 1, MAX_KEEP, problems) if (entry := get("keep")) else None
    request = read_bool(entry.value, f"request of {what}", problems) if (entry := get("request")) else False
    signal = Signal(
        name=name,
        on=tuple(kinds),
        where=where or (),
        excepted=excepted or (),
        distinct=distinct,
        keep=keep or DEFAULT_KEEP,
        request=bool(request),
        place=place,
    )
    if kinds:
        check_signal(signal, body, problems)
    return signal if len(problems.found) == before else None
