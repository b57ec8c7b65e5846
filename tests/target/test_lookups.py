"""Looking up live records over HTTP: how many requests it takes, and that none looks absent."""

from __future__ import annotations

import re
from contextlib import closing, contextmanager
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.errors import AnswerUnexpected, SettingInvalid
from cirqll_client.resources import resource_of_stream
from cirqll_sandbox.app import build_app
from cirqll_sandbox.server import in_thread, listen
from target_cirqll.lookups import Lookups
from tests.client.meddling import meddled
from tests.client.raw_server import answer, serving
from tests.reading_fixtures import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_client.resources import Resource

MODES = ["cap", "cap_silently", "refuse", "obey"]
LIMITS = ["true", "wrong", "missing"]
TOTALS = ["true", "lying", "missing"]


def resource(stream: str) -> Resource:
    found = resource_of_stream(stream)
    assert found
    return found


CUSTOMER = resource("customers")


def lookups(source: Source) -> Lookups:
    """Look up as a new process does."""
    connection = source.connection()
    source.sandbox.forget_requests()
    return Lookups(connection.client, timestamps=connection.timestamps)


def numbered(source: Source, number: int) -> list[int]:
    """Add customers with import_id 1, 2, 3 …"""
    rows = [{"name": f"Klant {one}", "import_id": one} for one in range(1, number + 1)]
    ids: list[int] = source.customers.insert_many(rows)
    return ids


def batches(values: list[int], size: int = 1000) -> list[list[int]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


@contextmanager
def with_longest_url(
    source: Source, longest: int, status: int
) -> Iterator[tuple[Source, list[str]]]:
    """Serve the sandbox behind a server that refuses longer requests, and keeps their paths."""
    app = build_app(source.sandbox)
    refused: list[str] = []

    async def short(scope: Any, receive: Any, send: Any) -> None:
        if len(scope["path"]) + len(scope["query_string"]) < longest:
            await app(scope, receive, send)
            return
        refused.append(scope["path"])
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"message": "URI Too Long"}'})

    with (
        in_thread(short, listen("127.0.0.1", 0)) as url,
        closing(Source(source.sandbox, url)) as narrow,
    ):
        yield narrow, refused


# How many requests


def test_unchanged_rows_take_a_request_for_each_page_by_id(crm: Source) -> None:
    ids = numbered(crm, 10_000)
    asking = lookups(crm)

    found = [asking.by_id(CUSTOMER, batch, fields=["name"]) for batch in batches(ids)]

    assert [one for batch in found for one in batch] == ids
    assert found[0][1] == {"id": 1, "name": "Klant 1"}
    assert len(crm.queries) == 10


def test_unchanged_rows_take_a_request_for_each_page_by_a_field(crm: Source) -> None:
    ids = numbered(crm, 10_000)
    asking = lookups(crm)

    found = [
        asking.by_field(CUSTOMER, "import_id", batch, fields=["name"]).records
        for batch in batches(ids)
    ]

    assert all([row["id"] for row in rows] == [key] for one in found for key, rows in one.items())
    assert sum(map(len, found)) == 10_000
    assert len(crm.queries) == 10


def test_a_thousand_long_ids_are_asked_for_at_once(crm: Source) -> None:
    crm.customers.insert(name="Klant", id=199_999)
    ids = numbered(crm, 1000)

    found = lookups(crm).by_id(CUSTOMER, ids, fields=[*CUSTOMER.schema["properties"]])

    assert len(found) == 1000
    assert len(crm.queries) == 1


def test_rows_that_are_not_there_cost_no_request_for_each_batch(crm: Source) -> None:
    numbered(crm, 2000)
    asking = lookups(crm)

    for start in range(0, 4000, 400):
        asking.by_field(CUSTOMER, "import_id", range(start, start + 400), fields=["name"])

    assert len(crm.queries) <= 10 + 3


def test_what_is_not_asked_for_is_not_shown(crm: Source) -> None:
    crm.customers.insert(name="A", import_id=7, email="a@voorbeeld.nl")

    found = lookups(crm).by_field(CUSTOMER, "import_id", [7], fields=["name"])

    assert found.records == {7: [{"id": 1, "name": "A", "import_id": 7}]}


def test_relations_come_along(crm: Source) -> None:
    crm.customers.insert(name="A")

    found = lookups(crm).by_id(CUSTOMER, [1], fields=["name"], relations=("field_values",))

    assert "field_values" in found[1]


