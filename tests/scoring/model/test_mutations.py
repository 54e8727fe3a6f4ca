"""Whatever happens to a model file, the answer is a model or a list of problems; never anything else."""

import random
from collections.abc import Callable

import pytest

from scoring.checks import warnings
from scoring.model import Model
from scoring.reading import ModelError, read_model
from scoring.shipped import shipped_models, shipped_text
from scoring.show import FORMATS, show

WORDS = [
    "", "no", "on", "~", "null", "true", "5", "-5", "1.5", "9" * 30, "7d", "0d", "..", "5..", "5..1", "*", "&a", "*a",
    "!!int 5", "'", '"', "[", "]", "{", "}", ": ", "- ", "? ", "|", ">", "%", "@", "`", "#", "\t", "\n", "\r", "\x00",
    "\u2028", "\ufeff", "ß", "\U0001f600", "---", "...", "<<: *x", "each", "repeat", "demo", "hot", "fit", "path",
]  # fmt: skip


def cut(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text))
    return text[:start] + text[start + chance.randrange(1, 40) :]


def insert(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chance.choice(WORDS) + text[at:]


def replace_word(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    words[chance.randrange(len(words))] = chance.choice(WORDS)
    return " ".join(words)


def move_line(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    line = lines.pop(chance.randrange(len(lines)))
    lines.insert(chance.randrange(len(lines) + 1), line)
    return "".join(lines)


def double_line(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return "".join(lines)


def swap_words(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    one, other = chance.randrange(len(words)), chance.randrange(len(words))
    words[one], words[other] = words[other], words[one]
    return " ".join(words)


def truncate(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text))]


MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    cut, insert, replace_word, move_line, double_line, swap_words, truncate
)  # fmt: skip


def outcome(text: str) -> Model | ModelError:
    try:
        return read_model(text, "m.yaml")
    except ModelError as error:
        return error


@pytest.mark.parametrize("name", shipped_models())
@pytest.mark.parametrize("seed", range(10))
def test_a_mutated_file_is_a_model_or_a_list_of_problems(name: str, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(10):
        text = shipped_text(name)
        for _ in range(chance.randrange(1, 4)):
            text = chance.choice(MUTATIONS)(text, chance) or "x"
        read = outcome(text)
        if isinstance(read, Model):
            assert all(problem.file == "m.yaml" for problem in warnings(read, "m.yaml"))
            assert all(show(read, form) for form in FORMATS)
        else:
            assert read.problems
            assert all(1 <= problem.line <= len(text.splitlines()) + 2 for problem in read.problems)
            assert all(problem.column >= 1 and "; " in problem.message for problem in read.problems)
            assert str(read).replace("\n", "").isprintable()
