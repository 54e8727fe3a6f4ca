"""The model file, read: text in, `Model` out, or every mistake at once.

>>> model = read_model('''
... model: tiny
... version: 1
... signals: {demo: {on: form_fill, where: {form_type: demo}}}
... rules: {engagement: {demo: {each: demo, points: 30, hold: 90d}}}
... tiers: {hot: {at_least: 30, requires_any: demo}, cold: {}}
... ''', "tiny.yaml")
>>> model.rules[0].points, model.tiers[0].name
(30, 'hot')
>>> read_model("{model: tiny, versoin: 1, rules: {}, tiers: {cold: {}}}", "tiny.yaml")
Traceback (most recent call last):
scoring.language.problems.ModelError: tiny.yaml:1:1: the file has no version; add version
tiny.yaml:1:15: unknown key versoin in the file; did you mean version?
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from scoring.digests import signal_digest
from scoring.language.keep import needed_keep
from scoring.language.kinds import KindReader
from scoring.language.mappings import check_keys, listed, read_mapping, require
from scoring.language.nodes import Mapping, Node, compose
from scoring.language.problems import ModelError, Problem, Problems
from scoring.language.rules import read_rules
from scoring.language.score import read_publish, read_score
from scoring.language.signals import read_signals
from scoring.language.tiers import read_tiers
from scoring.language.values import read_duration, read_int, read_model_name, read_text
from scoring.model import MAX_VERSION, Model, Rule, Signal, Total
from scoring.size import MAX_ROW_BYTES, occurrence_bytes, row_bound

__all__ = ["MODEL_KEYS", "ModelError", "Problem", "read_model"]

MODEL_KEYS = ("model", "version", "owner", "review_every", "publish", "signals", "rules", "score", "tiers")
_REQUIRED = ("model", "version", "rules", "tiers")


def read_model(text: str, name: str) -> Model:
    """The model of a file.

    What was read lately is not read again: every partition of a worker asks for the same one.

    Args:
        text: The file, decoded as it is: line ends untouched, so that `sha256` is that of its bytes.
        name: What messages call the file.

    Raises:
        ModelError: With every problem that was found.
    """
    return _read(text, name)


@lru_cache(maxsize=8)
def _read(text: str, name: str) -> Model:
    problems = Problems(name)
    root = compose(text, problems)
    body = read_mapping(root, "the file", problems) if root is not None else None
    model = _model(body, text, problems) if body is not None else None
    if model is None or problems.found:
        raise ModelError(problems.found)
    return model


def _model(body: Mapping, text: str, problems: Problems) -> Model | None:
    check_keys(body, MODEL_KEYS, "the file", problems)
    require(body, _REQUIRED, "the file", problems)
    nodes: dict[str, Node] = {key: entry.value for key, entry in body.entries.items()}
    name = read_model_name(nodes["model"], problems) if "model" in nodes else None
    version = read_int(nodes["version"], "version", 1, MAX_VERSION, problems) if "version" in nodes else None
    owner = read_text(nodes["owner"], "owner", problems) if "owner" in nodes else None
    review = read_duration(nodes["review_every"], "review_every", problems) if "review_every" in nodes else None
    publish = read_publish(nodes["publish"], problems) if "publish" in nodes else ()
    signals = read_signals(nodes["signals"], problems) if "signals" in nodes else {}
    rules = read_rules(nodes["rules"], KindReader(signals, problems), problems) if "rules" in nodes else {}
    bounds, total = read_score(nodes["score"], problems) if "score" in nodes else ({}, Total())
    tiers = read_tiers(nodes["tiers"], rules, problems) if "tiers" in nodes else ()
    if problems.found or name is None or version is None:
        return None
    readable = [rule for rule in rules.values() if rule is not None]
    model = Model(
        name=name,
        version=version,
        signals=_completed(signals.values(), readable),
        rules=tuple(readable),
        tiers=tiers,
        owner=owner,
        review_every_ms=review,
        publish=publish,
        bounds=bounds,
        total=total,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        text=text,
    )
    _check_size(model, nodes.get("signals", nodes["rules"]), problems)
    return model


def _check_size(model: Model, node: Node, problems: Problems) -> None:
    """Whatever a lead does, its row stays small."""
    bound = row_bound(model)
    if bound > MAX_ROW_BYTES:
        largest = sorted(model.signals, key=occurrence_bytes, reverse=True)[:3]
        named = listed(f"{signal.name} (keep {signal.keep})" for signal in largest)
        what = f"a lead's row may grow to {bound} bytes under this model, more than {MAX_ROW_BYTES}"
        remedy = f"lower keep (that of {named} first), or name fewer profile fields"
        problems.add(node.place, what, remedy if largest else "name fewer profile fields")


def _completed(signals: Iterable[Signal | None], rules: list[Rule]) -> tuple[Signal, ...]:
    """Signals with their digests, and with `keep` raised to what the rules need.

    A row knows signals by their definition, so of two that are defined alike both keep what the larger one keeps.
    """
    completed = [
        replace(signal, keep=max(signal.keep, needed_keep(signal.name, rules)), digest=signal_digest(signal))
        for signal in signals
        if signal is not None
    ]
    keeps: dict[int, int] = {}
    for signal in completed:
        keeps[signal.digest] = max(signal.keep, keeps.get(signal.digest, 0))
    return tuple(replace(signal, keep=keeps[signal.digest]) for signal in completed)
