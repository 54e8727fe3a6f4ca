"""Every mistake of a policy file at once, each with line, column, value and remedy.

A case is a file in `errors/`: a wrong policy, and at its end the problems as comments, which change no line above them.
"""

from pathlib import Path

import pytest

from scoring.routing.reading import PolicyError, read_policy
from tests.scoring.routing.builders import policy_text

CASES = sorted((Path(__file__).parent / "errors").glob("*.yaml"))
MARK = "# => "


def problems_of(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read_policy(text, "p.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_every_problem_is_told_with_its_place_and_a_remedy(case: Path) -> None:
    text = case.read_text()
    expected = ["p.yaml:" + line.removeprefix(MARK) for line in text.splitlines() if line.startswith(MARK)]

    assert problems_of(text) == expected
    assert expected, "a case without problems"


def test_there_is_a_case_for_each_error_of_the_language() -> None:
    told = "\n".join(case.read_text() for case in CASES)
    for words in (
        "names ann twice",
        "has no members",
        "is its team",
        "names the unknown owner",
        "names the unknown team",
        "names the unknown tier",
        "24:00 is an end only",
        "names thu twice",
        "the end comes after the start",
        "overlaps",
        "a reminder comes before respond_within",
        "write them in order of time",
        "neither tell nor reassign",
        "both tell and reassign",
        "is business and the policy has no hours",
        "unknown key",
        "stands twice",
    ):
        assert words in told, words


def test_the_language_of_the_model_holds_for_the_file() -> None:
    anchored = "policy: ours\nversion: 1\nowners: &all {ann: {}}\nteams: *all\nroutes: []\n"

    assert [problem.split("; ")[0] for problem in problems_of(anchored)][:1] == [
        "p.yaml:3:9: anchor &all is not allowed"
    ]
    assert "a policy has at most 262144" in problems_of("# " + "x" * 256 * 1024 + "\n" + policy_text())[0]


def test_an_error_in_one_place_does_not_blame_others() -> None:
    text = policy_text(owners={"ann": {"capacity": "many"}}, sla={"hot": {"respond_within": "1h", "clock": "businss"}})

    assert len(problems_of(text)) == 2


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 60_000, "- " * 100_000, "#" + "x" * (256 * 1024), "a: !!x y"])
def test_bombs_end_soon(text: str) -> None:
    assert problems_of(text)