def test_nothing_is_asked_for_nothing(crm: Source) -> None:
    asking = lookups(crm)

    assert asking.by_id(CUSTOMER, [], fields=["name"]) == {}
    assert asking.by_field(CUSTOMER, "email", [], fields=["name"]).records == {}
    assert crm.queries == []


# Nothing that is there looks absent


@pytest.mark.parametrize(("mode", "limit", "total"), [*product(MODES, LIMITS, TOTALS)])
@pytest.mark.parametrize("maximum", [7, 100])
def test_no_record_looks_absent_whatever_the_server_says_of_pages(
    crm: Source, mode: str, limit: str, total: str, maximum: int
) -> None:
    crm.begin(
        page_maximum=max(maximum, 100) if mode == "refuse" else maximum,
        page_maximum_mode=mode,
        limit_echo=limit,
        total_echo=total,
    )
    ids = numbered(crm, 120)
    twins = crm.customers.insert_many([{"name": "Tweede", "import_id": one} for one in (5, 99)])
    asking = lookups(crm)

    by_id = asking.by_id(CUSTOMER, [*ids, 9000, 9001], fields=["name"])
    by_field = asking.by_field(CUSTOMER, "import_id", range(1, 140), fields=["name"]).records

    assert by_id.keys() == {*ids}
    assert {key: [row["id"] for row in rows] for key, rows in by_field.items()} == {
        **{key: [key] for key in ids},
        **{key: [] for key in range(121, 140)},
        5: [5, twins[0]],
        99: [99, twins[1]],
    }


def without_or(text: str) -> str:
    """Hear only what stands before the first ``or``."""
    return re.sub(r",or,.*", ")", text)


def nothing(_: str) -> str:
    """Find nothing, whatever was asked for."""
    return "id:lt:0"


def only_first_of_list(text: str) -> str:
    """Hear only the first value of a list."""
    return re.sub(r":in:([^;,)]+)[^,)]*", r":in:\1", text)


@pytest.mark.parametrize("mishear", [without_or, nothing])
def test_a_misread_filter_makes_no_record_look_absent(
    crm: Source, mishear: Callable[[str], str]
) -> None:
    numbered(crm, 30)
    names = [f"Klant {one}" for one in range(1, 60)]

    with meddled(crm.sandbox, mishear) as url, closing(Source(crm.sandbox, url)) as misheard:
        asking = lookups(misheard)
        with pytest.raises(SettingInvalid, match="customers by name as it is asked to"):
            asking.by_field(CUSTOMER, "name", names, fields=["name"])


@pytest.mark.parametrize("mishear", [nothing, only_first_of_list])
def test_a_misread_list_makes_no_record_look_absent(
    crm: Source, mishear: Callable[[str], str]
) -> None:
    numbered(crm, 30)

    with meddled(crm.sandbox, mishear) as url, closing(Source(crm.sandbox, url)) as misheard:
        asking = lookups(misheard)
        with pytest.raises(SettingInvalid):
            asking.by_field(CUSTOMER, "import_id", range(1, 60), fields=["name"])


@pytest.mark.parametrize("special", ["refuse", "accept"])
def test_quotes_that_are_taken_for_letters_make_no_record_look_absent(
    crm: Source, special: str
) -> None:
    crm.begin(quotes="literal", bare_special_characters=special)
    numbered(crm, 30)

    with pytest.raises(SettingInvalid):
        lookups(crm).by_field(CUSTOMER, "name", ["Klant 3", "Klant 4"], fields=["name"])


def test_that_nothing_is_found_is_believed_once_a_filter_found_what_is_there(
    crm: Source,
) -> None:
    numbered(crm, 30)
    asking = lookups(crm)

    for one in range(5):
        found = asking.by_field(CUSTOMER, "name", [f"Nieuwe klant {one}"], fields=["name"])
        assert found.records == {f"Nieuwe klant {one}": []}

    filters = [query["filter"] for query in crm.queries if "filter" in query]
    assert filters[1] == '(id:eq:30,and,(id:eq:0,or,name:eq:"Klant 30"))'
    assert len(crm.queries) == 5 + 2


def test_where_no_record_has_the_field_few_requests_are_spent_on_finding_one(crm: Source) -> None:
    crm.fill(30)
    asking = lookups(crm)

    for one in range(10):
        assert not asking.by_field(CUSTOMER, "import_id", [one], fields=[]).records[one]

    assert len(crm.queries) == 10 + 3


