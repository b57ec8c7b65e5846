"""`cirqll doctor` tells the truth about a server that is wrong on purpose, in each way there is."""

from __future__ import annotations

from dataclasses import fields
from functools import reduce
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_sandbox import Behaviour
from tests.client.doctors_office import Office, office_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Told = dict[str, Any]
Truth = tuple[dict[str, Any], dict[str, Any]]

GOOD: Told = {
    "is_readable": True,
    "checks.rate_limit.state": "warning",
    "checks.page_default.words": "100 records, as documented",
    "checks.page_maximum.words": "cut to 1000 records, as the answer says",
    "facts.limit_told": "true",
    "facts.total": "true",
    "facts.times_with_quotes": "honoured",
    "facts.times_without_quotes": "refused",
    "facts.id_order": "honoured",
    "facts.id_filter": "honoured",
    "facts.show": "honoured",
    "facts.with": "honoured",
    "facts.show_envelope": "bare",
    "customers.filter": "honoured",
    "customers.order": "honoured",
    "notes.filter": "honoured",
    "notes.order": "honoured",
    "todos.filter": "unknown",
    "todos.order": "unknown",
    "checks.clock.state": "good",
    "checks.time_zone.state": "unknown",
    "checks.contradictions.words": "as documented",
}
"""What it says of a server that does as documented; `todos` has no records."""


def by_stream(**verdicts: str) -> Told:
    """The same verdict on each stream that has records."""
    streams = ("customers", "notes")
    return {f"{stream}.{name}": said for stream in streams for name, said in verdicts.items()}


def pages(enforced: str, rows: int, refused: int | None = None, *, words: str) -> Told:
    """What is said of the largest page."""
    maximum = {"enforced": enforced, "rows": rows, "refused": refused}
    return {"facts.page_maximum": maximum, "checks.page_maximum.words": words}


def quotes(honesty: str, bare: str = "refused") -> Told:
    """What is said of times with quotes, and without."""
    return {"facts.times_with_quotes": honesty, "facts.times_without_quotes": bare}


NOT_REACHED = pages(
    "not_reached",
    1001,
    words="1001 records are not refused; no stream has enough to see more",
)
AT_LEAST_100 = {"checks.page_default.words": "at least 100 records"}
SILENT = {
    **pages("capped_silently", 120, words="cut to 120 records, and the answer does not say so"),
    **AT_LEAST_100,
    "facts.limit_told": "wrong",
}
REFUSES = {"page_maximum": 500, "page_maximum_mode": "refuse"}
REFUSED = pages("refused", 100, 1000, words="refused: 1000 records are too many; 100 are not")
NO_TIME = ("updated_at",)
FILTER_IGNORED = {**by_stream(filter="ignored"), **quotes("ignored", "ignored")}
IDS_IGNORED = {"facts.id_order": "ignored"}
NOTHING_HONOURED = {
    **FILTER_IGNORED,
    **by_stream(order="ignored"),
    **IDS_IGNORED,
    "facts.id_filter": "ignored",
}

