"""What a dry run was told to do is remembered, and what is asked afterwards agrees with it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.errors import Unavailable
from cirqll_client.ledger import Ledger, Written
from target_cirqll.actions import Create, Delete, Nothing, Update
from target_cirqll.comparison import CUSTOM, Comparison
from target_cirqll.creating import InDoubt
from target_cirqll.groups import Group
from target_cirqll.lookups import Lookups
from target_cirqll.pretence import Pretence
from target_cirqll.rows import Row
from target_cirqll.values import digest
from tests.target.writing_fixtures import resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_cirqll.actions import Action
    from tests.reading_fixtures import Source as Crm

CUSTOMER, CONTACT, USER = map(resource, ("customers", "contacts", "users"))


STATM = Path("/proc/self/statm")


def memory_in_use() -> int:
    """Bytes of this process that are in memory now."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Trial:
    """A pretence on top of a sandbox and of a ledger."""

    crm: Crm
    ledger: Ledger
    pretence: Pretence
    comparisons: dict[str, Comparison]

    def do(self, action: Action, of: Any = CUSTOMER, **live: Any) -> str:
        row = Row(position=1, resource=of, key={}, fields={}, custom_fields={}, parents={})
        group = Group((row,), live or None)
        return self.pretence.do(action, group, self.comparisons[of.name])

    def create(self, of: Any = CUSTOMER, identity: str = "x", **body: Any) -> int:
        """Create in pretence; the id."""
        self.do(Create(of, body, (identity,)), of)
        record_id = self.pretence.known(of, [identity])[identity].record_id
        assert record_id is not None
        return record_id

    def update(self, record_id: int, **changes: Any) -> None:
        live = self.pretence.by_id(CUSTOMER, [record_id], fields=["name", "updated_at"])
        self.do(Update(CUSTOMER, record_id, changes), **live[record_id])

    def ids(self, field: str, value: Any, of: Any = CUSTOMER) -> list[int]:
        matches = self.pretence.by_field(of, field, [value], fields=["name"])
        return sorted(one["id"] for one in matches.records.get(value, []))

    def record(self, record_id: int, *fields: str) -> Any:
        return self.pretence.by_id(CUSTOMER, [record_id], fields=fields)[record_id]


@pytest.fixture
def trial(crm: Crm) -> Iterator[Trial]:
    connection = crm.connection()
    ledger = Ledger(connection.store, account=f"trial {id(crm)}")
    live = Lookups(connection.client, timestamps=connection.timestamps)
    comparisons = {
        one.name: Comparison(one, connection.timestamps) for one in (CUSTOMER, CONTACT, USER)
    }
    with closing(Pretence(live, ledger, timestamps=connection.timestamps)) as pretence:
        yield Trial(crm, ledger, pretence, comparisons)
    assert {one.method for one in crm.sandbox.requests} <= {"GET"}


def test_what_was_created_is_found_by_its_id_its_row_and_its_values(trial: Trial) -> None:
    new = trial.create(name="Zon", email="Info@Zon.example", import_id=7)
    assert new < 0
    assert trial.record(new, "name")["name"] == "Zon"
    assert trial.pretence.exists(CUSTOMER, new) == trial.record(new)
    assert trial.ids("email", "info@zon.EXAMPLE") == [new]
    assert trial.ids("import_id", 7) == [new]
    assert trial.ids("import_id", 8) == []


def test_two_that_were_created_are_two(trial: Trial) -> None:
    first, second = (trial.create(identity=one, name="Zon") for one in "ab")
    assert first != second
    assert trial.ids("name", "Zon") == sorted([first, second])


def test_a_changed_record_is_found_by_its_new_values_only(trial: Trial) -> None:
    # Given
    was = trial.crm.customers.insert(name="Zon", email="a@x.example", phone="06")["id"]
    other = trial.crm.customers.insert(name="Maan", email="b@x.example")["id"]
    # When
    trial.update(was, email="B@x.example")
    # Then
    assert trial.ids("email", "a@x.example") == []
    assert trial.ids("email", "b@x.example") == [was, other]
    assert trial.record(was, "name", "email", "phone") == {
        "id": was, "name": "Zon", "email": "B@x.example", "phone": "06",
    }  # fmt: skip


def test_an_emptied_field_finds_nothing(trial: Trial) -> None:
    new = trial.create(name="Zon", email="a@x.example")
    trial.update(new, email=None)
    assert trial.ids("email", "a@x.example") == []
    assert trial.record(new)["email"] is None


def test_a_second_change_is_made_to_the_first_ones_result(trial: Trial) -> None:
    was = trial.crm.customers.insert(name="Zon")["id"]
    trial.update(was, name="Maan", phone="06")
    trial.update(was, name="Ster")
    assert trial.record(was, "name", "phone") == {"id": was, "name": "Ster", "phone": "06"}


@pytest.mark.parametrize("is_new", [True, False])
def test_what_was_deleted_is_gone(trial: Trial, *, is_new: bool) -> None:
    # Given
    new = trial.create(name="Zon", identity="new")
    one = new if is_new else trial.crm.customers.insert(name="Zon", email="x@x.example")["id"]
    trial.ledger.remember(CUSTOMER, {"before": 1})
    trial.pretence.remember(CUSTOMER, {"row": one})
    # When
    assert trial.do(Delete(CUSTOMER, one)) == "deleted"
    # Then
    assert trial.pretence.by_id(CUSTOMER, [one], fields=["name"]) == {}
    trial.crm.sandbox.forget_requests()
    assert trial.pretence.exists(CUSTOMER, one) is None
    assert not trial.crm.sandbox.requests
    assert one not in trial.ids("name", "Zon")
    assert "row" not in trial.pretence.known(CUSTOMER, ["row"])


