"""What the file's words become."""

import hashlib

import pytest

from scoring.conditions import Allowed, Condition, Pattern, Range
from scoring.model import Bounds, Total
from scoring.reading import ModelError, read_model
from scoring.rules.base import Duration
from scoring.rules.each import Each
from scoring.rules.only import Only
from scoring.rules.profile import Profile
from scoring.rules.repeat import Repeat
from scoring.rules.silence import Silence
from scoring.rules.streak import Streak
from scoring.rules.together import Together
from tests.scoring.model.builders import a_model

HOUR, DAY = Duration(3_600_000), Duration(86_400_000)


def allowed(text: str) -> tuple[Allowed, ...]:
    """What a value in the file becomes, on a field that takes everything."""
    model = a_model(signals=f"demo: {{on: form_fill, where: {{fields.x: {text}}}}}")
    (condition,) = model.signals[0].where
    return condition.allowed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("42", 42),
        ("-3", -3),
        ("+3", 3),
        ("0", 0),
        ("no", Pattern("no")),
        ("on", Pattern("on")),
        ("y", Pattern("y")),
        ("Yes", Pattern("yes")),
        ("True", Pattern("true")),
        ("null", Pattern("null")),
        ("~", Pattern("~")),
        ("1.5", Pattern("1.5")),
        ("0x1F", Pattern("0x1f")),
        ("010", Pattern("010")),
        ("0o17", Pattern("0o17")),
        ("1_000", Pattern("1_000")),
        ("1:30", Pattern("1:30")),
        ("2026-03-02", Pattern("2026-03-02")),
        ("'42'", Pattern("42")),
        ("'true'", Pattern("true")),
        ("50..500", Range(50, 500)),
        ("50..", Range(50, None)),
        ("..49", Range(None, 49)),
        ("-5..-1", Range(-5, -1)),
        ("'50..500'", Range(50, 500)),
        ("7..7", Range(7, 7)),
        ("'  Straße '", Pattern("strasse")),
        ("/Pricing*", Pattern("/pricing*")),
    ],
)
def test_only_true_false_and_decimal_whole_numbers_are_not_text(text: str, value: Allowed) -> None:
    (read,) = allowed(text)

    assert read == value
    assert type(read) is type(value)


def test_a_list_means_any_of() -> None:
    assert allowed("[a, 5, true, 1..2]") == (Pattern("a"), 5, True, Range(1, 2))


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1ms", 1),
        ("90s", 90_000),
        ("5m", 300_000),
        ("24h", DAY),
        ("400d", 400 * DAY),
        ("5w", 35 * DAY),
        ("'7d'", Duration(7 * DAY)),
    ],
)
def test_durations(text: str, ms: int) -> None:
    model = a_model(rules=f"engagement: {{demo: {{each: demo, points: 30, hold: {text}}}}}")

    assert model.rules[0].hold_ms == ms


def test_every_rule_kind_with_its_keys() -> None:
    model = a_model(
        signals="a: {on: form_fill}, b: {on: page_view}, demo: {on: form_fill}",
        rules="""
          fit: {demo: {profile: {seniority: [vp, director], size: 50..}, points: 1, group: g}},
          engagement: {
            e: {each: a, at_most: 3, points: 1, fade: 1d},
            r: {repeat: [a, b], times: 2, within: 7d, points: 1, hold: 1h, halve: 2d},
            t: {together: [a, [b, demo]], within: 24h, in_order: true, points: 1},
            s: {streak: a, times: 3, broken_by: b, within: 9d, points: 1}},
          risk: {
            o: {only: a, none_of: [b], within: 30d, points: 1},
            q: {silence: a, within: 10d, points: -1},
            p: {silence: a, broken_by: [a, b], within: 10d, points: -1}}""",
    )
    kinds = {rule.name: rule.kind for rule in model.rules}

    assert list(kinds) == ["demo", "e", "r", "t", "s", "o", "q", "p"]
    assert kinds["demo"] == Profile(
        (Condition("seniority", (Pattern("vp"), Pattern("director"))), Condition("size", (Range(50, None),)))
    )
    assert kinds["e"] == Each(("a",), 3)
    assert kinds["r"] == Repeat(("a", "b"), 2, Duration(7 * DAY))
    assert kinds["t"] == Together((("a",), ("b", "demo")), DAY, True)
    assert kinds["s"] == Streak(("a",), 3, ("b",), Duration(9 * DAY))
    assert kinds["o"] == Only(("a",), ("b",), Duration(30 * DAY))
    assert kinds["q"] == Silence(("a",), Duration(10 * DAY), None)
    assert kinds["p"] == Silence(("a",), Duration(10 * DAY), ("a", "b"))
    repeat = model.rules[2]
    assert (repeat.dimension, repeat.points, repeat.group) == ("engagement", 1, None)
    assert (repeat.hold_ms, repeat.fade_ms, repeat.halve_ms) == (HOUR, None, 2 * DAY)


