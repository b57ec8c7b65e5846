"""A request is seen through, or ends in one sentence that says what to do."""

from __future__ import annotations

import logging
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cirqll_client import errors
from tests.client.asking import HTML, TOKEN, RenewedToken, asking, asking_for, cut, said
from tests.client.raw_server import PAGE, answer

if TYPE_CHECKING:
    from tests.client.raw_server import Reply


def test_listeners_hear_of_every_request_and_every_wait() -> None:
    with asking_for(said(503), cut, PAGE) as (one, _server):
        assert one.page() == [{"id": 1}]
    assert [(each.method, each.path, each.status) for each in one.sent] == [
        ("GET", "/customer", 503), ("GET", "/customer", None), ("GET", "/customer", 200),
    ]  # fmt: skip
    assert one.waits == [1, 2]


def test_each_failure_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with asking_for(said(502), answer(200, HTML), PAGE) as (one, _server):
        one.page()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO] == [
        "GET /customer failed (the server answered 502); trying again in 1.0 s.",
        (
            "GET /customer failed (the answer could not be read: it is a web page); trying again "
            "in 2.0 s."
        ),
    ]


faults: st.SearchStrategy[Any] = st.sampled_from(
    [
        said(500), said(502), said(503), answer(504, HTML), answer(520, ""), said(408), said(599),
        answer(200, HTML), answer(200, ""), answer(200, '{"data": [{"id":'), cut,
        answer(302, HTML, "Location: /login"), answer(404, HTML), answer(403, HTML),
        said(429), answer(429, "{}", "Retry-After: 3"), answer(429, HTML, "Retry-After: nonsense"),
        answer(429, "{}", "Retry-After: 0", "X-RateLimit-Limit: 60", "X-RateLimit-Remaining: 0"),
        lambda _connection: None,
    ]
)  # fmt: skip


def is_mixed(script: list[Any]) -> bool:
    """The same answer four times in a row may be believed."""
    return all(len(list(run)) < 4 for _, run in groupby(script))


@settings(max_examples=40, deadline=None)
@given(script=st.lists(faults, max_size=8).filter(is_mixed))
def test_any_sequence_of_faults_that_ends_in_time_yields_the_page(script: list[Reply]) -> None:
    with asking_for(PAGE, *script, PAGE) as (one, _server):
        one.page()
        assert one.page() == [{"id": 1}]
        assert one.time.now - 1_750_000_000 <= 900
        assert all(nap <= 60 for nap in one.time.naps)


def test_a_dead_server_ends_in_a_sentence_when_the_time_is_up() -> None:
    with asking("http://127.0.0.1:1", give_up_after=100) as one:
        assert one.sentence(errors.Unavailable) == (
            "Cirqll at URL could not be read at /customer: the connection was refused (8 tries in "
            "100 s). Check the setting api_url and the network, then run again."
        )
    assert sum(one.time.naps) == 100


def test_a_server_that_dies_in_the_middle_ends_in_a_sentence_when_the_time_is_up() -> None:
    with asking_for(PAGE, said(503)) as (one, _server):
        one.page()
        assert one.sentence(errors.Unavailable) == (
            "Cirqll at URL could not be read at /customer: the server answered 503 (21 tries in "
            "900 s). Run again later; the next run continues where this one stopped."
        )


def test_without_patience_there_is_one_try() -> None:
    with asking_for(said(503), give_up_after=0) as (one, server):
        assert one.sentence(errors.Unavailable) == (
            "Cirqll at URL could not be read at /customer: the server answered 503 (1 try in 0 s). "
            "Check the setting api_url and the network, then run again."
        )
    assert len(server.received) == 1


def test_a_wrong_host_ends_after_a_few_tries() -> None:
    with asking("http://no-such-host.invalid") as one:
        assert one.sentence(errors.Unavailable) == (
            "Cirqll at URL could not be read at /customer: there is no host of that name (4 tries "
            "in 7 s). Check the setting api_url and the network, then run again."
        )


@pytest.mark.parametrize(
    ("body", "words"),
    [(HTML, "it is a web page"), ("", "it is empty"), ("Hello", "it is no whole JSON")],
)
def test_a_server_that_is_no_api_ends_after_a_few_tries(body: str, words: str) -> None:
    with asking_for(answer(200, body)) as (one, _server):
        assert one.sentence(errors.Unavailable) == (
            "Cirqll at URL could not be read at /customer: the answer could not be read: "
            f"{words} (4 tries in 7 s). Check the setting api_url and the network, then run again."
        )


def test_a_429_holds_back_for_as_long_as_it_says() -> None:
    with asking_for(answer(429, "{}", "Retry-After: 17"), PAGE) as (one, _server):
        one.page()
    assert sum(one.waits) == pytest.approx(17)


def test_a_429_is_believed_on_how_long_to_wait_and_not_on_what_is_left() -> None:
    headers = ("Retry-After: 3", "X-RateLimit-Limit: 60", "X-RateLimit-Remaining: 0")
    with asking_for(answer(429, "{}", *headers), PAGE) as (one, _server):
        one.page()
    assert sum(one.waits) == pytest.approx(3)


