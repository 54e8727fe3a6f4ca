"""The same definition has the same digest, another one has another."""

import pytest

from scoring.digests import rule_digest
from scoring.model import Model
from tests.scoring.model.builders import a_model


def signal_digest_of(body: str) -> int:
    return a_model(signals=f"demo: {body}").signals[0].digest


def rule_digest_of(body: str, signals: str = "a: {on: form_fill}, b: {on: page_view}, c: {on: download}") -> int:
    model: Model = a_model(signals=f"{signals}, demo: {{on: bounce}}", rules=f"engagement: {{demo: {body}}}")
    return rule_digest(model.rules[0], {signal.name: signal for signal in model.signals})


def test_golden_digests() -> None:
    """They stand in stored rows: a change here makes every lead start anew."""
    assert signal_digest_of("{on: form_fill, where: {form_type: [demo, meeting]}}") == 0x5993A0C9637D734B
    assert rule_digest_of("{repeat: a, times: 2, within: 7d, points: 5}") == 0x15BFC1E4F3406DFA


@pytest.mark.parametrize(
    "same",
    [
        "{on: [page_view, download], where: {path: [/b, /a], host: x}}",
        "{where: {host: X, path: [/a, /b, /A]}, on: [download, page_view]}",
        "{on: [page_view, download], where: {path: [/a, /b], host: x}, keep: 3, request: true}",
    ],
)
def test_order_case_keep_and_request_are_no_part_of_a_signal(same: str) -> None:
    assert signal_digest_of(same) == signal_digest_of("{on: [page_view, download], where: {path: [/a, /b], host: x}}")


def test_signals_that_differ_have_different_digests() -> None:
    bodies = [
        "{on: page_view}",
        "{on: form_fill}",
        "{on: [page_view, form_fill]}",
        "{on: page_view, where: {path: /a}}",
        "{on: page_view, except: {path: /a}}",
        "{on: page_view, where: {path: /a*}}",
        "{on: page_view, distinct: path}",
        "{on: page_view, where: {dwell_ms: 1}}",
        "{on: page_view, where: {dwell_ms: 1..1}}",
        "{on: page_view, where: {title: '1'}}",
        "{on: form_fill, where: {fields.a: true}}",
        "{on: form_fill, where: {fields.a: 'true'}}",
        "{on: form_fill, where: {fields.a: 1}}",
    ]

    assert len({signal_digest_of(body) for body in bodies}) == len(bodies)


@pytest.mark.parametrize(
    "same",
    [
        "{together: [b, [c, a]], within: 1d, points: 9, hold: 5d, group: g}",
        "{together: [[a, c], b], within: 24h, in_order: false, points: -1}",
    ],
)
def test_points_ageing_group_and_order_without_in_order_are_no_part_of_a_rule(same: str) -> None:
    assert rule_digest_of(same) == rule_digest_of("{together: [[a, c], b], within: 1d, points: 5}")


def test_a_rule_is_what_its_signals_are_not_what_they_are_called() -> None:
    body = "{repeat: a, times: 2, within: 7d, points: 5}"

    assert rule_digest_of(body, "a: {on: form_fill}") != rule_digest_of(body, "a: {on: page_view}")
    assert rule_digest_of(body, "a: {on: form_fill}") == rule_digest_of(body.replace("a,", "z,"), "z: {on: form_fill}")


def test_rules_that_differ_have_different_digests() -> None:
    bodies = [
        "{repeat: a, times: 2, within: 7d, points: 5}",
        "{repeat: a, times: 3, within: 7d, points: 5}",
        "{repeat: a, times: 2, within: 8d, points: 5}",
        "{repeat: [a, b], times: 2, within: 7d, points: 5}",
        "{streak: a, times: 2, within: 7d, points: 5}",
        "{together: [a, b], within: 7d, points: 5}",
        "{together: [a, b], within: 7d, in_order: true, points: 5}",
        "{together: [b, a], within: 7d, in_order: true, points: 5}",
        "{together: [a, b, b], within: 7d, in_order: true, points: 5}",
        "{together: [[a, b], c], within: 7d, points: 5}",
        "{together: [a, [b, c]], within: 7d, points: 5}",
    ]

    assert len({rule_digest_of(body) for body in bodies}) == len(bodies)
