"""Keys at which rows were mixed up or ended the run, found in a review."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from target_cirqll.message_reader import MessageReader

if TYPE_CHECKING:
    from tests.target.writing_fixtures import Target


@pytest.fixture(autouse=True)
def begin(target: Target) -> None:
    """A sandbox without rows."""
    target.begin()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (10**37 + 1, 10**37 + 2),
        (Decimal("12345678901234567890123456789.1"), Decimal("12345678901234567890123456789.2")),
        (Decimal("1e9999999"), 1),
    ],
)
def test_keys_are_told_apart_to_their_last_digit(target: Target, one: Any, other: Any) -> None:
    rows = [{"no": one, "name": "Een"}, {"no": other, "name": "Twee"}]

    written = target(rows)
    again = target(rows)

    assert len(written.writes) == 2
    assert again.writes == []
    assert sorted(row["name"] for row in target.rows()) == ["Een", "Twee"]


def test_of_two_versions_of_a_new_row_the_later_wins_though_its_match_key_changed(
    target: Target,
) -> None:
    rows = [
        {"no": 1, "name": "Zaak", "email": "oud@example.com"},
        {"no": 1, "name": "Zaak", "email": "nieuw@example.com"},
    ]

    written = target(rows, match_on={"customer": ("email",)})

    assert written.reasons() == []
    assert [row["email"] for row in target.rows()] == ["nieuw@example.com"]


def test_a_part_of_a_key_makes_no_two_rows_one(target: Target) -> None:
    rows = [{"id": None, "tenant": 3, "name": name} for name in ("Een", "Twee")]

    target(rows, keys=("id", "tenant"))

    assert sorted(row["name"] for row in target.rows()) == ["Een", "Twee"]


def test_a_number_beyond_all_bounds_is_no_reason_to_stop_reading() -> None:
    line = '{"type": "RECORD", "stream": "customers", "record": {"price": 1e99999999999999999999}}'

    message = MessageReader().deserialize_json(line)

    assert message["record"] == {"price": "1e99999999999999999999"}