def test_a_record_without_a_usable_value_is_no_control(crm: Source) -> None:
    crm.customers.insert_many([{"name": "A"}, {"name": "B C"}, {"name": ' "D"'}, {"name": None}])

    found = lookups(crm).by_field(CUSTOMER, "name", ["E", "F G"], fields=[])

    assert found.records == {"E": [], "F G": []}
    controls = [one["filter"] for one in crm.queries if "id:eq" in one.get("filter", "")]
    assert controls == [
        "(id:eq:1,and,name:in:0;A)",
        '(id:eq:2,and,(id:eq:0,or,name:eq:"B C"))',
    ]


def test_without_an_order_there_is_no_control(crm: Source) -> None:
    crm.begin(order_mode="refuse")
    numbered(crm, 3)

    found = lookups(crm).by_field(CUSTOMER, "import_id", [9], fields=[])

    assert found.records == {9: []}


@pytest.mark.parametrize("times", [1, 5])
def test_a_record_that_goes_while_an_answer_is_continued_hides_no_other(
    crm: Source, times: int
) -> None:
    crm.begin(page_maximum=10, total_echo="missing")
    numbered(crm, 35)
    gone: list[int] = []

    def deleting(text: str) -> str:
        behind = re.search(r"id:gt:(\d+)", text)
        if behind and len(gone) < times:
            gone.append(int(behind[1]) + 1)
            crm.customers.delete(gone[-1])
        return text

    with meddled(crm.sandbox, deleting) as url, closing(Source(crm.sandbox, url)) as changing:
        asking = lookups(changing)
        if times > 1:
            with pytest.raises(AnswerUnexpected):
                asking.by_field(CUSTOMER, "import_id", range(1, 40), fields=[])
            return
        found = asking.by_field(CUSTOMER, "import_id", range(1, 40), fields=[]).records

    assert [one for one, rows in found.items() if not rows] == [gone[0], 36, 37, 38, 39]


def test_ids_may_come_as_text(crm: Source) -> None:
    page = '{"data": [{"id": "12", "name": "A"}], "limit": 1000, "total": 1}'

    with serving(answer(200, page)) as server, closing(Source(crm.sandbox, server.url)) as odd:
        asking = lookups(odd)
        assert asking.by_id(CUSTOMER, [12], fields=["name"]) == {12: {"id": 12, "name": "A"}}


@pytest.mark.parametrize("row_id", ["null", "true", '"x"', "1.5"])
def test_a_record_without_a_usable_id_is_no_record(crm: Source, row_id: str) -> None:
    page = f'{{"data": [{{"id": {row_id}, "name": "A"}}], "limit": 1000, "total": 1}}'

    with serving(answer(200, page)) as server, closing(Source(crm.sandbox, server.url)) as odd:
        asking = lookups(odd)
        with pytest.raises(AnswerUnexpected, match="records of customers without a usable id"):
            asking.by_field(CUSTOMER, "name", ["A"], fields=["name"])


def test_rows_that_are_repeated_do_not_count_as_others(crm: Source) -> None:
    pages = [
        '{"data": [{"id": 1, "name": "A"}, {"id": 1, "name": "A"}], "limit": 1000, "total": 2}',
        '{"data": [{"id": 1, "name": "A"}, {"id": 1, "name": "A"}], "limit": 1000, "total": 2}',
        '{"data": [{"id": 2, "name": "A"}], "limit": 1000, "total": 1}',
        '{"data": [], "limit": 1000, "total": 0}',
    ]
    # The second page answers what proves the total.
    replies = [answer(200, one) for one in [pages[0], pages[3], *pages[1:]]]

    with serving(*replies) as server, closing(Source(crm.sandbox, server.url)) as odd:
        found = lookups(odd).by_field(CUSTOMER, "name", ["A"], fields=["name"])

    assert [row["id"] for row in found.records["A"]] == [1, 2]


def test_another_record_than_the_one_asked_for_is_not_taken_for_it(crm: Source) -> None:
    with (
        serving(answer(200, '{"id": 8, "name": "A"}')) as server,
        closing(Source(crm.sandbox, server.url)) as odd,
    ):
        asking = lookups(odd)
        with pytest.raises(AnswerUnexpected, match="another record than customer 7"):
            asking.exists(CUSTOMER, 7)


