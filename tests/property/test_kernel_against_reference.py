"""The fold of a partition tells every story as the reference tells it, wherever it is cut and begun again.

How many cases: `LEADSTREAM_PROPERTY_CASES`. They are always the same ones, unless `LEADSTREAM_PROPERTY_SEED` is set.
"""

import os
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from scoring.reading import read_model
from tests.property.comparing import difference, random_case
from tests.property.models import changed_model, model_text, random_model
from tests.property.smaller import smallest
from tests.reference.plain_yaml import plain_model

CASES = int(os.environ.get("LEADSTREAM_PROPERTY_CASES", "1000"))
SEED = os.environ.get("LEADSTREAM_PROPERTY_SEED")

cases = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=SEED is None,
    phases=(Phase.generate,),  # `smallest` shrinks what a seed made; hypothesis could only shrink the seed
    suppress_health_check=list(HealthCheck),
)
seeds = st.integers(0, 2**48)


@pytest.mark.property
@pytest.mark.timeout(60 + CASES)
@seed(SEED)
@cases
@given(seed=seeds, leads=st.integers(1, 5), rules=st.integers(1, 8), rows=st.integers(1, 60))
def test_the_same_story(seed: int, leads: int, rules: int, rows: int) -> None:
    case = random_case(seed, leads, rules, rows)
    if difference(case) is not None:
        small = smallest(case, lambda one: difference(one) is not None)
        ours, theirs = difference(small) or (None, None)
        pytest.fail(f"{small!r}\nthe fold:      {ours}\nthe reference: {theirs}")


@pytest.mark.property
@seed(SEED)
@settings(cases, max_examples=min(CASES, 200))
@given(seed=seeds, rules=st.integers(1, 8))
def test_random_models_are_valid_and_read_alike_on_both_sides(seed: int, rules: int) -> None:
    chance = Random(seed)
    model = random_model(chance, rules)
    for one in (model, changed_model(chance, model)):
        text = model_text(one)

        assert read_model(text, "random.yaml").text == text
        assert plain_model(text) == one
