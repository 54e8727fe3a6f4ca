"""Every mistake at once, each with line, column, value and remedy.

A case is a file in `errors/`: a wrong model, and at its end the problems as comments, which change no line above them.
"""

from pathlib import Path

import pytest

from scoring.reading import ModelError, read_model

CASES = sorted((Path(__file__).parent / "errors").glob("*.yaml"))
MARK = "# => "


def problems_of(text: str) -> list[str]:
    with pytest.raises(ModelError) as caught:
        read_model(text, "m.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_every_problem_is_told_with_its_place_and_a_remedy(case: Path) -> None:
    text = case.read_text()
    expected = ["m.yaml:" + line.removeprefix(MARK) for line in text.splitlines() if line.startswith(MARK)]

    assert problems_of(text) == expected
    assert expected, "a case without problems"


def test_there_is_a_case_for_each_error_of_the_language() -> None:
    told = "\n".join(case.read_text() for case in CASES)
    for words in (
        "unknown key",
        "unknown signal",
        "unknown rule",
        "unknown kind",
        "has no kind",
        "has two kinds",
        "has no field",
        "matches no event",
        "empty range",
        "leave_below 31 of tier mild is over",
        "is not under",
        "is over its max",
        "the last tier cold has the condition",
        "the same sign",
        "stands twice",
        "alias",
        "anchor",
        "tag !!str",
        "deeper than 20",
        "is no name for",
        "did you mean",
    ):
        assert words in told, words


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "m.yaml:1:1: the file is empty; begin with model: NAME"),
        ("# nothing\n", "m.yaml:1:1: the file is empty; begin with model: NAME"),
        ('model: m\nowner: "a\x01"\n', "m.yaml:2:10: not YAML: the character 0x0001 may not stand here; remove it"),
        ("model: \ud800\n", "m.yaml:1:1: the file has characters that are no text; save it as UTF-8"),
        (
            "model: m\n\tversion: 1\n",
            "m.yaml:2:1: not YAML: while scanning for the next token, found character '\\t' that cannot start any "
            "token; check brackets, quotes, colons and indentation here",
        ),
        (
            "#" + "x" * (256 * 1024),
            "m.yaml:1:1: the file has 262145 bytes; a model has at most 262144: shorten it",
        ),
    ],
    ids=["empty", "only a comment", "control character", "lone surrogate", "tab", "too large"],
)
def test_a_file_that_cannot_be_read_at_all_is_one_problem(text: str, problem: str) -> None:
    assert problems_of(text) == [problem]


def test_a_billion_laughs_are_refused_at_the_first_alias() -> None:
    lines = ["a0: &a0 [lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)]

    problems = problems_of("\n".join(lines))

    assert "m.yaml:1:5: anchor &a0 is not allowed; remove it" in problems
    assert "m.yaml:2:10: alias *a0 is not allowed; write out what it stands for" in problems


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 60_000, "- " * 100_000, "? " * 100_000, "a:\n" * 80_000])
def test_bombs_of_depth_and_width_end_soon(text: str) -> None:
    assert problems_of(text)


def test_what_the_file_says_cannot_steer_a_terminal() -> None:
    problems = problems_of('model: "\\e[31mred\\a"\nversion: 1\nrules: {}\ntiers: {cold: {}}\n')

    assert problems == [
        "m.yaml:1:8: model is \\x1b[31mred\\x07; write 1 to 64 of a-z, 0-9, _ and -, beginning with a letter, such as "
        "b2b-default"
    ]


def test_long_values_are_shortened() -> None:
    (problem,) = problems_of(f"model: {'X' * 5_000}\nversion: 1\nrules: {{}}\ntiers: {{cold: {{}}}}\n")

    assert f"model is {'X' * 59}…;" in problem
