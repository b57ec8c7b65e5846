"""What becomes of a create whose answer was lost: found, sent again, or left to a person."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.errors import Unavailable
from cirqll_client.ledger import Ledger
from cirqll_client.resources import resource_of_stream
from cirqll_client.store import Store
from target_cirqll.identities import key_identity
from target_cirqll.policy import Policy
from tests.target.schedules import DONE_UNHEARD, NOT_DONE
from tests.target.writing_runs import Death, SkippingTime, Writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reading_fixtures import Source

ROW = {"no": 1, "name": "Zaak 1", "email": "zaak@example.com"}
_CANARY = "Kanarie"


class KilledAt(Death):
    """Dies when it comes to this point for the first time."""

    def __init__(self, point: str) -> None:
        super().__init__(1, (point,))


BEFORE_SENDING = "between the entry and the sending"
BEFORE_SETTLING = "between the answer and the settling"


@pytest.fixture
def writing(crm: Source, tmp_path: Path) -> Iterator[Writing]:
    """Customers with a key are written to a company that has some customers and a contact."""
    crm.begin()
    crm.sandbox.faults.clear()
    crm.fill(5)
    crm.sandbox.rows("contact").insert(last_name="Voorbeeld")
    crm.sandbox.clock.set(crm.sandbox.clock.now() + timedelta(hours=1))
    before = crm.sandbox.behaviour
    yield Writing(crm, f"sqlite:///{tmp_path / 'store.sqlite'}")
    crm.sandbox.behaviour = before
    crm.sandbox.faults.clear()


def loses_an_answer(writing: Writing, fault: str = "lost-answer", **options: Any) -> None:
    """Let the first create go wrong."""
    writing.source.sandbox.faults.add(fault, method="POST", times=1, **options)


def new(writing: Writing, table: str = "customer", field: str = "name") -> list[Any]:
    """The names of the records that were not there at the beginning."""
    there = 1 if table == "contact" else 5 if table == "customer" else 0
    return [row[field] for row in writing.source.sandbox.rows(table).all()[there:]]


def posts(writing: Writing) -> int:
    """How many creates reached the server."""
    return sum(one.method == "POST" for one in writing.source.sandbox.requests)


@pytest.mark.parametrize("fault", DONE_UNHEARD)
def test_a_create_whose_answer_was_lost_is_found(writing: Writing, fault: str) -> None:
    loses_an_answer(writing, fault)

    ended = writing.run([ROW])

    assert ended.deeds == {1: "created"}
    assert new(writing) == ["Zaak 1"]
    assert posts(writing) == 1


@pytest.mark.parametrize("fault", NOT_DONE)
def test_one_that_did_not_happen_is_sent_again_once_it_no_longer_can(
    writing: Writing, fault: str
) -> None:
    loses_an_answer(writing, fault)

    ended = writing.run([ROW])

    assert ended.deeds == {1: "created"}
    assert new(writing) == ["Zaak 1"]
    # The API itself answers 500, and has then ended what it did for the request.
    assert (writing.time.skipped > writing.request_timeout) is (fault != "500")


def test_one_that_is_carried_out_late_is_waited_for(writing: Writing) -> None:
    slow = replace(writing, request_timeout=0.3, is_waiting=True)
    loses_an_answer(slow, "slow-commit", seconds=0.5)

    ended = slow.run([ROW])

    assert ended.deeds == {1: "created"}
    assert new(writing) == ["Zaak 1"]
    assert posts(writing) == 1


def test_one_that_waits_on_the_server_for_longer_than_we_do_is_waited_for(
    writing: Writing,
) -> None:
    slow = replace(writing, request_timeout=0.3, is_waiting=True)
    loses_an_answer(slow, "slow-start", seconds=0.6)

    ended = slow.run([ROW])

    assert ended.deeds == {1: "created"}
    assert new(writing) == ["Zaak 1"]


def test_one_that_is_refused_may_be_sent_again_by_the_next_run(writing: Writing) -> None:
    loses_an_answer(writing, "422")

    first, second = writing.run([ROW]), writing.run([ROW])

    assert first.rejects == {1: "refused"}
    assert second.deeds == {1: "created"}
    assert new(writing) == ["Zaak 1"]


def test_one_whose_answers_are_all_lost_is_left_to_the_next_run(writing: Writing) -> None:
    writing.source.sandbox.faults.add("cut-before", method="POST")
    first = writing.run([ROW])
    writing.source.sandbox.faults.clear()

    second = writing.run([ROW])

    assert first.rejects == {1: "unknown"}
    assert second.deeds == {1: "created"}
    assert new(writing) == ["Zaak 1"]


@pytest.mark.parametrize("point", [BEFORE_SENDING, BEFORE_SETTLING])
def test_a_killed_run_is_taken_up_by_the_next(writing: Writing, point: str) -> None:
    assert writing.run([ROW], kill=KilledAt(point)).killed

    ended = writing.run([ROW])

    assert ended.is_whole
    assert ended.rejects == {}
    assert new(writing) == ["Zaak 1"]


def test_a_row_that_changed_since_the_kill_is_the_same_record(writing: Writing) -> None:
    writing.run([ROW], kill=KilledAt(BEFORE_SETTLING))

    ended = writing.run([{"no": 1, "name": "Zaak nieuw", "email": "nieuw@example.com"}])

    assert ended.deeds == {1: "updated"}
    assert new(writing) == ["Zaak nieuw"]


def test_a_row_that_was_not_sent_and_changed_is_sent_as_it_is_now(writing: Writing) -> None:
    writing.run([ROW], kill=KilledAt(BEFORE_SENDING))

    ended = writing.run([{**ROW, "name": "Zaak nieuw"}])

    assert ended.deeds == {1: "created"}
    assert new(writing) == ["Zaak nieuw"]


def test_a_record_that_somebody_else_made_of_another_kind_is_no_obstacle(writing: Writing) -> None:
    writing.run([ROW], kill=KilledAt(BEFORE_SENDING))
    writing.source.customers.insert(name="Bakker", email="bakker@example.com")

    ended = writing.run([ROW])

    assert ended.deeds == {1: "created"}
    assert new(writing) == ["Bakker", "Zaak 1"]


@pytest.mark.parametrize(
    "theirs",
    [
        {"name": "Zaak 1"},
        {"name": "zaak  1.", "email": "iemand@example.com"},
        {"name": "Bakker", "email": "zaak@example.com"},
    ],
)
def test_a_similar_record_that_somebody_else_made_is_neither_ours_nor_proof_that_none_is(
    writing: Writing, theirs: dict[str, str]
) -> None:
    writing.run([ROW], kill=KilledAt(BEFORE_SENDING))
    made = writing.source.customers.insert(**theirs)

    ended = writing.run([ROW])

    assert ended.rejects == {1: "unknown"}
    assert f"customer {made['id']} is new and may be it" in ended.reasons[0]
    assert new(writing) == [theirs["name"]]
    assert writing.source.customers.get(made["id"]) == made


def test_a_record_that_somebody_changed_may_be_ours(writing: Writing) -> None:
    """Nothing is left of what was sent, but nobody says that it was not."""
    writing.run([ROW], kill=KilledAt(BEFORE_SETTLING))
    clock = writing.source.sandbox.clock
    clock.set(clock.now() + timedelta(minutes=1))
    ours = writing.source.customers.all()[-1]
    writing.source.customers.update(ours["id"], name="Bakker", email="bakker@example.com")

    ended = writing.run([ROW])

    assert ended.rejects == {1: "unknown"}
    assert new(writing) == ["Bakker"]


@pytest.mark.parametrize(
    ("behaviour", "row"),
    [
        ({"normalises_email": True}, {"no": 1, "name": "Zaak 1", "email": "Zaak@Example.COM"}),
        ({"normalises_phone": True}, {"no": 1, "name": "Zaak 1", "phone": "06 12 34 56"}),
        ({"trims_texts": True}, {"no": 1, "name": "  Zaak 1 "}),
        ({"text_limit_mode": "cut"}, {"no": 1, "name": "Zaak 1" + 300 * "."}),
        ({"text_limit_mode": "cut"}, {"no": 1, "name": "Zaak 1 en nog heel veel meer" * 20}),
        ({"ignored_write_fields": ("customer.name",)}, {"no": 1, "name": "Zaak 1"}),
        ({"hidden_fields": ("customer.name",)}, {"no": 1, "name": "Zaak 1", "user_id": None}),
    ],
)
@pytest.mark.parametrize("fault", ["lost-answer", "cut-before"])
def test_whatever_the_api_makes_of_the_values_none_is_sent_twice(
    writing: Writing, behaviour: dict[str, Any], row: dict[str, Any], fault: str
) -> None:
    writing.source.behave(**behaviour)
    loses_an_answer(writing, fault)

    ended = [writing.run([row]) for _ in range(3)][-1]

    assert len(new(writing)) == 1
    assert ended.is_whole
    assert ended.rejects in ({}, {1: "unknown"})


def test_a_price_that_is_rounded_does_not_make_another_record_of_it(writing: Writing) -> None:
    writing.source.behave(price_places=2)
    loses_an_answer(writing)
    deals = replace(writing, stream="assignments")

    for _ in range(3):
        deals.run([{"no": 1, "name": "Opdracht", "price": "12.345", "customer_id": 1}])

    assert new(writing, "assignment") == ["Opdracht"]


@pytest.mark.parametrize("option", ["ignored_write_fields", "hidden_fields"])
def test_a_note_whose_text_the_api_does_not_know_is_not_written_twice(
    writing: Writing, option: str
) -> None:
    """A guess: what a note says may stand in another field than we think."""
    writing.source.behave(**{option: ("note.description",)})
    loses_an_answer(writing)
    notes = replace(writing, stream="notes")

    for _ in range(2):
        ended = notes.run([{"no": 1, "description": "Gebeld", "contact_id": 1}])

    assert ended.rejects == {1: "unknown"}
    assert new(writing, "note", "contact_id") == [1]


def test_a_note_of_somebody_else_about_the_same_contact_is_not_taken(writing: Writing) -> None:
    writing.source.behave(hidden_fields=("note.description",))
    notes = replace(writing, stream="notes")
    row = {"no": 1, "description": "Gebeld", "contact_id": 1}
    notes.run([row], kill=KilledAt(BEFORE_SENDING))
    theirs = writing.source.sandbox.rows("note").insert(description="Gemaild", contact_id=1)

    ended = notes.run([row])

    assert ended.rejects == {1: "unknown"}
    assert writing.source.sandbox.rows("note").all() == [theirs]


def test_what_is_created_as_archived_may_be_hidden(writing: Writing) -> None:
    writing.source.behave(archived_in_index="hidden")
    loses_an_answer(writing)

    for _ in range(2):
        ended = writing.run([{**ROW, "archived_at": "2026-01-01T00:00:00Z"}])

    assert ended.rejects == {1: "unknown"}
    assert new(writing) == ["Zaak 1"]


@pytest.mark.parametrize("mode", ["ignore", "refuse"])
@pytest.mark.parametrize(
    ("match_on", "row", "behaviour"),
    [
        (None, ROW, {}),
        ("import_id", {"import_id": 7, "name": "Zaak 1"}, {}),
        (
            "import_id",
            {"import_id": 7, "name": "Zaak 1"},
            {"ignored_write_fields": ("customer.import_id",)},
        ),
        ("phone", {"phone": "06 12 34", "name": "Zaak 1"}, {"normalises_phone": True}),
    ],
)
def test_where_the_newest_records_cannot_be_told_nothing_is_sent_twice(
    writing: Writing,
    mode: str,
    match_on: str | None,
    row: dict[str, Any],
    behaviour: dict[str, Any],
) -> None:
    """That a match key finds nothing is no proof: the API may have made something else of it."""
    writing.source.behave(order_mode=mode, **behaviour)
    loses_an_answer(writing)
    policy = Policy(match_on={"customer": (match_on,)} if match_on else {})
    matched = replace(writing, keys=() if match_on else ("no",), policy=policy)

    ended = [matched.run([row]) for _ in range(2)][-1]

    assert new(writing) == ["Zaak 1"]
    assert ended.rejects in ({}, {1: "unknown"})


def test_rows_that_say_the_same_are_told_apart_by_their_keys(writing: Writing) -> None:
    """Of two that look alike one was made: it is one of them, and the other is made."""
    rows = [{**ROW, "no": 1}, {**ROW, "no": 2}]
    writing.source.sandbox.faults.add("lost-answer", method="POST", at=1)
    writing.source.sandbox.faults.add("cut-before", method="POST", at=2)

    ended = writing.run(rows)

    assert ended.is_whole
    assert ended.rejects == {}
    assert new(writing) == ["Zaak 1", "Zaak 1"]


def test_a_record_that_is_one_rows_for_certain_is_no_doubt_of_anothers(writing: Writing) -> None:
    """Both have the same address; the first was not made, the second was."""
    rows = [ROW, {**ROW, "no": 2, "name": "Zaak 2"}]
    writing.source.sandbox.faults.add("cut-before", method="POST", at=1)
    writing.source.sandbox.faults.add("lost-answer", method="POST", at=2)
    one_by_one = replace(writing, policy=Policy(concurrency=1))

    ended = one_by_one.run(rows)

    assert ended.deeds == {1: "created", 2: "created"}
    assert sorted(new(writing)) == ["Zaak 1", "Zaak 2"]


def test_a_record_that_match_on_finds_settles_the_create_that_made_it(writing: Writing) -> None:
    """Else it would be taken for what another row, with the same address, may have become."""
    policy = Policy(match_on={"customer": ("import_id",)}, concurrency=1)
    matched = replace(writing, keys=(), policy=policy)
    first = {"import_id": 1, "name": "Zaak 1", "email": "info@example.com"}
    second = {"import_id": 2, "name": "Zaak 2", "email": "info@example.com"}
    matched.run([second], kill=KilledAt(BEFORE_SENDING))
    matched.run([first], kill=KilledAt(BEFORE_SETTLING))

    ended = matched.run([first, second])

    assert ended.deeds == {1: "unchanged", 2: "created"}
    assert sorted(new(writing)) == ["Zaak 1", "Zaak 2"]


def test_a_record_that_was_there_before_the_create_was_sent_is_not_its_own(
    writing: Writing,
) -> None:
    other = {"no": 2, "name": "Bakker", "email": "bakker@example.com"}
    writing.run([other], kill=KilledAt(BEFORE_SENDING))
    theirs = writing.source.customers.insert(name=ROW["name"], email=ROW["email"])
    writing.run([ROW], kill=KilledAt(BEFORE_SENDING))

    ended = writing.run([other, ROW])

    assert ended.deeds == {1: "created", 2: "created"}
    assert sorted(new(writing)) == ["Bakker", "Zaak 1", "Zaak 1"]
    assert writing.source.customers.get(theirs["id"]) == theirs


def test_in_an_empty_account_that_somebody_begins_to_fill_the_newest_can_be_told(
    writing: Writing,
) -> None:
    writing.source.customers.clear()
    questions = count()

    def somebody_creates_one(_request: object) -> None:
        # The look-up of the newest is the first question; that there are none is asked again.
        if next(questions) == 1:
            writing.source.customers.insert(name="Bakker", email="bakker@example.com")

    end = writing.source.sandbox.before_request(somebody_creates_one)
    loses_an_answer(writing)
    ended = writing.run([ROW])
    end()

    assert ended.deeds == {1: "created"}


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("keys", [("no",), ()])
def test_two_rows_of_one_new_record_make_one(
    writing: Writing, batch_size: int, keys: tuple[str, ...]
) -> None:
    loses_an_answer(writing)
    matched = replace(
        writing,
        keys=keys,
        batch_size=batch_size,
        policy=Policy(match_on={"customer": ("import_id",)}),
    )

    ended = matched.run([{**ROW, "import_id": 7}, {**ROW, "import_id": 7, "name": "Later"}])

    assert ended.is_whole
    assert ended.rejects == {}
    assert new(writing) == ["Later"]


def test_one_that_the_store_could_not_settle_is_found_by_the_next_run(writing: Writing) -> None:
    """The record is there, and only its id was not noted."""

    def disk_is_full(point: str) -> None:
        if point == BEFORE_SETTLING:
            sentence = "The store failed."
            raise Unavailable(sentence)

    assert writing.run([ROW], kill=disk_is_full).error

    ended = writing.run([ROW])

    assert ended.is_whole
    assert new(writing) == ["Zaak 1"]


def test_nothing_that_a_record_says_is_in_the_store(writing: Writing, tmp_path: Path) -> None:
    texts = {"name": _CANARY, "email": f"{_CANARY}@example.com", "description": f"Een {_CANARY}."}
    matched = replace(writing, policy=Policy(match_on={"customer": ("email",)}))

    matched.run([{"no": f"sleutel-{_CANARY}", **texts}], kill=KilledAt(BEFORE_SETTLING))
    matched.run([{"no": f"sleutel-{_CANARY}", **texts}])

    files = [file.read_bytes() for file in tmp_path.iterdir() if file.name.startswith("store")]
    assert any(b"written_rows" in content for content in files)
    assert not any(_CANARY.lower().encode() in content.lower() for content in files)


class _Faster(SkippingTime):
    """Time in which, while it is waited, another process sends the create that is waited for."""

    def __init__(self, writing: Writing) -> None:
        super().__init__()
        self.writing = writing
        self.steps = [self._begins, self._is_through]

    def sleep(self, seconds: float) -> None:
        super().sleep(self.writing.request_timeout * 2 if self.steps else seconds)
        if self.steps:
            self.steps.pop(0)()

    def _begins(self) -> None:
        settings = self.writing.source.url
        resource = resource_of_stream("customers")
        assert resource
        with closing(Store(self.writing.store_url, clock=self.now)) as store:
            ledger = Ledger(store, account=f"{settings} default")
            identity = key_identity({"no": 1}, source="")
            seen = ledger.known(resource, [identity])[identity]
            assert ledger.begin(resource, identity, floor_id=5, sent=seen.sent or {}, seen=seen)

    def _is_through(self) -> None:
        self.writing.source.customers.insert(name=ROW["name"], email=ROW["email"])


def test_a_create_that_another_process_began_meanwhile_is_waited_for_anew(
    writing: Writing,
) -> None:
    """Both waited for the same doubt to end; the other was a moment faster, and is not through."""
    writing.run([ROW], kill=KilledAt(BEFORE_SENDING))
    other_process = _Faster(writing)

    ended = replace(writing, time=other_process).run([ROW])

    assert other_process.steps == []
    assert ended.rejects == {}
    assert new(writing) == ["Zaak 1"]
    assert posts(writing) == 0


def test_an_entry_of_a_clock_that_was_ahead_is_waited_for_no_longer_than_another(
    writing: Writing,
) -> None:
    ahead = SkippingTime()
    ahead.skipped = 86_400
    replace(writing, time=ahead).run([ROW], kill=KilledAt(BEFORE_SENDING))

    ended = writing.run([ROW])

    assert ended.deeds == {1: "created"}
    assert writing.request_timeout < writing.time.skipped <= 3 * writing.request_timeout


def test_where_nothing_can_tell_nothing_is_waited_for(writing: Writing) -> None:
    writing.source.behave(order_mode="refuse")
    loses_an_answer(writing)

    ended = writing.run([ROW])

    assert ended.rejects == {1: "unknown"}
    assert writing.time.skipped == 0


def test_two_rows_in_doubt_that_come_to_match_stay_two(writing: Writing) -> None:
    """Of the creates of both, only the second one's happened."""
    writing.run([{"no": 1, "name": "Aap", "import_id": 1}], kill=KilledAt(BEFORE_SENDING))
    writing.run([{"no": 2, "name": "Noot", "import_id": 2}], kill=KilledAt(BEFORE_SETTLING))
    matched = replace(writing, policy=Policy(match_on={"customer": ("import_id",)}))

    ended = matched.run([{"no": one, "name": "Noot", "import_id": 7} for one in (1, 2)])

    assert ended.is_whole
    assert list(ended.rejects.values()) == ["ambiguous"]
    assert new(writing) == ["Noot", "Noot"]
