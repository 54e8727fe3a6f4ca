"""Where all leads are in one fold, links take effect at once: every tier change is as the naive reference tells it."""

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from tests.property.people import people_case, people_difference
from tests.property.smaller import smallest
from tests.property.test_kernel_against_reference import CASES, SEED, cases, seeds


@pytest.mark.property
@pytest.mark.timeout(60 + CASES)
@seed(SEED)
@cases
@given(seed=seeds, names=st.integers(2, 7), rules=st.integers(1, 6), rows=st.integers(1, 50))
def test_the_same_story_of_people(seed: int, names: int, rules: int, rows: int) -> None:
    case = people_case(seed, names, rules, rows)
    if people_difference(case) is not None:
        small = smallest(case, lambda one: people_difference(one) is not None)
        ours, theirs = people_difference(small) or (None, None)
        pytest.fail(f"{small!r}\nthe fold:      {ours}\nthe reference: {theirs}")
