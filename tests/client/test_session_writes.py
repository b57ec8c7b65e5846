"""A create is sent again only where nothing was taken; what may be repeated is seen through."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import sqlalchemy as sql
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cirqll_client import errors, responses
from cirqll_client.pace import Tally
from cirqll_client.store import BUDGETS
from tests.client.asking import HTML, Asking, RenewedToken, asking, asking_for, cut, said
from tests.client.raw_server import answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.raw_server import Reply

CREATED = answer(201, '{"id": 7}')
SLOW = "no whole answer within request_timeout, 1 s"
NOT_TAKEN: list[bytes] = [
    said(429), answer(429, "{}", "Retry-After: 3"), said(401, "Unauthenticated."),
]  # fmt: skip


def lost(_connection: socket.socket) -> None:
    """Cut the connection in place of an answer."""


def silent(connection: socket.socket) -> None:
    """Say nothing for as long as somebody listens."""
    connection.recv(1)


PERHAPS_TAKEN: dict[str, tuple[Reply, str]] = {
    "500": (said(500), "the server answered 500"),
    "503": (said(503), "the server answered 503"),
    "502 in HTML": (answer(502, HTML), "the server answered 502"),
    "408": (said(408), "the server answered 408"),
    "425": (said(425), "the server answered 425"),
    "lost": (lost, "the connection broke"),
    "silent": (silent, SLOW),
    "cut": (cut, "the answer broke off"),
    "no gzip": (answer(201, "no", "Content-Encoding: gzip"), "the answer broke off"),
    "truncated": (answer(201, '{"id":'), "the answer could not be read: it is no whole JSON"),
    "empty": (answer(201, ""), "the answer could not be read: it is empty"),
    "no content": (answer(204, ""), "the answer could not be read: it is empty"),
    "a page": (answer(200, HTML), "the answer could not be read: it is a web page"),
    "no id": (
        answer(201, '{"name": "A"}'),
        "the answer could not be read: a new record without a number as its id",
    ),
    "redirect": (answer(302, "{}", "Location: /login"), "the server answered 302"),
    "400 in HTML": (answer(400, HTML), "the server answered 400"),
    "401 in HTML": (answer(401, HTML), "the server answered 401"),
    "403 in HTML": (answer(403, HTML), "the server answered 403"),
    "429 in HTML": (answer(429, HTML), "the server answered 429"),
    "empty 404": (answer(404, ""), "the server answered 404"),
    "half a 422": (answer(422, '{"message"'), "the server answered 422"),
}


class Ledger:
    """Counts how often a create was announced."""

    def __init__(self) -> None:
        self.entries = 0

    def write(self) -> None:
        """Write down that a create is about to be sent."""
        self.entries += 1


def create(one: Asking, on_sending: Callable[[], None] = lambda: None) -> responses.Record:
    """Create a customer."""
    return one.session.send_once(
        "/customer",
        lambda got: responses.new_record(got.body),
        body=b'{"name":"A"}',
        on_sending=on_sending,
    )


def patch(one: Asking) -> responses.Record:
    """Change a customer."""
    return one.session.send(
        "PATCH", "/customer/7", lambda got: responses.record(got.body), body=b'{"name":"B"}'
    )


def open_permits(one: Asking) -> int:
    """How many permits of the budget were taken and not settled."""
    with one.store.transaction() as connection:
        tally = connection.execute(sql.select(BUDGETS.c.tally)).scalar_one()
    return len(msgspec.json.decode(tally, type=Tally).under_way)


def test_a_create_is_posted_once_and_announced_before() -> None:
    ledger = Ledger()
    with asking_for(CREATED) as (one, server):
        assert create(one, ledger.write) == {"id": 7}
        assert [(each.method, each.path, each.status) for each in one.sent] == [
            ("POST", "/customer", 201)
        ]
    (request,) = server.received
    assert request.startswith(b"POST /api/customer HTTP/1.1\r\n")
    assert b"Content-Type: application/json\r\n" in request
    assert request.endswith(b'\r\n\r\n{"name":"A"}')
    assert ledger.entries == 1


@pytest.mark.parametrize(("reply", "words"), PERHAPS_TAKEN.values(), ids=PERHAPS_TAKEN)
def test_a_create_that_may_have_been_taken_is_not_sent_again(reply: Reply, words: str) -> None:
    with asking_for(reply, CREATED) as (one, server):
        with pytest.raises(errors.OutcomeUnknown) as caught:
            create(one)
        assert open_permits(one) == 0
        assert caught.value.sentence == (
            f"Whether Cirqll at {server.url} carried out what was written at /customer is not "
            f"known: {words}. It was not sent again; look in Cirqll whether the record is there "
            "before you do so."
        )
    assert len(server.received) == 1
    assert not one.waits


@pytest.mark.parametrize("reply", NOT_TAKEN)
def test_a_create_that_was_surely_not_taken_is_sent_and_announced_again(reply: Reply) -> None:
    ledger = Ledger()
    with asking_for(reply, CREATED, token=RenewedToken("first")) as (one, server):
        assert create(one, ledger.write) == {"id": 7}
    assert ledger.entries == len(server.received) == 2


def test_the_token_is_renewed_once_for_a_create() -> None:
    with (
        asking_for(said(401), token=RenewedToken("first")) as (one, server),
        pytest.raises(errors.SignInRequired),
    ):
        create(one)
    assert len(server.received) == 2


@settings(max_examples=60, deadline=None)
@given(
    certain=st.lists(st.sampled_from([said(429), answer(429, "{}", "Retry-After: 3")]), max_size=5),
    ending=st.sampled_from(sorted(set(PERHAPS_TAKEN) - {"silent"})),
)
@example(certain=[], ending="lost")
def test_whatever_comes_a_create_is_sent_no_more_once_it_may_be_taken(
    certain: list[bytes], ending: str
) -> None:
    # Given refusals, then an answer that leaves it open
    reply, _ = PERHAPS_TAKEN[ending]
    ledger = Ledger()
    with asking_for(*certain, reply, CREATED) as (one, server):
        # When
        with pytest.raises(errors.OutcomeUnknown):
            create(one, ledger.write)
        # Then
        assert open_permits(one) == 0
    assert len(server.received) == ledger.entries == len(one.sent) == len(certain) + 1


def test_where_nobody_listens_a_create_was_surely_not_taken() -> None:
    ledger = Ledger()
    with asking("http://127.0.0.1:1", give_up_after=100) as one:
        with pytest.raises(errors.Unavailable) as caught:
            create(one, ledger.write)
        assert caught.value.sentence == (
            "Cirqll at http://127.0.0.1:1 could not be written at /customer: the connection was "
            "refused (8 tries in 100 s). Check the setting api_url and the network, then run again."
        )
        assert open_permits(one) == 0
    assert ledger.entries == 8


def test_a_create_waits_for_a_server_that_is_not_there_yet() -> None:
    # Given a server that begins to listen while a try is waited for
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        posts: list[bytes] = []

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                while not (posts and posts[-1].endswith(b"}")):
                    posts.append((posts[-1] if posts else b"") + connection.recv(65536))
                connection.sendall(CREATED)

        thread = threading.Thread(target=serve)
        with asking(f"http://127.0.0.1:{listening.getsockname()[1]}") as one:
            one.time.at(one.time.now + 2, listening.listen)
            one.time.at(one.time.now + 3, thread.start)
            # When, then
            assert create(one) == {"id": 7}
        thread.join()
    assert [each.status for each in one.sent] == [None, None, 201]


def test_a_connection_that_was_closed_while_it_was_idle_does_not_cost_a_create() -> None:
    closed = threading.Event()

    def answer_and_close(connection: socket.socket) -> None:
        connection.sendall(CREATED)
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with asking_for(answer_and_close, CREATED) as (one, server):
        create(one)
        closed.wait(5)
        assert create(one) == {"id": 7}
    assert len(server.received) == 2


def test_a_create_that_cannot_be_written_down_is_not_sent() -> None:
    def fail() -> None:
        msg = "The disk is full."
        raise errors.Unavailable(msg)

    with asking_for(CREATED) as (one, server):
        with pytest.raises(errors.Unavailable, match="The disk is full"):
            create(one, fail)
        assert open_permits(one) == 0
    assert not server.received
    assert not one.sent


def test_a_create_is_written_down_when_nothing_is_left_to_wait_for() -> None:
    announced: list[float] = []
    with asking_for(CREATED) as (one, _server):
        # Given a budget that is used up
        for _ in range(60):
            create(one)
        # When
        create(one, lambda: announced.append(one.time.now))
        # Then
        assert announced == [one.time.now]
        assert sum(one.waits) >= 60


def test_a_store_that_fails_does_not_take_the_answer_of_a_create_away() -> None:
    # Given a store that breaks while the create is under way
    with asking_for(CREATED) as (one, _server):

        def break_store() -> None:
            with one.store.transaction() as connection:
                connection.execute(sql.delete(BUDGETS))

        # When, then
        assert create(one, break_store) == {"id": 7}
        with pytest.raises(errors.Unavailable):
            create(one)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (said(400), errors.RequestRefused),
        (said(409), errors.RequestRefused),
        (said(422), errors.RequestRefused),
        (answer(413, HTML), errors.RequestRefused),
        (said(403), errors.ScopeMissing),
        (said(404), errors.NotFound),
        (said(405), errors.AnswerUnexpected),
    ],
    ids=["400", "409", "422", "413", "403", "404", "405"],
)
def test_a_create_that_the_api_refuses_was_not_taken(
    reply: bytes, kind: type[errors.CirqllError]
) -> None:
    with asking_for(reply) as (one, server):
        with pytest.raises(kind) as caught:
            create(one)
        assert type(caught.value) is kind
        assert open_permits(one) == 0
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "reply",
    [
        said(500), said(408), said(429), answer(302, "", "Location: /x"), answer(403, HTML),
        answer(200, ""), answer(200, HTML), answer(200, '{"id":'), lost, cut,
    ],
)  # fmt: skip
def test_a_change_is_seen_through(reply: Reply) -> None:
    with asking_for(reply, reply, answer(200, '{"data": {"id": 7}}')) as (one, server):
        assert patch(one) == {"id": 7}
        assert open_permits(one) == 0
    assert len(server.received) == 3
    assert {each.split(b"\r\n\r\n")[1] for each in server.received} == {b'{"name":"B"}'}


def test_a_change_that_fails_for_ever_ends_in_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    with (
        asking_for(said(503), give_up_after=1) as (one, _server),
        pytest.raises(errors.Unavailable) as caught,
    ):
        patch(one)
    assert "could not be written at /customer/7: the server answered 503" in caught.value.sentence
    assert caplog.messages[0].startswith("PATCH /customer/7 failed (the server answered 503)")


def refused(method: Any, reply: bytes) -> errors.CirqllError:
    """How a request ends that is refused."""

    def write() -> object:
        if method == "POST":
            return create(one)
        return one.session.send(method, "/customer/7", lambda got: got)

    with asking_for(reply) as (one, server), pytest.raises(errors.CirqllError) as caught:
        write()
    caught.value.sentence = caught.value.sentence.replace(server.url, "URL")
    return caught.value


@pytest.mark.parametrize(
    ("method", "words", "scope"),
    [
        ("POST", "create a record at /customer", "customer.create.all"),
        ("PATCH", "change /customer/7", "customer.update.all"),
        ("DELETE", "delete /customer/7", "customer.delete.all"),
    ],
)
def test_a_missing_scope_is_named(method: str, words: str, scope: str) -> None:
    assert refused(method, said(403)).sentence == (
        f"The access token may not {words}. Grant it the scope {scope}, or leave the stream out."
    )


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_record_that_is_gone_is_named(method: str) -> None:
    assert refused(method, said(404, "")).sentence == (
        "There is no customer with the id 7 any more at URL. It was deleted, or it never was of "
        "this account: correct the id, or leave it out."
    )


def test_a_refused_write_says_what_to_correct() -> None:
    error = refused("POST", said(422, "Wrong.", errors={"name": ["too  long", "odd"], "x": "?"}))
    assert isinstance(error, errors.RequestRefused)
    assert error.fields == {"name": "too long odd", "x": "?"}
    assert error.sentence == (
        "Cirqll refused to create a record at /customer with 422. Correct the row at its source, "
        "then write it again."
    )


@pytest.mark.parametrize("odd", [{}, {"errors": ["a"]}, {"errors": None}], ids=str)
def test_a_refusal_need_not_name_fields(odd: dict[str, Any]) -> None:
    error = refused("PATCH", said(400, **odd))
    assert isinstance(error, errors.RequestRefused)
    assert not error.fields


def test_the_words_on_a_field_are_without_secrets_and_not_at_any_length() -> None:
    token = "canary-token-not-a-secret"
    error = refused("PATCH", said(422, errors={token: ["x" * 290 + token]}))
    assert isinstance(error, errors.RequestRefused)
    assert "canary" not in repr(error.fields)
    assert all(len(words) <= 300 for words in error.fields.values())


@pytest.mark.parametrize("status", [413, 414, 431])
@pytest.mark.parametrize("body", ["", HTML, "{}"])
def test_a_question_that_is_too_long_is_told_at_once(status: int, body: str) -> None:
    with asking_for(answer(status, body)) as (one, server):
        with pytest.raises(errors.RequestRefused) as caught:
            one.page()
        assert caught.value.status == status
    assert caught.value.sentence == (
        f"Cirqll refused a request to /customer with {status}, as too long. If it stays so, "
        "report it with the version of this program."
    )
    assert len(server.received) == 1


def test_a_change_on_which_the_api_fails_ends_when_it_may() -> None:
    with (
        asking_for(said(500, "SQLSTATE[22001]")) as (one, server),
        pytest.raises(errors.RequestFails) as caught,
    ):
        one.session.send("PATCH", "/customer/7", lambda got: got, may_fail=lambda: True)
    assert len(server.received) == 4
    assert caught.value.reason == "SQLSTATE[22001]"
    assert "SQLSTATE" not in caught.value.sentence


@pytest.mark.parametrize("reply", [said(503), answer(500, HTML), answer(500, "[]")])
def test_a_change_that_a_proxy_answers_is_never_blamed_on_the_record(reply: bytes) -> None:
    with (
        asking_for(reply, give_up_after=20) as (one, _server),
        pytest.raises(errors.Unavailable),
    ):
        one.session.send("PATCH", "/customer/7", lambda got: got, may_fail=lambda: True)


@pytest.mark.parametrize(("reply", "is_over"), [(said(500), True), (answer(500, HTML), False)])
def test_a_create_is_over_once_the_api_itself_has_answered(reply: bytes, is_over: bool) -> None:  # noqa: FBT001 - a parameter
    with asking_for(reply) as (one, _server), pytest.raises(errors.OutcomeUnknown) as caught:
        create(one)
    assert caught.value.is_over is is_over