# What matches


def test_case_makes_no_difference_and_accents_do(crm: Source) -> None:
    crm.customers.insert_many([{"name": name} for name in ("Café", "CAFE", "cafe", "Slager")])

    found = lookups(crm).by_field(CUSTOMER, "name", ["Cafe", "slager"], fields=["name"])

    assert {key: [row["id"] for row in rows] for key, rows in found.records.items()} == {
        "Cafe": [2, 3],
        "slager": [4],
    }


def test_values_that_mean_the_same_are_each_answered(crm: Source) -> None:
    crm.customers.insert_many([{"import_id": 7, "email": "a@voorbeeld.nl"}, {"name": "B"}])
    asking = lookups(crm)

    emails = asking.by_field(CUSTOMER, "email", ["A@voorbeeld.nl", "a@voorbeeld.nl"], fields=[])
    numbers = asking.by_field(CUSTOMER, "import_id", ["7"], fields=[])

    assert [len(rows) for rows in emails.records.values()] == [1, 1]
    assert [row["id"] for row in numbers.records["7"]] == [1]


def test_what_cannot_be_asked_for_comes_back_and_matches_nothing(crm: Source) -> None:
    crm.customers.insert_many([{"name": "A"}, {"name": None}, {"name": 'a "b"'}])

    found = lookups(crm).by_field(CUSTOMER, "name", ["A", "", "\u200b", 'a "b"'], fields=[])

    assert found.records.keys() == {"A"}
    assert found.inexpressible.keys() == {"", "\u200b", 'a "b"'}


def test_names_with_and_without_blanks_are_found_together(crm: Source) -> None:
    crm.customers.insert_many([{"name": "De Vries (oud)"}, {"name": "Jansen"}, {"name": "C"}])
    asking = lookups(crm)

    found = asking.by_field(CUSTOMER, "name", ["De Vries (oud)", "Jansen"], fields=[])

    assert [len(rows) for rows in found.records.values()] == [1, 1]
    assert len(crm.queries) == 1


# Servers that do not filter