def test_a_date_in_retry_after_counts_from_the_date_of_the_answer() -> None:
    headers = ("Retry-After: Sat, 22 Nov 2025 10:00:40 GMT", "Date: Sat, 22 Nov 2025 10:00:20 GMT")
    with asking_for(answer(429, "{}", *headers), PAGE) as (one, _server):
        one.page()
    assert sum(one.waits) == pytest.approx(20)


def test_a_429_that_does_not_say_how_long_is_waited_out() -> None:
    with asking_for(said(429), said(429), PAGE) as (one, _server):
        one.page()
    assert sum(one.waits) == pytest.approx(30)


def test_a_server_that_asks_for_an_hour_ends_it_at_once() -> None:
    with asking_for(answer(429, "{}", "Retry-After: 3600")) as (one, server):
        assert one.sentence(errors.Unavailable) == (
            "Cirqll at URL could not be read at /customer: the server says that there are too many "
            "requests and asks to wait 3600 s (1 try in 0 s). Run again later; the next run "
            "continues where this one stopped."
        )
    assert len(server.received) == 1


def test_too_many_requests_for_ever_is_no_endless_loop() -> None:
    with asking_for(answer(429, "{}", "Retry-After: 0"), give_up_after=100) as (one, server):
        assert "too many requests and asks to wait 0 s" in one.sentence(errors.Unavailable)
    assert 50 <= len(server.received) <= 102


def test_a_token_that_is_refused_ends_in_a_sentence() -> None:
    with asking_for(said(401, "Unauthenticated.")) as (one, server):
        assert one.sentence(errors.SignInRequired) == (
            'Cirqll at URL did not accept the access token for /customer ("Unauthenticated."). It '
            "is wrong, has expired or was revoked: put a new one into the setting access_token and "
            "run again."
        )
    assert len(server.received) == 1


def test_a_token_that_can_be_renewed_is_renewed_once() -> None:
    with asking_for(said(401), PAGE, said(401), token=RenewedToken(TOKEN)) as (one, server):
        assert one.page() == [{"id": 1}]
        assert b"Bearer renewed" in server.received[1]
        one.sentence(errors.SignInRequired)
    assert len(server.received) == 4


@pytest.mark.parametrize(
    ("reply", "kind", "sentence"),
    [
        (
            said(403, "Missing scope."), errors.ScopeMissing,
            (
                'The access token may not read /customer ("Missing scope."). Grant it the scope '
                "customer.read.all, or leave the stream out."
            ),
        ),
        (
            said(404, ""), errors.NotFound,
            (
                "There is nothing at /customer of URL. Check the setting api_url (the root, "
                "without /api); if other streams can be read, this account does not have it."
            ),
        ),
        (
            said(422, "Wrong.", errors={"limit": ["too large", "odd"]}), errors.RequestRefused,
            (
                'Cirqll refused a request to /customer with 422 ("Wrong. limit: too large odd"). '
                "If it stays so, report it with the version of this program."
            ),
        ),
        (
            said(400, "Bad\n operator"), errors.RequestRefused,
            (
                'Cirqll refused a request to /customer with 400 ("Bad operator"). If it stays so, '
                "report it with the version of this program."
            ),
        ),
        (
            answer(418, "teapot"), errors.AnswerUnexpected,
            (
                "Cirqll at URL answered 418 for /customer, which is not known to happen there. "
                "Check the setting api_url; if it is right, report this."
            ),
        ),
    ],
    ids=["403", "404", "422", "400", "418"],
)  # fmt: skip
def test_a_refusal_is_not_tried_again(
    reply: bytes, kind: type[errors.CirqllError], sentence: str
) -> None:
    with asking_for(reply) as (one, server):
        assert one.sentence(kind) == sentence
    assert len(server.received) == 1


def test_a_refusal_keeps_its_facts() -> None:
    with asking_for(said(422, "Wrong.")) as (one, _server):
        with pytest.raises(errors.RequestRefused) as caught:
            one.page()
        assert (caught.value.status, caught.value.reason) == (422, "Wrong.")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_server_that_sends_requests_elsewhere_is_a_setting(status: int) -> None:
    with asking_for(answer(status, "", "Location: http://other/")) as (one, server):
        assert one.sentence(errors.SettingInvalid) == (
            "Cirqll at URL sends the request for /customer elsewhere. Check the setting api_url: "
            "it must be the root of the API, with https."
        )
    assert len(server.received) == 4


@pytest.mark.parametrize(("status", "kind"), [(403, errors.ScopeMissing), (404, errors.NotFound)])
def test_a_web_page_in_place_of_a_refusal_is_believed_only_after_a_few_tries(
    status: int, kind: type[errors.CirqllError]
) -> None:
    with asking_for(answer(status, HTML)) as (one, server):
        one.sentence(kind)
    assert len(server.received) == 4


def test_the_words_of_the_server_are_shown_without_secrets_and_not_at_any_length() -> None:
    padding = "x" * 290
    echo = f"{padding} {TOKEN} Authorization: Bearer {TOKEN}"
    with asking_for(said(400, echo, errors={TOKEN: [TOKEN]})) as (one, _server):
        sentence = one.sentence(errors.RequestRefused)
    assert "canary" not in sentence
    assert len(sentence) < 500


def test_an_interrupted_request_is_counted_all_the_same() -> None:
    with asking_for(PAGE) as (one, _server):
        one.page()

        def interrupt(_answer: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            one.session.get("/customer", interrupt)
    assert len(one.sent) == 2
