"""Who signed in, whatever the record says of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.identity import Identity, identity_of

FIELDS = ["id", "name", "email", "company_id", "company"]


@pytest.mark.parametrize(
    ("record", "identity", "shown"),
    [
        (
            {"id": 1, "name": "Noor", "company_id": 7, "company": {"id": 7, "name": "Zaken"}},
            Identity("Noor", "Zaken", "7"), "Noor of Zaken",
        ),
        ({"name": "Noor", "company": {"id": 7}}, Identity("Noor", None, "7"), "Noor"),
        ({"name": "Noor", "company_id": None, "company": {"id": 7}}, Identity("Noor", None, "7"),
         "Noor"),
        ({"name": "Noor", "company_id": "7", "company": None}, Identity("Noor", None, "7"), "Noor"),
        ({"name": "", "email": "noor@x.nl"}, Identity("noor@x.nl"), "noor@x.nl"),
        ({"name": None, "email": None, "id": 4}, Identity("4"), "4"),
        ({"name": " \n"}, Identity("somebody"), "somebody"),
        ({}, Identity("somebody"), "somebody"),
        ({"name": ["x"], "company": ["y"], "company_id": {}}, Identity("somebody"), "somebody"),
        ({"name": "No\x1b[2Jor\n", "company": {"name": "A\tB"}}, Identity("No [2Jor", "A B"),
         "No [2Jor of A B"),
    ],
    ids=lambda value: repr(value)[:60],
)  # fmt: skip
def test_a_record_names_a_person_and_a_company(
    record: dict[str, Any], identity: Identity, shown: str
) -> None:
    assert identity_of(record) == identity
    assert str(identity) == shown


@given(record=st.dictionaries(
    st.sampled_from(FIELDS),
    st.none() | st.text() | st.integers() | st.dictionaries(st.sampled_from(FIELDS), st.text()),
))  # fmt: skip
def test_any_record_names_somebody_on_one_line(record: dict[str, Any]) -> None:
    identity = identity_of(record)
    assert identity.name
    assert str(identity).isprintable()