@pytest.mark.parametrize("mode", ["ignore", "refuse"])
def test_without_a_filter_ids_are_asked_for_one_by_one_with_one_warning(
    crm: Source, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    crm.begin(filter_mode=mode)
    numbered(crm, 30)
    asking = lookups(crm)

    first = asking.by_id(CUSTOMER, [1, 2, 400], fields=["name"])
    second = asking.by_id(CUSTOMER, [3], fields=["name"])

    assert [sorted(first), sorted(second)] == [[1, 2], [3]]
    (warning,) = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert warning.startswith("Cirqll does not find customers by several ids at once.")


@pytest.mark.parametrize("mode", ["ignore", "refuse"])
def test_without_a_filter_a_field_cannot_be_used_to_match(crm: Source, mode: str) -> None:
    crm.begin(filter_mode=mode, page_maximum=10)
    numbered(crm, 300)
    asking = lookups(crm)

    with pytest.raises(SettingInvalid) as refused:
        asking.by_field(CUSTOMER, "email", ["a@voorbeeld.nl"], fields=["name"])

    assert refused.value.sentence == (
        "Cirqll does not find customers by email as it is asked to, so email cannot be used in "
        "match_on. Nothing was written for these rows. Name another field for customer in the "
        "setting match_on, or give the rows their id."
    )
    assert len(crm.queries) <= 4


@pytest.mark.parametrize("strictness", ["ignore", "refuse"])
def test_a_field_that_cannot_be_filtered_on_cannot_be_used_to_match(
    crm: Source, strictness: str
) -> None:
    crm.begin(unfilterable_fields=("email",), unknown_filter_field=strictness)
    numbered(crm, 3)

    with pytest.raises(SettingInvalid):
        lookups(crm).by_field(CUSTOMER, "email", ["a@voorbeeld.nl"], fields=["name"])


def test_an_unknown_field_to_show_is_refused_once(crm: Source) -> None:
    numbered(crm, 30)
    asking = lookups(crm)

    for one in range(1, 4):
        found = asking.by_id(CUSTOMER, [one], fields=["name", "shoe_size"])
        assert found[one]["name"] == f"Klant {one}"

    assert ["show" in query for query in crm.queries].count(True) <= 2
    assert "show" not in crm.queries[-1]


def test_an_order_that_is_refused_is_named_where_it_is_needed(crm: Source) -> None:
    crm.begin(order_mode="refuse", total_echo="missing", page_maximum=10)
    numbered(crm, 30)
    asking = lookups(crm)

    with pytest.raises(AnswerUnexpected, match="did not list the records of customers"):
        asking.by_field(CUSTOMER, "import_id", range(1, 30), fields=["name"])


def test_an_inclusive_filter_is_noticed(crm: Source) -> None:
    crm.begin(page_maximum=10, total_echo="missing")
    numbered(crm, 35)

    def inclusive(text: str) -> str:
        return text.replace(":gt:", ":gte:")

    with meddled(crm.sandbox, inclusive) as url, closing(Source(crm.sandbox, url)) as misheard:
        asking = lookups(misheard)
        with pytest.raises(AnswerUnexpected):
            asking.by_field(CUSTOMER, "import_id", range(1, 36), fields=["name"])


def test_a_continuation_that_is_ignored_is_noticed_row_by_row(crm: Source) -> None:
    crm.begin(page_maximum=1, total_echo="missing")
    crm.customers.insert_many([{"name": "A", "import_id": 7}, {"name": "B", "import_id": 7}])

    def from_the_start(text: str) -> str:
        return re.sub(r"id:gt:\d+", "id:gt:0", text)

    with (
        meddled(crm.sandbox, from_the_start) as url,
        closing(Source(crm.sandbox, url)) as misheard,
    ):
        asking = lookups(misheard)
        with pytest.raises(AnswerUnexpected):
            asking.by_field(CUSTOMER, "import_id", [7, 8], fields=["name"])


# URLs that are too long


@pytest.mark.parametrize("status", [400, 413, 414, 431])
def test_a_url_that_is_too_long_is_shortened_and_that_is_remembered(
    crm: Source, status: int
) -> None:
    ids = numbered(crm, 2000)

    with with_longest_url(crm, 2_000, status) as (narrow, refused):
        asking = lookups(narrow)
        assert asking.by_id(CUSTOMER, ids[:1000], fields=["name"]).keys() == {*ids[:1000]}
        assert 0 < len(refused) <= 8
        refused.clear()
        assert asking.by_id(CUSTOMER, ids[1000:], fields=["name"]).keys() == {*ids[1000:]}

    assert refused == []


def test_a_value_that_is_too_long_for_the_server_comes_back(crm: Source) -> None:
    numbered(crm, 3)
    long = "x" * 3000

    with with_longest_url(crm, 2_000, 414) as (narrow, _):
        found = lookups(narrow).by_field(CUSTOMER, "name", ["Klant 2", long], fields=[])

    assert [row["id"] for row in found.records["Klant 2"]] == [2]
    assert found.inexpressible == {long: "it is too long for a filter"}


# Single records, and how many there are


def test_a_record_is_shown_whole_or_is_not_there(crm: Source) -> None:
    crm.customers.insert(name="A")
    asking = lookups(crm)

    record = asking.exists(CUSTOMER, 1)

    assert record
    assert record["name"] == "A"
    assert asking.exists(CUSTOMER, 2) is None


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_records_are_counted(crm: Source, rows: int) -> None:
    numbered(crm, rows)

    assert lookups(crm).total(CUSTOMER) == rows


@pytest.mark.parametrize("total", ["lying", "missing"])
def test_a_count_that_cannot_be_right_is_none(crm: Source, total: str) -> None:
    crm.begin(total_echo=total)
    numbered(crm, 5)

    assert lookups(crm).total(CUSTOMER) is None


def test_settings_are_found_though_they_cannot_be_shown(crm: Source) -> None:
    crm.begin(filter_mode="refuse")
    table = crm.sandbox.rows("setting")
    table.insert_many([{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    asking = lookups(crm)

    found = asking.by_id(resource("settings"), [2, 9], fields=["key", "value"])

    assert {one: row["key"] for one, row in found.items()} == {2: "b"}
    assert asking.exists(resource("settings"), 9) is None


def test_settings_that_can_neither_be_found_nor_listed_whole_are_not_guessed(crm: Source) -> None:
    crm.begin(filter_mode="refuse", page_maximum=2)
    crm.sandbox.rows("setting").insert_many([{"key": one} for one in "abc"])
    asking = lookups(crm)

    with pytest.raises(AnswerUnexpected, match="neither finds settings by id nor lists them"):
        asking.by_id(resource("settings"), [2], fields=["key"])