TRUTHS: dict[str, list[Truth]] = {
    "default_limit": [
        (
            {"default_limit": 40},
            {"checks.page_default.words": "40 records; 100 are documented"},
        )
    ],
    "page_maximum": [
        (
            {"page_maximum": 60},
            {
                **pages("capped", 60, words="cut to 60 records, as the answer says"),
                "checks.page_default.words": "60 records; 100 are documented",
            },
        ),
    ],
    "page_maximum_mode": [
        ({"page_maximum": 120, "page_maximum_mode": "cap_silently"}, SILENT),
        (
            {"page_maximum": 120, "page_maximum_mode": "cap_silently", "total_echo": "lying"},
            {**SILENT, "facts.total": "wrong"},
        ),
        (
            {
                "page_maximum": 120,
                "page_maximum_mode": "cap_silently",
                "total_echo": "lying",
                "order_mode": "ignore",
                "filter_mode": "ignore",
            },
            {**SILENT, **NOTHING_HONOURED, "facts.total": "wrong"},
        ),
        (REFUSES, REFUSED),
        (
            {"page_maximum": 1000, "page_maximum_mode": "refuse"},
            pages("refused", 1000, 1001, words="refused: 1001 records are too many; 1000 are not"),
        ),
        ({"page_maximum_mode": "obey"}, NOT_REACHED),
    ],
    "page_refusal_status": [({**REFUSES, "page_refusal_status": 400}, REFUSED)],
    "limit_echo": [
        ({"limit_echo": "wrong"}, {"facts.limit_told": "wrong", **AT_LEAST_100, **NOT_REACHED}),
        ({"limit_echo": "missing"}, {"facts.limit_told": "missing", **AT_LEAST_100, **NOT_REACHED}),
    ],
    "total_echo": [
        ({"total_echo": "lying"}, {"facts.total": "wrong"}),
        ({"total_echo": "missing"}, {"facts.total": "missing"}),
    ],
    "filter_mode": [
        ({"filter_mode": "ignore"}, {**FILTER_IGNORED, "facts.id_filter": "ignored"}),
        (
            {"filter_mode": "refuse"},
            {**by_stream(filter="refused"), **quotes("refused"), "facts.id_filter": "refused"},
        ),
    ],
    "order_mode": [
        ({"order_mode": "ignore"}, {**by_stream(order="ignored"), **IDS_IGNORED}),
        (
            {"order_mode": "refuse"},
            {**by_stream(order="refused"), "facts.id_order": "refused"},
        ),
        (
            {"order_mode": "ignore", "filter_mode": "ignore"},
            NOTHING_HONOURED,
        ),
    ],
    "show_mode": [
        ({"show_mode": "ignore"}, {"facts.show": "ignored"}),
        ({"show_mode": "refuse"}, {"facts.show": "refused"}),
    ],
    "unfilterable_fields": [
        ({"unfilterable_fields": NO_TIME}, {**by_stream(filter="refused"), **quotes("refused")}),
    ],
    "unknown_filter_field": [
        (
            {"unfilterable_fields": NO_TIME, "unknown_filter_field": "ignore"},
            {**by_stream(filter="ignored"), **quotes("ignored")},
        ),
    ],
    "unknown_order_field": [
        (
            {"unorderable_fields": NO_TIME, "unknown_order_field": "ignore"},
            by_stream(order="ignored"),
        ),
        ({"unorderable_fields": ("id",), "unknown_order_field": "ignore"}, IDS_IGNORED),
    ],
    "unorderable_fields": [
        ({"unorderable_fields": NO_TIME}, by_stream(order="refused")),
        ({"unorderable_fields": ("id",)}, {"facts.id_order": "refused"}),
    ],
    "me_path": [
        ({"me_path": "/user/me"}, {"checks.user.state": "good"}),
        ({"me_path": "nowhere"}, {"checks.user.state": "unknown"}),
    ],
    "refused_relations": [
        ({"refused_relations": ("customer.contacts", "user.customers")}, {"facts.with": "refused"}),
    ],
    "quotes": [({"quotes": "literal"}, quotes("ignored", "honoured"))],
    "bare_special_characters": [
        ({"bare_special_characters": "accept"}, quotes("honoured", "honoured")),
    ],
    "ties": [({"ties": "shuffled"}, {})],
    "wrap_single": [({"wrap_single": True}, {"facts.show_envelope": "data"})],
    "rate_limit": [
        ({"rate_limit": 90}, {"facts.rate_limit": 90, "checks.rate_limit.state": "good"}),
    ],
    "rate_headers": [({"rate_limit": 90, "rate_headers": False}, {"facts.rate_limit": None})],
    "rate_limit_told": [
        (
            {"rate_limit": 90, "rate_limit_told": 70},
            {"facts.rate_limit": 70, "checks.rate_limit.state": "good"},
        ),
    ],
    "date_header": [({"date_header": False}, {"checks.clock.state": "warning"})],
    "date_offset_seconds": [
        (
            {"date_offset_seconds": 7200.0},
            {"checks.clock.state": "warning", "facts.zones_proven_wrong": []},
        ),
    ],
    "edits_per_request": [({"edits_per_request": 1}, {"checks.time_zone.state": "good"})],
    "text_comparison": [({"text_comparison": "exact"}, {})],
}
"""What it says of each option, where that differs from `GOOD`."""

