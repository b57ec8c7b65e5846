"""What is scrubbed keeps its form, and nothing of what it said."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.messages import masked
from tests.contract.scrubbing import ROOT, WEB_PAGE, Scrubber
from tests.contract.stand_ins import LARGEST_ID, StandIns

if TYPE_CHECKING:
    from decimal import Decimal

URL = "https://crm.example/root"
CAPITALS = re.compile(r"[A-ZÀ-ÖØ-Þ\u4e00-\u9fff]")
"""No stand-in has any of these, but for the T and the Z of a time."""
KEY = b"a key of the tests"

loud = st.text(alphabet="ABKQXÉÜ漢字 -_.@/:\n<>&", min_size=1).filter(CAPITALS.search)
texts = st.one_of(
    loud,
    st.builds("{}@{}.NL".format, loud, loud),
    st.builds("HTTPS://{}.NL/?Q={}".format, loud, loud),
    st.builds("<P>{}</P>".format, loud),
    st.builds("2024-05-18 13:38:35 {}".format, loud),
)
numbers = st.one_of(
    st.integers(-(10**30), 10**30),
    st.decimals(
        allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9
    ),
)
leaves = st.one_of(texts, numbers, st.none(), st.booleans())
names = st.sampled_from(["id", "name", "user_id", "price", "shoe_size", "value", "field_values"])
records = st.recursive(
    st.dictionaries(names, leaves, max_size=5),
    lambda inner: st.dictionaries(names, st.one_of(inner, st.lists(inner, max_size=3)), max_size=4),
    max_leaves=12,
)


def scrubber() -> Scrubber:
    return Scrubber(KEY, api_url=URL)


def scrubbed(said: Any, *, status: int = 200) -> Any:
    text = json.dumps(said, default=float)
    return json.loads(scrubber().answered(text.encode(), status=status))


def shape(value: Any) -> Any:
    """The JSON with the types of its leaves in their place."""
    if isinstance(value, dict):
        return [shape(one) for one in value.values()]
    if isinstance(value, list):
        return [shape(one) for one in value]
    return "number" if type(value) in {int, float} else type(value)


def leaves_of(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in leaves_of(one)]
    return (
        [leaf for one in value for leaf in leaves_of(one)] if isinstance(value, list) else [value]
    )


@given(records)
def test_no_text_of_a_record_survives(record: Any) -> None:
    page = {"data": [record], "limit": 2, "total": 1, "offset": 0}
    left = [text for text in leaves_of(scrubbed(page)) if isinstance(text, str)]
    assert not [text for text in left if CAPITALS.search(text)]


@given(records)
def test_shape_and_types_survive(record: Any) -> None:
    came = json.loads(json.dumps(record, default=float))
    assert shape(scrubbed(record)) == shape(came)


@given(st.dictionaries(loud, st.integers(), min_size=1))
def test_no_key_of_a_map_survives(entries: dict[str, int]) -> None:
    left = json.dumps(scrubbed({"id": 1, "field_values": entries, "odd": entries}))
    assert not CAPITALS.search(left)


@given(loud, st.sampled_from([400, 401, 422, 500]))
def test_no_value_survives_in_an_error(value: str, status: int) -> None:
    said = {"message": f"The name {value} is invalid.", "errors": {"name": [value]}}
    left = scrubbed(said, status=status)
    assert not CAPITALS.search(json.dumps(left).replace("The", ""))
    assert left["message"].startswith("The name ")


@given(st.integers(1, LARGEST_ID), st.integers(1, LARGEST_ID))
def test_ids_stay_ids_and_differ_as_before(one: int, other: int) -> None:
    stand_ins = StandIns(KEY)
    new, another = stand_ins.identity(one), stand_ins.identity(other)
    assert new != one
    assert 1 <= new <= LARGEST_ID
    assert (new == another) == (one == other)


@given(st.datetimes(), st.sampled_from([" ", "T"]), st.sampled_from(["", "Z", "+02:00", ".25Z"]))
def test_a_time_keeps_how_it_is_written(moment: datetime, between: str, rest: str) -> None:
    text = moment.isoformat(sep=between, timespec="seconds") + rest
    for written in (text, text[:10]):
        new = StandIns(KEY).text(written)
        assert new != written
        assert re.sub(r"[1-9]", "0", new[:19]) == re.sub(r"[1-9]", "0", written[:19])
        assert len(new) == len(written)


@given(st.lists(st.datetimes(min_value=datetime(1990, 1, 1)), min_size=2))  # noqa: DTZ001 - they have no zone
def test_times_keep_their_order(moments: list[datetime]) -> None:
    stand_ins = StandIns(KEY)
    new = [stand_ins.text(one.isoformat(sep=" ", timespec="seconds")) for one in sorted(moments)]
    assert new == sorted(new)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2))
def test_a_decimal_keeps_its_places(number: Decimal) -> None:
    new = StandIns(KEY).decimal(number)
    assert (new.as_tuple().exponent, new < 0) == (number.as_tuple().exponent, number < 0)
    assert len(new.as_tuple().digits) == len(number.as_tuple().digits)


@given(st.integers())
def test_a_whole_number_stays_in_its_class(number: int) -> None:
    new = StandIns(KEY).integer(number)
    assert (new < 0, new == 0) == (number < 0, number == 0)
    assert (0 <= new <= 100) == (0 <= number <= 100)
    assert (abs(new) < 2**63) == (abs(number) < 2**63)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", ""),
        ("0000-00-00 00:00:00", "0000-00-00 00:00:00"),
        ("customer.read.all", r"customer\.read\.all"),
        ("06-12345678", r"\d\d-\d{8}"),
        ("12,50", r"\d\d,\d\d"),
        ("Jan@bakker.nl", r"\w{8}@example\.invalid"),
        ("https://bakker.nl/?a=b", r"https://\w{8}\.example\.invalid/"),
        ("6f9619ff-8b86-d011-b42d-00c04fc964ff", r"\w{8}(-\w{4}){3}-\w{12}"),
        ("<b>Jan</b>", r"<p>text-\w+</p>"),
        ("Jan\nPiet", r"text \w+\n\w+"),
        ("2024-02-31 10:00:00", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
        ("2024-02-01T10:00:00.123+02:00", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+02:00"),
        ("Jan " * 60, r"text [\w ]{115}"),
        ("J" * 70_000, r"text[\w-]{65530,}"),
    ],
)
def test_forms_that_a_text_keeps(text: str, form: str) -> None:
    assert re.fullmatch(form, StandIns(KEY).text(text))


def test_the_same_value_has_the_same_stand_in_wherever_it_comes() -> None:
    # Given
    one = scrubber()
    page = b'{"data": [{"id": 7, "updated_at": "2024-05-18 13:38:35"}], "total": 1}'
    # When
    row = json.loads(one.answered(page, status=200))["data"][0]
    shown = one.uri(f"{URL}/api/customer/7")
    asked = one.uri(
        f'{URL}/api/customer?filter=(updated_at:gt:"2024-05-18+13:38:35",or,id:in:7;7)&limit=2'
    )
    # Then
    assert shown == f"{ROOT}/api/customer/{row['id']}"
    when = row["updated_at"].replace(" ", "+")
    assert asked == (
        f"{ROOT}/api/customer?filter=(updated_at:gt:%22{when}%22,or,"
        f"id:in:{row['id']};{row['id']})&limit=2"
    )


def test_two_recordings_have_different_stand_ins() -> None:
    record = b'{"id": 7, "name": "Jan", "updated_at": "2024-05-18 13:38:35"}'
    one = json.loads(Scrubber(b"one", api_url=URL).answered(record, status=200))
    other = json.loads(Scrubber(b"other", api_url=URL).answered(record, status=200))
    assert not one.items() & other.items()


def test_a_filter_on_a_text_does_not_tell_it() -> None:
    assert "Jan" not in str(
        scrubber().uri(f'{URL}/api/customer?filter=name:eq:"de+Jan",or,name:eq:Jan')
    )


def test_names_of_custom_fields_are_replaced_where_they_are_names_of_fields() -> None:
    # Given
    one = scrubber()
    one.learn_names(["Shoe size", "Name", None])
    # When
    record = json.loads(one.answered(b'{"id": 1, "name": "x", "shoe_size": 44}', status=200))
    # Then
    assert "shoe_size" not in record
    assert list(record)[:2] == ["id", "name"]


def test_what_a_page_counts_stays() -> None:
    page = {"data": [], "limit": 100, "total": 4711, "offset": 300}
    assert scrubbed(page) == page


def test_an_answer_of_another_server_is_not_kept() -> None:
    assert scrubber().uri("https://crm.example/rootless/api/customer") is None
    assert scrubber().uri("https://elsewhere.example/api/customer") is None


def test_secrets_are_numbered_as_they_come() -> None:
    # Given
    one = scrubber()
    # When
    sent = one.sent(b"grant_type=refresh_token&refresh_token=A&client_secret=S", is_form=True)
    said = json.loads(one.answered(b'{"refresh_token": "B", "token_type": "Bearer"}', status=200))
    # Then
    assert sent == (
        b"grant_type=refresh_token&refresh_token=stand-in-refresh-token-1"
        b"&client_secret=stand-in-client-secret-1"
    )
    assert said == {"refresh_token": "stand-in-refresh-token-2", "token_type": "Bearer"}


def test_headers_that_tell_nothing_of_the_contract_go() -> None:
    headers = {
        "Authorization": "Bearer SECRET",
        "Set-Cookie": "a=SECRET",
        "X-RateLimit-Limit": "60",
        "Date": "Mon, 01 Jun 2026 12:00:00 GMT",
    }
    kept = scrubber().headers(headers)
    assert kept.keys() == {"authorization", "date", "x-ratelimit-limit"}
    assert kept["authorization"] == "Bearer stand-in"
    assert kept["date"] != headers["Date"]
    assert kept["date"].endswith(" GMT")


def test_the_servers_clock_moves_along_with_the_times_of_records() -> None:
    one, stand_ins = scrubber(), StandIns(KEY)
    date = one.headers({"Date": "Mon, 01 Jun 2026 12:00:00 GMT"})["date"]
    assert date.split()[4] == stand_ins.text("2026-06-01 12:00:00").split()[1]


@pytest.mark.parametrize(
    ("body", "left"),
    [(b"<html>Jan</html>", WEB_PAGE), (b" \n", b""), (b'{"data": [{"name": "Jan', None)],
)
def test_what_is_no_json_says_nothing(body: bytes, left: bytes | None) -> None:
    new = scrubber().answered(body, status=200)
    assert b"Jan" not in new
    assert left is None or new == left


def test_the_apis_own_words_stay() -> None:
    for words in (
        "Unauthenticated.",
        "Too Many Requests",
        "Server Error",
        "The given data was invalid.",
        "The start date field is required.",
        "The operator near is invalid.",
    ):
        assert masked(words) == words
    assert masked('No contact "Jan" at 06 12345678') == 'No contact "***" at *** ***'