def test_the_ledger_forgets_what_is_gone_and_is_not_touched(trial: Trial) -> None:
    was = trial.crm.customers.insert(name="Zon")["id"]
    trial.ledger.remember(CUSTOMER, {"row": was, "other": 99})
    trial.do(Delete(CUSTOMER, was))
    trial.pretence.remember(CUSTOMER, {"other": 98})
    known = trial.pretence.known(CUSTOMER, ["row", "other"])
    assert {key: entry.record_id for key, entry in known.items()} == {"other": 98}
    assert trial.ledger.known(CUSTOMER, ["row"])["row"].record_id == was
    assert trial.ledger.known(CUSTOMER, ["other"])["other"].record_id == 99


def test_a_row_whose_new_record_is_gone_is_not_its_old_one_again(trial: Trial) -> None:
    trial.ledger.remember(CUSTOMER, {"row": 98})
    trial.pretence.remember(CUSTOMER, {"row": 99})
    trial.pretence.forget_record(CUSTOMER, 99)
    assert trial.pretence.known(CUSTOMER, ["row"]) == {}


def test_the_same_ids_of_other_resources_stay(trial: Trial) -> None:
    contact = trial.crm.sandbox.rows("contact").insert(last_name="Zon")["id"]
    trial.do(Delete(CUSTOMER, contact))
    assert contact in trial.pretence.by_id(CONTACT, [contact], fields=["last_name"])


def test_a_child_is_found_by_a_parent_that_is_not_there_yet(trial: Trial) -> None:
    parent = trial.create(name="Zon")
    child = trial.create(CONTACT, last_name="Maan", customer_id=parent)
    trial.crm.sandbox.forget_requests()
    assert trial.ids("customer_id", parent, CONTACT) == [child]
    assert not trial.crm.sandbox.requests


def test_what_a_filter_cannot_say_is_not_found_either(trial: Trial) -> None:
    trial.create(name='De "Zon"')
    matches = trial.pretence.by_field(CUSTOMER, "name", ['De "Zon"'], fields=["name"])
    assert 'De "Zon"' in matches.inexpressible
    assert matches.records == {}


def test_the_count_is_that_after_the_changes(trial: Trial) -> None:
    ids = [trial.crm.customers.insert(name=name)["id"] for name in "abc"]
    new = trial.create(name="Zon")
    trial.create(name="Maan", identity="y")
    for one in (*ids[:2], new):
        trial.do(Delete(CUSTOMER, one))
    assert trial.pretence.total(CUSTOMER) == 2


def test_what_is_known_of_a_change_is_no_longer_what_the_ledger_has(trial: Trial) -> None:
    # Given a record that others changed after it was written
    was = trial.crm.customers.insert(name="Zon")["id"]
    sent = Written({"name": "n", "phone": "p"}, {"name": "m"}, "long ago")
    trial.ledger.note_written(CUSTOMER, was, sent)
    # When
    trial.update(was, name="Maan")
    # Then
    written = trial.pretence.written(CUSTOMER, [was])[was]
    assert written.sent == {"name": digest("Maan"), "phone": "p"}
    live = trial.record(was, "updated_at")
    assert trial.comparisons["customer"].is_own_write(live, written)


def test_custom_fields_that_a_change_does_not_name_stay(trial: Trial) -> None:
    new = trial.create(name="Zon", field_values=[{"field_id": 3, "value": "x"}])
    trial.update(new, field_values=[{"field_id": 4, "value": 1}])
    trial.update(new, field_values=[{"field_id": 3, "value": "z"}])
    assert trial.record(new)[CUSTOM] == [
        {"field_id": 3, "value": "z"},
        {"field_id": 4, "value": 1},
    ]


def test_what_cirqll_never_shows_is_not_kept(trial: Trial) -> None:
    new = trial.create(USER, name="Ann", email="ann@x.example", password="hunter2-invented")
    assert "password" not in trial.pretence.by_id(USER, [new], fields=["name"])[new]


def test_nothing_to_do_is_nothing(trial: Trial) -> None:
    assert trial.do(Nothing("left", "why")) == "left"
    assert trial.do(Update(CUSTOMER, 5, {"archived_at": "x"}, deed="archived")) == "archived"


def test_a_create_in_doubt_is_left_to_a_real_run(trial: Trial) -> None:
    create = Create(CUSTOMER, {"name": "Zon"}, ("x", "y"))
    cleared = trial.pretence.cleared([create], trial.comparisons["customer"])
    assert cleared.absent == {}
    assert cleared.unknown["x"].kind == "unknown"


def test_a_row_that_became_known_is_not_created(trial: Trial) -> None:
    trial.pretence.remember(CUSTOMER, {"x": 5})
    with pytest.raises(InDoubt):
        trial.create(name="Zon")
    assert trial.ids("name", "Zon") == []


@pytest.mark.skipif(not STATM.exists(), reason="only Linux tells how much memory is in use now")
def test_memory_does_not_grow_with_what_is_pretended(trial: Trial) -> None:
    # Given
    text = "x" * 3000
    trial.create(name="Zon")
    before = memory_in_use()
    # When
    for number in range(10_000):
        trial.do(Create(CUSTOMER, {"description": f"{number}{text}"}, (str(number),)))
    # Then: 30 MB were pretended
    assert memory_in_use() - before < 10_000_000
    assert trial.ids("description", f"1{text}") != []


def test_a_disk_that_fails_is_told(trial: Trial) -> None:
    trial.pretence.close()
    with pytest.raises(Unavailable, match=r"^The dry run could not keep .* SQLITE_TMPDIR") as told:
        trial.create(name="Secret")
    assert "Secret" not in str(told.value)
    assert isinstance(told.value.__cause__, sqlite3.Error)