ELSEWHERE = {
    "timezone": "test_a_record_that_changed_just_now_proves_a_zone_wrong",
    "field_values_shape": "test_the_shape_of_custom_fields_is_told",
    "field_value_types": "test_the_types_of_custom_fields_are_told",
    "hidden_fields": "test_a_documented_field_that_never_came_is_named",
    "latency_seconds": "test_a_slow_server_is_told, in test_doctor_verdicts.py",
    "access_tokens": "test_scopes_that_the_token_does_not_tell_are_found_by_asking",
    "withheld_scopes": "test_a_scope_that_lacks_is_named",
    "broad_scopes": "test_a_scope_that_lacks_is_named, the other way round",
    "relations_need_scopes": "test_relations_that_need_a_scope_are_told",
}
"""Options that another test is about."""

_WRITES = "the doctor writes nothing"
_SIGNS_IN = "signing in is over when the doctor comes"
UNSEEN = {
    "quote_escape": "no time holds a quote",
    "semicolon_in_quotes": "no time holds a semicolon",
    "archived_in_index": "what an Index hides, nothing shows",
    "skipped_rows": "what an Index hides, nothing shows: the certificates of runs find it",
    "unlisted_rows": "what an Index hides, nothing shows: the certificates of runs find it",
    "repeated_rows": "it reads few rows: the certificates of runs find it",
    "total_off_by": "it does not read to the end: the certificates of runs find it",
    "reach": "what a token does not reach is not there for it",
    "url_maximum": "its questions are short",
    "url_refusal_status": "its questions are short",
    "unknown_show_field": "it asks for fields that came",
    "unknown_with_relation": "it asks for documented relations",
    "option_values": "values are not told, and names of options look like any other text",
    "field_values_rest": "it asks for no record with more values than a page holds",
    "relation_page": "a page of a relation tells it itself, where one is read",
    "eager_loading_maximum": "it asks for two relations at most",
    "show_counts_as_with": "it asks for two relations at most",
    "rate_window_seconds": "to see it, the limit would have to be used up",
    "rate_limit_per": "to see it, the limit would have to be used up by another token",
    "retry_after": "to see it, the limit would have to be used up",
    "foreign_requests_per_second": "what others use shows in what is left, which it tells",
    "edits_per_second": "the same as edits_per_request, and it needs no proof",
    **dict.fromkeys(
        ("create_status", "delete_status", "validation_status", "unknown_write_field",
         "touch_unchanged", "trims_texts", "empty_texts_become_null", "ignored_write_fields",
         "text_limit_mode", "price_places", "normalises_email", "normalises_phone",
         "unique_fields", "forbidden_rows", "on_delete_of_parent", "delete_refusal_status"),
        _WRITES,
    ),
    **dict.fromkeys(
        ("loopback_redirects", "code_seconds", "reused_code_revokes", "pkce",
         "scope_told_in_redirect", "scopes_list_needs", "access_token_seconds",
         "refresh_token_seconds", "refresh_rotates", "refresh_revokes_access_token",
         "reused_refresh_token_revokes", "refresh_refusal", "redirect_uri_in_token_request",
         "token_answer_form", "token_type_word", "expires_in_told", "scope_told_in_token",
         "token_answer_lacks", "oauth_counts"),
        _SIGNS_IN,
    ),
}  # fmt: skip
"""Options that no question of the doctor's can see, and why."""

NOTHING: tuple[str, Told, Told] = ("nothing", {}, {})
CASES = [NOTHING] + [
    (name, behaviour, told) for name, truths in TRUTHS.items() for behaviour, told in truths
]