def test_what_a_file_leaves_out() -> None:
    model = read_model("model: least\nversion: 1\nrules: {}\ntiers: {all: {}}\n", "m.yaml")

    assert (model.owner, model.review_every_ms, model.publish, model.signals, model.bounds) == (None, None, (), (), {})
    assert model.total == Total(("fit", "engagement", "risk"), None, None)


def test_score_and_tiers() -> None:
    model = a_model(
        more="score: {fit: {max: 100}, risk: {min: -100, max: 0}, total: {of: [fit], min: 0, max: 200}}",
        tiers="""best: {above: 120, leave_below: 110, requires_any: demo, stay_at_least: 1h},
                 good: {at_least: 80, fit_at_least: 40, engagement_at_least: 10}, rest: {}""",
    )
    best, good, rest = model.tiers

    assert model.bounds == {"fit": Bounds(None, 100), "risk": Bounds(-100, 0)}
    assert model.total == Total(("fit",), 0, 200)
    assert (best.above, best.at_least, best.leave_below, best.requires_any) == (120, None, 110, ("demo",))
    assert best.stay_at_least_ms == HOUR
    assert (good.at_least, good.fit_at_least, good.engagement_at_least) == (80, 40, 10)
    assert rest.name == "rest"


def test_keep_is_raised_to_what_the_rules_need() -> None:
    model = a_model(
        signals="a: {on: bounce, keep: 1}, b: {on: download}, c: {on: page_view, keep: 2}, demo: {on: form_fill}",
        rules="""engagement: {
            demo: {each: demo, at_most: 40, points: 1},
            r: {repeat: [a, c], times: 5, within: 1d, points: 1},
            s: {streak: a, times: 7, broken_by: c, points: 1}}""",
    )

    assert {signal.name: signal.keep for signal in model.signals} == {"a": 7, "b": 16, "c": 5, "demo": 40}


def test_signals_that_are_defined_alike_keep_the_same() -> None:
    model = a_model(
        signals="a: {on: [form_fill, download], keep: 3}, b: {on: [download, form_fill], keep: 5}, c: {on: download}",
        rules="engagement: {demo: {repeat: [a, b, c], times: 2, within: 1d, points: 1}}",
    )

    assert {signal.name: signal.keep for signal in model.signals} == {"a": 5, "b": 5, "c": 16}


def test_a_model_carries_its_file_and_the_digest_of_its_bytes() -> None:
    text = "model: umlaut\nversion: 1\nowner: Jörg\r\nrules: {}\ntiers: {all: {}}\n"
    model = read_model(text, "m.yaml")

    assert model.text == text
    assert model.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_a_file_is_read_once_for_all_who_ask_for_it() -> None:
    text = "model: m\nversion: 1\nrules: {}\ntiers: {all: {}}\n"

    assert read_model(text, "m.yaml") is read_model(text, "m.yaml")
    for name in ("one.yaml", "two.yaml", "two.yaml"):
        with pytest.raises(ModelError, match=f"^{name}:1:1: "):
            read_model("model: m", name)


def test_places_are_those_of_the_names() -> None:
    text = "model: m\nversion: 1\nsignals:\n  s: {on: bounce}\nrules: {fit: {b: {each: s, points: 1}}}\ntiers: {c: {}}"
    model = read_model(text, "m.yaml")

    places = [(one.place.line, one.place.column) for one in (model.signals[0], model.rules[0], model.tiers[0])]
    assert places == [(4, 3), (5, 15), (6, 9)]
