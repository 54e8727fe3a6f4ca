"""Small models in which a test says only what it is about."""

from scoring.model import Model
from scoring.reading import read_model


def a_model(
    *,
    signals: str = "demo: {on: form_fill}",
    rules: str = "engagement: {demo: {each: demo, points: 30, hold: 90d}}",
    tiers: str = "hot: {at_least: 30, requires_any: demo}, cold: {}",
    more: str = "review_every: 5w",
) -> Model:
    """A model without warnings, whose sections may be replaced one by one."""
    text = f"model: m\nversion: 1\n{more}\nsignals: {{{signals}}}\nrules: {{{rules}}}\ntiers: {{{tiers}}}\n"
    return read_model(text, "m.yaml")
