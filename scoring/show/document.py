"""What stands on the page, before it has a form."""

from __future__ import annotations

from dataclasses import dataclass

from scoring.model import DIMENSIONS, Model, Rule
from scoring.show.words import (
    bounds_words,
    duration_words,
    lasting_words,
    leaving_words,
    points_words,
    printable,
    rule_words,
    signal_words,
    tier_words,
    total_words,
)

__all__ = ["Document", "Table", "document"]


@dataclass(frozen=True, slots=True)
class Table:
    """A headed table.

    Attributes:
        wide: The number of the column that is wrapped where the page is too narrow.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    wide: int


@dataclass(frozen=True, slots=True)
class Document:
    """The page: a title, facts in a line each, tables."""

    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]


def document(model: Model) -> Document:
    """The page of a model."""
    review = duration_words(model.review_every_ms, weeks=True) if model.review_every_ms else ""
    facts = (
        ("Owner", printable(model.owner or "nobody yet")),
        ("Review", f"every {review}; next on ____________" if review else "not agreed yet"),
        ("Total", total_words(model.total)),
        ("Goes out with scores", ", ".join(printable(name) for name in model.publish) or "no profile fields"),
        ("File", f"sha256 {model.sha256[:16]}"),
    )
    dimensions = [_dimension(model, name) for name in DIMENSIONS if any(rule.dimension == name for rule in model.rules)]
    tables = [_tiers(model), *dimensions]
    if model.signals:
        tables.append(_signals(model))
    return Document(f"{model.name}, version {model.version}", facts, tuple(tables))


def _tiers(model: Model) -> Table:
    rows = tuple((tier.name, tier_words(tier), leaving_words(tier)) for tier in model.tiers)
    return Table("Tiers, best first", ("tier", "who gets in", "who is in"), rows, 1)


def _dimension(model: Model, dimension: str) -> Table:
    rules = [rule for rule in model.rules if rule.dimension == dimension]
    bounds = bounds_words(model.bounds.get(dimension))
    title = f"Points: {dimension}" + (f" ({bounds})" if bounds else "")
    rows = tuple(_rule(rule) for rule in rules)
    head = ("rule", "points", "for", "lasting", "best one of")
    columns = len(head) if any(rule.group for rule in rules) else len(head) - 1
    return Table(title, head[:columns], tuple(row[:columns] for row in rows), 2)


def _rule(rule: Rule) -> tuple[str, ...]:
    return rule.name, points_words(rule), rule_words(rule), lasting_words(rule), rule.group or ""


def _signals(model: Model) -> Table:
    rows = tuple((signal.name, signal_words(signal)) for signal in model.signals)
    return Table("Signals: what the words mean", ("signal", "is"), rows, 1)
