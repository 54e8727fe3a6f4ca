"""What a signal may ask of each kind of event, against the contracts."""

import pytest

from schemas.log import EVENT_ROWS
from scoring.fields import EVENT_KINDS, field_form, field_names, has_free_fields


def test_every_kind_of_the_contract_is_known() -> None:
    assert tuple(EVENT_ROWS) == EVENT_KINDS


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_fields_of_a_kind_are_those_of_its_row_but_for_lead_and_times(kind: str) -> None:
    row = set(EVENT_ROWS[kind].__struct_fields__) - {"lead_id", "received_at_ms", "occurred_at_ms", "fields"}
    made = {"host", "path"} if "url" in row else set()

    assert set(field_names(kind)) == row | made
    assert has_free_fields(kind) == ("fields" in EVENT_ROWS[kind].__struct_fields__)


@pytest.mark.parametrize(
    ("kind", "field", "types"),
    [
        ("page_view", "dwell_ms", {int}),
        ("page_view", "path", {str}),
        ("email_open", "machine", {bool}),
        ("form_fill", "fields.budget", {str, int, bool}),
        ("profile", "fields.industry", {str, int, bool}),
    ],
)
def test_types(kind: str, field: str, types: set[type]) -> None:
    form = field_form(kind, field)

    assert form is not None
    assert form.types == types


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("bounce", "path"),
        ("form_fill", "fields"),
        ("form_fill", "fields."),
        ("page_view", "fields.x"),
        ("page_view", "a.b"),
    ],
)
def test_fields_that_are_not_there(kind: str, field: str) -> None:
    assert field_form(kind, field) is None
