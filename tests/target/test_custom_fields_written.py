"""Custom fields on their way to the sandbox, in the one form in which they are probably written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.target.writing_fixtures import Record, Target

ON: dict[str, Any] = {"write_custom_fields": True}
RED = [{"field_id": 3, "value": "red"}]


def row(*values: Record, **more: Any) -> Record:
    return {"no": 1, "name": "A", "field_values": list(values), **more}


@pytest.fixture(autouse=True)
def fields(target: Target) -> None:
    """Two custom fields of customers, 3 and 4."""
    table = target.source.sandbox.rows("field")
    for number in (3, 4):
        table.insert(id=number, name=f"Veld {number}", entity="customer", type="string")


def test_they_are_sent_with_a_new_record(target: Target) -> None:
    written = target([row({"field_id": 3, "value": "red"})], **ON)

    assert written.writes == [("POST", "customer", {"name": "A", "field_values": RED})]
    assert written.rejects == []


@pytest.mark.parametrize("shape", ["page", "list", "map"])
def test_the_second_run_sends_only_those_that_changed(target: Target, shape: str) -> None:
    # Given
    target.source.behave(field_values_shape=shape)
    blue, green = {"field_id": 4, "value": "blue"}, {"field_id": 4, "value": "green"}
    target([row(*RED, blue)], **ON)
    # When
    same, changed = target([row(*RED, blue)], **ON), target([row(*RED, green)], **ON)
    # Then
    assert same.writes == []
    assert [body for *_, body in changed.writes] == [{"field_values": [green]}]
    assert target([row(*RED, green)], **ON).writes == []


def test_without_the_setting_none_is_sent(target: Target) -> None:
    target([row(*RED)], **ON)

    written = target([row({"field_id": 3, "value": "blue"})])

    assert (written.writes, written.rejects) == ([], [])
