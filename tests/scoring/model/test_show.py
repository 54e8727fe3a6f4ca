"""The one-page document."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from scoring.model import Rule, Signal, Tier
from scoring.shipped import shipped_model, shipped_models
from scoring.show import show
from scoring.show.text import WIDTH
from tests.scoring.model.builders import a_model
from tests.scoring.model.golden import pages


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_the_pages_of_the_shipped_models(path: Path) -> None:
    """`python -m tests.scoring.model.golden` writes them anew: read the difference before committing it."""
    assert show(shipped_model(pages()[path][0]), pages()[path][1]) == path.read_text()


@pytest.mark.parametrize("name", shipped_models())
def test_text_fits_a_terminal_and_says_everything(name: str) -> None:
    model = shipped_model(name)
    page = show(model)

    assert max(len(line) for line in page.splitlines()) <= WIDTH
    named: list[Signal | Rule | Tier] = [*model.signals, *model.rules, *model.tiers]
    assert all(one.name in page for one in named)
    assert "owner" in page.lower()
    assert "every" in page


def test_every_kind_has_a_sentence() -> None:
    page = show(
        a_model(
            tiers="all: {}",
            signals="a: {on: form_fill}, price_page: {on: page_view}, demo: {on: form_fill}",
            rules="""
              fit: {p0: {profile: {seniority: [vp, c_level], size: 50.., age: ..9, eu: true, n: 5}, points: 1}},
              engagement: {
                e1: {each: a, points: 1, hold: 1d}, e2: {each: a, at_most: 3, points: 2, fade: 10d},
                r: {repeat: [a, price_page], times: 2, within: 7d, points: 1, hold: 1h, halve: 2d},
                t: {together: [a, [price_page, demo]], within: 24h, points: 1},
                u: {together: [a, demo], within: 90m, in_order: true, points: 1, halve: 5d},
                s: {streak: a, times: 3, points: 1},
                v: {streak: a, times: 3, broken_by: demo, within: 9d, points: 1}},
              risk: {
                o: {only: a, none_of: [price_page, demo], within: 30d, points: 1},
                q: {silence: a, within: 10d, points: -1},
                p: {silence: a, broken_by: [a, demo], within: 10d, points: -1}}""",
        )
    )
    rows = {line.split("  ")[0]: " ".join(line.split()) for line in page.splitlines() if line}

    assert rows["p0"].startswith("p0 +1 seniority is vp or c_level and size is 50 or more and age is 9 or less")
    assert rows["e1"] == "e1 +1 a 24 hours"
    assert rows["e2"] == "e2 +2 each a, the latest 3 of them fading over 10 days"
    assert rows["r"] == "r +1 a or price page, 2 times in less than 7 days 1 hour, then halved every 2 days"
    assert rows["t"] == "t +1 a and price page or demo in less than 24 hours for ever"
    assert rows["u"] == "u +1 a and demo in less than 90 minutes, in this order halved every 5 days"
    assert rows["s"] == "s +1 a, 3 times running for ever"
    assert rows["v"] == "v +1 a, 3 times running in less than 9 days, with no demo since the first for ever"
    assert rows["o"] == "o +1 a in the last 30 days, and no price page or demo while it is so"
    assert rows["q"] == "q -1 10 days since the latest a while it is so"
    assert rows["p"] == "p -1 10 days since the latest a without a or demo while it is so"


EVIL = '"<script>alert(1)</script>|*b*`c`_d_\\e[31m\\n# x"'


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_what_the_file_says_is_never_markup(form: str) -> None:
    model = a_model(
        more=f"owner: {EVIL}",
        signals=f"demo: {{on: form_fill, where: {{fields.x: {EVIL}}}}}",
        rules=f"fit: {{p: {{profile: {{{EVIL}: {EVIL}}}, points: 5}}}}, risk: {{demo: {{each: demo, points: 1}}}}",
    )
    page = show(model, form)

    assert "\x1b" not in page
    assert "\n# x" not in page
    if form != "text":
        assert not re.search(r"(?<!\\)<script", page)
    if form == "markdown":
        assert "\\*b\\*" in page


class Balance(HTMLParser):
    """Counts what is open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name in ("src", "href") for name, _ in attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", shipped_models())
def test_html_is_one_file_that_needs_nothing_else(name: str) -> None:
    parser = Balance()
    parser.feed(show(shipped_model(name), "html"))

    assert parser.open == []
    assert not parser.seen & {"script", "img", "link", "iframe"}