@pytest.fixture(scope="module")
def any_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office that the tests share; each begins anew, with a store of its own."""
    with (
        pytest.MonkeyPatch.context() as patch,
        office_in(tmp_path_factory.mktemp("office"), patch) as one,
    ):
        yield one


@pytest.fixture
def office(any_office: Office, tmp_path: Path) -> Office:
    return Office(any_office.sandbox, any_office.url, tmp_path)


def test_every_option_of_the_sandbox_is_seen_or_cannot_be() -> None:
    options = {one.name for one in fields(Behaviour)}
    sorted_out = [set(TRUTHS), set(ELSEWHERE), set(UNSEEN)]
    assert options == set.union(*sorted_out)
    assert sum(map(len, sorted_out)) == len(options)


@pytest.mark.parametrize(("name", "behaviour", "expected"), CASES)
def test_what_it_says_is_so(
    office: Office, name: str, behaviour: dict[str, Any], expected: Told
) -> None:
    # Given
    office.begin(**behaviour)
    # When
    told = office.told()
    # Then it says so, and says nothing else that is not so
    assert told["requests"] <= 60
    assert {key: _found(told, key) for key in GOOD | expected} == GOOD | expected, name


def _found(told: Told, key: str) -> Any:
    streams = {one["stream"]: one for one in told["streams"]}
    return reduce(lambda found, name: found[name], key.split("."), {**told, **streams})


def test_a_record_that_changed_just_now_proves_a_zone_wrong(office: Office) -> None:
    # Given
    office.begin(timezone="Europe/Amsterdam")
    office.sandbox.rows("customer").update(5, name="changed")
    # When
    told = office.told()
    by_right_setting = office.told(CIRQLL_API_TIMEZONE="Europe/Amsterdam")
    # Then
    assert told["facts"]["zones_proven_wrong"] == ["UTC"]
    assert told["checks"]["time_zone"]["state"] == "warning"
    assert "Set api_timezone to Europe/Amsterdam" in told["checks"]["time_zone"]["remedy"]
    assert by_right_setting["checks"]["time_zone"]["state"] == "good"


def test_a_clock_that_is_wrong_proves_no_zone_wrong(office: Office) -> None:
    # Given a server whose clock is behind by less than any zone
    office.begin(date_offset_seconds=-2700.0)
    office.sandbox.rows("customer").update(5, name="changed")
    # When
    told = office.told()
    # Then
    assert told["facts"]["zones_proven_wrong"] == []
    assert told["checks"]["clock"]["state"] == "warning"


@pytest.mark.parametrize("shape", ["page", "list", "map"])
def test_the_shape_of_custom_fields_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    with office_in(tmp_path, monkeypatch, size=0.02, field_values_shape=shape) as office:
        told = office.told("--stream", "customers")
    assert told["facts"]["field_values_shape"] == shape


def test_no_shape_is_told_where_no_record_has_a_custom_field(office: Office) -> None:
    office.begin(field_values_shape="list")
    assert office.told()["facts"]["field_values_shape"] == "none"


@pytest.mark.parametrize(("types", "is_all_text"), [("typed", False), ("text", True)])
def test_the_types_of_custom_fields_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, types: str, *, is_all_text: bool
) -> None:
    with office_in(tmp_path, monkeypatch, size=0.02, field_value_types=types) as office:
        told = office.told("--stream", "customers")
    members = told["facts"]["field_value_members"]
    assert {"field_id", "value"} <= set(members)
    assert (set(members["value"]) <= {"text", "date", "time"}) is is_all_text


def test_a_documented_field_that_never_came_is_named(office: Office) -> None:
    # Given
    office.begin(hidden_fields=("customer.phone",))
    # When
    told = office.told("--stream", "customers")
    # Then
    assert "phone" in _found(told, "customers.missing")


def test_scopes_that_the_token_does_not_tell_are_found_by_asking(office: Office) -> None:
    # Given
    office.begin(access_tokens="opaque")
    token = office.sandbox.grant(["customer.read.all", "user.read.all"]).access_token
    # When
    told = office.told(CIRQLL_ACCESS_TOKEN=token)
    # Then
    assert told["checks"]["scopes"]["words"] == "are not told by the token; found out by asking"
    assert _found(told, "customers.is_readable")
    assert _found(told, "notes.failure") == "forbidden"
    assert told["is_readable"]


def test_a_scope_that_lacks_is_named(office: Office) -> None:
    # Given
    office.begin()
    token = office.sandbox.grant(["customer.read.all", "user.read.all"]).access_token
    # When
    told = office.told(CIRQLL_ACCESS_TOKEN=token)
    # Then
    assert told["checks"]["scopes"]["words"] == "2 scopes, as the token says, and they agree"
    assert "note.read.all, todo.read.all" in told["checks"]["streams"]["remedy"]
    assert told["checks"]["streams"]["state"] == "warning"


def test_relations_that_need_a_scope_are_told(office: Office) -> None:
    # Given
    office.begin(relations_need_scopes=True)
    token = office.sandbox.grant(["customer.read.all"]).access_token
    # When
    told = office.told("--stream", "customers", CIRQLL_ACCESS_TOKEN=token)
    # Then
    assert told["facts"]["with"] in {"refused", "ignored"}
    assert told["checks"]["relations"]["state"] == "warning"


# What a fault of one stream's answers shows.
FAULTS: dict[str, Told] = {
    "ignore-filter": {"customers.filter": "ignored"},
    "refuse-filter": {"customers.filter": "refused"},
    "ignore-order": {"customers.order": "ignored"},
    "refuse-order": {"customers.order": "refused"},
    "ignore-show": {"facts.show": "ignored"},
    "refuse-show": {"facts.show": "refused"},
    "wrong-limit": {"facts.limit_told": "wrong"},
    "missing-limit": {"facts.limit_told": "missing"},
    "missing-total": {"facts.total": "missing"},
    "lying-total": {"facts.total": "wrong"},
    "500": {"customers.failure": "failing", "is_readable": False},
    "502-html": {"customers.failure": "failing", "is_readable": False},
    "403-html": {"customers.failure": "web_page", "is_readable": False},
    "html-200": {"customers.failure": "unreadable", "is_readable": False},
    "truncated": {"customers.failure": "unreadable", "is_readable": False},
    "empty": {"customers.failure": "unreadable", "is_readable": False},
    "login-redirect": {"customers.failure": "moved", "is_readable": False},
    "cut-before": {"customers.failure": "no_answer", "is_readable": False},
    "cut-middle": {"customers.failure": "no_answer", "is_readable": False},
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_of_one_stream_is_told_and_the_others_are_checked(
    office: Office, kind: str
) -> None:
    # Given
    office.begin()
    office.sandbox.faults.add(kind, path="/api/customer")
    # When
    told = office.told()
    # Then
    assert {key: _found(told, key) for key in FAULTS[kind]} == FAULTS[kind]
    assert _found(told, "notes.filter") == "honoured"
    assert _found(told, "notes.order") == "honoured"
    assert len(told["streams"]) == 16


def test_a_fault_that_passes_is_not_told(office: Office) -> None:
    # Given
    office.begin()
    office.sandbox.faults.add("503", path="/api/customer", times=1)
    office.sandbox.faults.add("truncated", path="/api/note", times=1)
    # When
    told = office.told()
    # Then
    assert told["checks"]["streams"]["state"] == "good"
    assert _found(told, "customers.order") == "honoured"


@pytest.mark.parametrize("kind", ["no-date", "date-off", "literal-quotes"])
def test_a_fault_of_all_answers_is_told(office: Office, kind: str) -> None:
    # Given
    office.begin()
    office.sandbox.faults.add(kind)
    # When
    told = office.told()
    # Then
    key = "quotes" if kind == "literal-quotes" else "clock"
    assert told["checks"][key]["state"] == "warning"
    assert told["is_readable"]
