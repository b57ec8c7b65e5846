"""The command `cirqll doctor`: what it prints, keeps, and ends with."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.connection import connect
from cirqll_client.settings import ConnectionSettings
from tests.client.doctors_office import MANY, Office, office_in
from tests.client.raw_server import answer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with office_in(tmp_path, monkeypatch) as one:
        yield one


def test_it_says_in_plain_text_what_works(office: Office) -> None:
    # Given
    office.begin(rate_limit=100)
    # When
    done = office.run()
    # Then
    assert done.exit_code == 0
    assert "at most 60 requests, which only read." in done.stderr
    assert re.search(r"(?m)^Token +ok +is accepted$", done.stdout)
    assert re.search(r"(?m)^Signed in as +ok +.+ of .+$", done.stdout)
    assert re.search(r"(?m)^Streams +ok +16 of 16 can be read$", done.stdout)
    assert re.search(r"(?m)^customers +yes +yes +yes +150", done.stdout)
    assert re.search(r"(?m)^todos +yes +\? +\? +0 +no records$", done.stdout)
    assert re.search(r"This account can be read\. \d\d of at most 60 requests", done.stdout)
    assert "\x1b" not in done.stdout


def test_json_has_keys_that_stay(office: Office) -> None:
    office.begin()
    told = office.told()
    assert list(told) == [
        "account", "api_url", "requests", "requests_allowed", "is_readable", "stops", "warnings",
        "checks", "facts", "custom_fields", "streams",
    ]  # fmt: skip
    assert list(told["checks"]) == [
        "reach", "token", "user", "scopes", "streams", "rate_limit", "page_default",
        "page_maximum", "limit_told", "total", "filter", "order", "id_order", "quotes",
        "show_fields", "show_envelope", "relations", "field_values", "custom_fields", "clock",
        "time_zone", "undocumented", "missing", "contradictions",
    ]  # fmt: skip
    assert list(told["streams"][0]) == [
        "stream", "is_readable", "failure", "status", "filter", "order", "id_order", "records",
        "undocumented", "unnamed_fields", "missing", "contradicting",
    ]  # fmt: skip


@pytest.mark.parametrize("most", [4, 9, 30, 60])
@pytest.mark.parametrize("behaviour", [{}, {"filter_mode": "refuse"}, {"order_mode": "refuse"}])
def test_it_sends_no_more_than_the_number_it_stated(
    office: Office, most: int, behaviour: dict[str, Any]
) -> None:
    # Given a server on which each tenth answer fails
    office.begin(**behaviour)
    for resource in ("note", "todo", "task"):
        office.sandbox.faults.add("500", path=f"/api/{resource}")
    # When
    told = office.told("--requests", str(most))
    # Then
    assert len(office.sandbox.requests) == told["requests"] <= most
    assert told["requests_allowed"] == most


def test_what_was_not_asked_is_said_to_be(office: Office) -> None:
    office.begin()
    told = office.told("--requests", "9")
    assert "9 streams not asked" in told["checks"]["streams"]["words"]
    assert told["checks"]["page_maximum"]["state"] == "unknown"


@pytest.mark.parametrize("argument", ["notes", "note"])
def test_one_stream_can_be_checked_alone(office: Office, argument: str) -> None:
    office.begin()
    told = office.told("--stream", argument)
    assert [one["stream"] for one in told["streams"]] == ["notes"]
    assert told["requests"] < 20


def test_a_stream_that_is_not_there_is_refused_in_a_sentence(office: Office) -> None:
    done = office.run("--stream", "clients")
    assert done.exit_code == 2
    assert "There is no stream 'clients'. The streams are users, roles, customers" in done.stderr


def test_a_stream_that_was_named_must_be_readable(office: Office) -> None:
    # Given
    office.begin()
    token = office.sandbox.grant(["customer.read.all", "user.read.all"]).access_token
    # When
    any_stream = office.run(CIRQLL_ACCESS_TOKEN=token)
    this_one = office.run("--stream", "notes", CIRQLL_ACCESS_TOKEN=token)
    # Then
    assert any_stream.exit_code == 0
    assert this_one.exit_code == 1
    assert "sign in again with the scope note.read.all" in this_one.stdout


def test_a_token_that_is_not_accepted_ends_it(office: Office) -> None:
    done = office.run(CIRQLL_ACCESS_TOKEN="wrong-not-a-secret")
    assert done.exit_code == 1
    assert re.search(r"(?m)^Token +NO +is not accepted$", done.stdout)
    assert "This account cannot be read as it is: see Token" in done.stdout
    assert len(office.sandbox.requests) == 1


def test_where_nobody_signed_in_that_is_what_is_wrong(office: Office) -> None:
    told = office.told(CIRQLL_ACCESS_TOKEN="")
    assert told["stops"] == ["token", "streams"]
    assert told["checks"]["token"]["words"] == "there is none that can be used"
    assert told["checks"]["user"]["words"] == "not asked"
    assert told["checks"]["streams"]["words"] == "0 of 16 can be read; 16 streams not asked"
    assert "cirqll login" in told["checks"]["token"]["remedy"]
    assert told["requests"] == 0


def test_a_server_that_is_not_there_ends_it(office: Office) -> None:
    done = office.run("--api-url", "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "Check the setting api_url and the network" in done.stdout
    assert "4 of at most 60 requests" in done.stdout
    assert "?" not in done.stdout


def test_a_server_that_is_down_makes_no_scope_agree(office: Office) -> None:
    token = office.sandbox.grant(["customer.read.all"]).access_token
    told = office.told("--api-url", "http://127.0.0.1:9", CIRQLL_ACCESS_TOKEN=token)
    assert told["checks"]["scopes"]["state"] == "unknown"
    assert "agree" not in told["checks"]["scopes"]["words"]


def test_a_wrong_root_is_one_sentence(office: Office) -> None:
    told = office.told("--api-url", f"{office.url}/api")
    assert told["stops"] == ["streams"]
    assert told["checks"]["streams"]["remedy"].startswith("Everything is answered as not found")
    assert told["checks"]["streams"]["remedy"].count("api_url") == 1


def test_streams_that_fail_alike_share_a_sentence(office: Office) -> None:
    # Given
    office.begin()
    for resource in ("todo", "webhook"):
        office.sandbox.faults.add("404", path=f"/api/{resource}")
    token = office.sandbox.grant([f"{one}.read.all" for one in ("todo", "webhook", "user")])
    # When
    told = office.told(
        *("--stream", "todos", "--stream", "webhooks", "--stream", "roles", "--stream", "users"),
        CIRQLL_ACCESS_TOKEN=token.access_token,
    )
    # Then
    assert told["checks"]["streams"]["remedy"] == (
        "The token may not read roles: sign in again with the scope role.read.all, or leave it "
        "out. Reading todos and webhooks is answered as not found (404): this account does not "
        "have them. Leave them out."
    )


def test_a_server_that_is_no_api_ends_it(office: Office) -> None:
    with serving(answer(200, "<html>Welkom</html>")) as server:
        done = office.run("--api-url", server.url)
    assert done.exit_code == 1
    assert done.stdout.count("something other than the API answers") == 1
    assert "leave" not in done.stdout


def test_requests_that_are_too_many_for_others_sake_end_it(office: Office) -> None:
    too_many = answer(429, '{"message": "Too Many Requests"}', "Retry-After: 1")
    with serving(too_many) as server:
        done = office.run("--api-url", server.url)
    assert done.exit_code == 1
    assert "other programs use up the rate limit" in done.stdout


def test_a_silent_page_maximum_is_kept_and_used_by_the_next_run(office: Office) -> None:
    # Given
    office.begin(page_maximum=40, page_maximum_mode="cap_silently")
    office.run()
    # When
    limits = office.limits_of_a_run()
    # Then nothing is asked in vain
    assert set(limits) == {"40"}
    assert len(limits) == 4


def test_a_refused_page_size_is_kept_and_used_by_the_next_run(office: Office) -> None:
    office.begin(page_maximum=500, page_maximum_mode="refuse")
    office.run()
    assert set(office.limits_of_a_run()) == {"100"}


def test_a_page_maximum_that_is_told_is_asked_for_anew(office: Office) -> None:
    office.begin(page_maximum=40)
    office.run()
    assert set(office.limits_of_a_run()) == {"1000"}


def test_times_are_written_as_they_are_understood(office: Office) -> None:
    # Given
    office.begin(quotes="literal")
    office.run()
    # When
    read = office.read("customers", since_days=30)
    # Then
    assert len(read.ids) == MANY
    assert read.warnings == []
    assert all('"' not in query.get("filter", "") for query in read.queries)


@pytest.mark.parametrize("mode", ["filter_mode", "order_mode"])
@pytest.mark.parametrize("honesty", ["ignore", "refuse"])
def test_a_reading_begins_the_way_that_works(office: Office, mode: str, honesty: str) -> None:
    # Given
    office.begin(**{mode: honesty})
    office.run()
    # When
    read = office.read("notes", since_days=30)
    # Then
    assert set(read.ids) == {row["id"] for row in office.sandbox.rows("note").all()}
    assert "updated_at" not in read.queries[0].get("order_by", "")
    assert len(read.warnings) <= 1


@pytest.mark.parametrize("before", [{"quotes": "literal"}, {"order_mode": "ignore"}, {}])
@pytest.mark.parametrize(
    "after",
    [{}, {"filter_mode": "refuse"}, {"order_mode": "ignore"}, {"quotes": "literal"}],
)
def test_findings_that_have_become_wrong_lose_no_row(
    office: Office, before: dict[str, Any], after: dict[str, Any]
) -> None:
    # Given findings about a server that was changed since
    office.begin(**before)
    office.run()
    office.sandbox.behaviour = replace(
        office.sandbox.behaviour,
        **{"quotes": "understood", "order_mode": "honour", **after},
    )
    # When
    read = office.read("customers", since_days=30)
    # Then
    assert set(read.ids) == set(range(1, MANY + 1))


@pytest.mark.parametrize("limit_echo", ["true", "missing"])
def test_a_total_that_counts_only_the_page_since_it_was_proven_loses_no_row(
    office: Office, limit_echo: str
) -> None:
    # Given
    office.begin(page_maximum=60)
    office.limits_of_a_run()
    with office.findings() as findings:
        assert findings.is_total_proven
    office.sandbox.behaviour = replace(
        office.sandbox.behaviour,
        total_echo="lying",
        limit_echo=limit_echo,  # type: ignore[arg-type] # one of those above
    )
    # When
    read = office.read("customers", since_days=30)
    # Then
    assert set(read.ids) == set(range(1, MANY + 1))


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("page_maximum", 3),
        ("page_maximum", 10**9),
        ("page_maximum", "many"),
        ("page_size_refused", 2),
        ("page_size_refused", 100),
        ("total_is_proven", True),
        ("quoting", "bare_times"),
        ("quoting", "nonsense"),
        ("honesty customer", {"filter": "honoured", "order": "honoured", "id_order": "honoured"}),
        ("honesty customer", {"filter": "ignored", "order": "refused", "id_order": "ignored"}),
        ("honesty customer", ["nonsense"]),
        ("field_values_shape", "map"),
    ],
)
@pytest.mark.parametrize(
    "server",
    [
        {},
        {"page_maximum": 40},
        {"page_maximum": 120, "page_maximum_mode": "cap_silently", "total_echo": "missing"},
        {"page_maximum": 100, "page_maximum_mode": "refuse"},
        {"page_maximum": 40, "filter_mode": "ignore", "order_mode": "ignore"},
        {"filter_mode": "refuse", "total_echo": "lying"},
        {"quotes": "literal"},
    ],
)
def test_no_finding_makes_a_reading_lose_a_row(
    office: Office, server: dict[str, Any], fact: str, value: object
) -> None:
    # Given what nobody found out of this server
    office.begin(**server)
    with office.findings() as findings:
        findings.learn(fact, value)
    # When
    read = office.read("customers", since_days=30)
    # Then
    assert set(read.ids) == set(range(1, MANY + 1))


def test_a_finding_that_has_become_wrong_is_forgotten_and_said(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    office.begin(quotes="literal")
    office.run()
    office.sandbox.behaviour = replace(office.sandbox.behaviour, quotes="understood")
    # When
    read = office.read("customers", since_days=30)
    # Then the way stays the same
    assert (len(read.ids), read.warnings) == (MANY, [])
    assert "with quotes from now on" in caplog.text
    with office.findings() as findings:
        assert findings.quoting == "quoted"


@pytest.mark.parametrize("mode", ["filter_mode", "order_mode"])
def test_what_a_reading_contradicts_is_forgotten(office: Office, mode: str) -> None:
    # Given
    office.begin(quotes="literal")
    office.run()
    office.sandbox.behaviour = replace(
        office.sandbox.behaviour,
        **{mode: "ignore"},  # type: ignore[arg-type] # a name that is chosen above
    )
    # When some of the records are wanted
    read = office.read("customers", since_days=1.05)
    # Then
    assert 0 < len(set(read.ids)) < MANY
    assert len(read.warnings) == 1
    with office.findings() as findings:
        assert findings.honesty("customer").filter == "unknown"
        assert findings.honesty("note").filter == "honoured"
        assert findings.quoting == "quoted"


def test_a_zone_that_is_proven_wrong_is_said_by_every_run(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    office.begin(timezone="Europe/Amsterdam")
    office.sandbox.rows("customer").update(5, name="changed")
    office.run()
    settings = ConnectionSettings(
        api_url=office.url, access_token="any-not-a-secret", store_url=office.store_url
    )
    for zone, is_warned in (("Europe/Amsterdam", False), ("UTC", True)):
        # When
        caplog.clear()
        with closing(connect(replace(settings, api_timezone=zone))):
            pass
        # Then
        assert ("is not the zone of this account's times" in caplog.text) is is_warned


def test_a_report_is_shown_and_written_but_over_no_other_file(
    office: Office, tmp_path: Path
) -> None:
    # Given
    office.begin()
    file = tmp_path / "some.json"
    # When
    for _ in range(2):
        done = office.run("--report", str(file), "--stream", "notes")
        assert done.exit_code == 0
    # Then
    told = json.loads(file.read_text())
    assert told["host"] == "not the public one"
    assert told["stream notes"]["field user_id"]["documented_as"] == "integer"
    assert file.read_text() in done.stderr
    assert "Read it before you send it" in done.stderr
    # And
    file.write_text("my diary")
    assert office.run("--report", str(file), "--stream", "notes").exit_code == 1
    assert file.read_text() == "my diary"


def test_fields_that_contradict_the_documentation_are_told(office: Office) -> None:
    # Given
    office.begin()
    office.sandbox.rows("contract").insert_many(
        [{"price": "12.50", "price_type": 1, "start_date": "soon", "name": "n" * 300}]
    )
    # When
    done = office.run("--stream", "contracts")
    # Then
    assert done.exit_code == 0
    assert "price (text in place of number)" in done.stdout
    assert "start_date (text in place of date-time)" in done.stdout
    assert "name (300 characters, documented are 255)" in done.stdout
