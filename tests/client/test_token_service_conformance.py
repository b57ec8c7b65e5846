"""What becomes of a code and of a refresh token, whatever the token service does.

A refresh token may be good for one use. So each call sends one request and no more, and says for
certain whether the token was taken: ``dead``, ``not_sent`` and ``setting`` only where it is proven.
"""

from __future__ import annotations

import json
import logging
import ssl
import traceback
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.errors import CirqllError, SettingInvalid, SignInFailed, Unavailable
from cirqll_client.oauth import OAuthClient, PendingSignIn, Redirect
from cirqll_client.redaction import Redaction
from cirqll_client.token_service import TokenService
from cirqll_client.tokens import TokenPair
from cirqll_sandbox import LUCA, Behaviour, Sandbox, fingerprint
from tests.client.raw_server import answer, serving
from tests.client.test_transport import drip, reset, reset_in_the_body, stay_silent

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from tests.client.raw_server import Reply

NOW = 1_800_000_000.0
SECRET, REFRESH, CODE = "canary-secret/+=", "canary-refresh-token", "canary-code-of-login"
ACCESS, VERIFIER = "canary-access", "canary-verifier"
SENT = "the-token-or-the-cod"
"""Stands for the refresh token or the code, and is as long."""
ECHO = f"You sent {SECRET} with {SENT}."
HIDDEN = "You sent *** with ***."
PADDED = "x" * (200 - len("canary")) + SECRET + SENT
HTML = f"<!DOCTYPE html><html><title>{ECHO}</title></html>"
BACK = "http://127.0.0.1:8123/callback"


def said(status: int, *headers: str, **fields: Any) -> bytes:
    return answer(status, json.dumps(fields), *headers)


def cut_in_the_json(connection: socket.socket) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"access_token": "new')


def echoing(reply: Reply, secret: str) -> Reply:
    return reply.replace(SENT.encode(), secret.encode()) if isinstance(reply, bytes) else reply


@dataclass(frozen=True, slots=True)
class Case:
    """What a service does, and what must come of it."""

    reply: Reply
    kind: str
    """Of a renewal that brings nothing."""
    renewing: str
    """What is said of it, the URL of the service being URL."""
    error: type[CirqllError]
    """Of a sign-in that brings nothing."""
    signing_in: str


def dead(reply: Reply, words: str) -> Case:
    return Case(
        reply, "dead", words, SignInFailed,
        f'Cirqll did not take the code of this sign-in ("{words}"): it is older than ten minutes, '
        "was used before, or belongs to another client or redirect URL. Start the sign-in again.",
    )  # fmt: skip


def no_token(reply: Reply, words: str) -> Case:
    return Case(
        reply, "lost", f"the answer was no token: {words}", Unavailable,
        f"The token service at URL did not answer with tokens ({words}). Start the sign-in again "
        "later.",
    )  # fmt: skip


def later(reply: Reply, words: str) -> Case:
    return replace(no_token(reply, words), kind="not_sent", renewing=words)


def no_answer(reply: Reply, words: str) -> Case:
    return Case(
        reply, "lost", words, Unavailable,
        f"The token service at URL could not be asked for the tokens ({words}). A code is good for "
        "one use, so start the sign-in again.",
    )  # fmt: skip


def setting(reply: Reply, sentence: str) -> Case:
    return Case(reply, "setting", sentence, SettingInvalid, sentence)


def elsewhere(reply: Reply, words: str) -> Case:
    return setting(
        reply,
        f"There is no token service at URL ({words}); check the settings token_url and api_url.",
    )


def wrong_client(reply: Reply, words: str) -> Case:
    return setting(
        reply,
        f'Cirqll does not accept the OAuth client ("{words}"); check the settings client_id and '
        "client_secret. No token was touched.",
    )


def refused(reply: Reply, words: str) -> Case:
    return setting(
        reply,
        f'The token service at URL refused ("{words}"), and nothing was granted. Check the '
        "settings token_url, client_id and client_secret; if they are right, sign in again.",
    )


TOO_SLOW = "no whole answer within request_timeout, 0.3 s"
BROKE, BROKE_OFF = "the connection broke", "the answer broke off"

CASES: dict[str, Case] = {
    # The service says that the token is spent: that, and nothing else, makes it dead
    "400 invalid_grant": dead(said(400, error="invalid_grant"), "invalid_grant"),
    "401 invalid_grant": dead(said(401, error="invalid_grant"), "invalid_grant"),
    "400 invalid_request": dead(said(400, error="invalid_request"), "invalid_request"),
    "401 invalid_request": dead(said(401, error="invalid_request"), "invalid_request"),
    "200 invalid_grant": dead(said(200, error="invalid_grant"), "invalid_grant"),
    "invalid_grant as a form": dead(
        answer(400, "error=invalid_grant&error_description=It+is+dead."), "It is dead."
    ),
    "invalid_grant with a hint": dead(
        said(400, error="invalid_grant", message="Wrong.", hint="Token has been revoked"),
        "Token has been revoked",
    ),
    "an echo": dead(said(400, error="invalid_grant", error_description=ECHO), HIDDEN),
    "an echo that steers a terminal": dead(
        said(400, error="invalid_grant", error_description=f"\x1b[2J\r\n{ECHO}"), f"[2J {HIDDEN}"
    ),
    "an echo that is cut": dead(
        said(400, error="invalid_grant", error_description=PADDED), "x" * 194 + "******"
    ),
    # The client is not accepted: signing in again would not help
    "401 invalid_client": wrong_client(
        said(401, error="invalid_client", error_description="Client authentication failed"),
        "Client authentication failed",
    ),
    "400 unauthorized_client": wrong_client(
        said(400, error="unauthorized_client", error_description=ECHO), HIDDEN
    ),
    "400 unsupported_grant_type": wrong_client(
        said(400, error="unsupported_grant_type"), "unsupported_grant_type"
    ),
    "a client_id that is none": wrong_client(
        said(400, error="invalid_request", hint="Check the `client_id` parameter"),
        "Check the `client_id` parameter",
    ),
    # There is no token service
    **{
        f"{status} to another place": elsewhere(
            answer(status, HTML, "Location: https://elsewhere.invalid/login"), f"status {status}"
        )
        for status in (301, 302, 303, 307, 308)
    },
    "404 HTML": elsewhere(answer(404, HTML), "status 404"),
    "404 JSON": elsewhere(said(404, message="Not found."), "Not found."),
    "405": elsewhere(said(405, message="The POST method is not supported."),
                     "The POST method is not supported."),
    # The service itself refuses, for a reason that nobody knows
    "422": refused(said(422, message="The data was invalid.", errors={}), "The data was invalid."),
    "419": refused(said(419, message="CSRF token mismatch."), "CSRF token mismatch."),
    "401 without a word of OAuth": refused(said(401, message="Unauthenticated."),
                                           "Unauthenticated."),
    "403 JSON": refused(said(403, message=ECHO), HIDDEN),
    "400 invalid_scope": refused(said(400, error="invalid_scope"), "invalid_scope"),
    "an error that is an object": refused(said(400, error={"code": 7}), "status 400"),
    # Too much at the moment: nothing was taken
    "429": later(said(429, message="Too Many Requests"), "Too Many Requests"),
    "429 HTML": later(answer(429, HTML), "status 429"),
    "503 temporarily_unavailable": later(
        said(503, error="temporarily_unavailable"), "temporarily_unavailable"
    ),
    # A whole answer from which nobody can tell
    **{f"{status} HTML": no_token(answer(status, HTML), f"status {status}")
       for status in (200, 400, 401, 403, 500, 502, 503, 504, 520)},
    "500 JSON": no_token(said(500, message="Server Error"), "Server Error"),
    "500 invalid_grant": no_token(said(500, error="invalid_grant"), "invalid_grant"),
    "200 that only echoes": no_token(said(200, message=ECHO), HIDDEN),
    "no body": no_token(answer(200, ""), "status 200"),
    "204": no_token(answer(204, ""), "status 204"),
    "an empty object": no_token(said(200), "status 200"),
    "a list": no_token(answer(200, "[]"), "status 200"),
    "null": no_token(answer(200, "null"), "status 200"),
    "text": no_token(answer(200, ECHO), "status 200"),
    "a line of a proxy": no_token(answer(499, "upstream timed out, trace=abc"), "status 499"),
    "a page that leads on": no_token(
        answer(400, "<a href='?error=a&access_token=b'>"), "status 400"
    ),
    "half of the JSON": no_token(answer(200, '{"access_token": "new", "refr'), "status 200"),
    "no access token": no_token(said(200, refresh_token="new"), "status 200"),
    "an empty access token": no_token(said(200, access_token=""), "status 200"),
    "a null access token": no_token(said(200, access_token=None), "status 200"),
    "an access token that is a number": no_token(said(200, access_token=5), "status 200"),
    "an access token of two words": no_token(said(200, access_token="a b"), "status 200"),
    "an access token and an error": no_token(
        said(200, access_token="new", error="what"), "what"
    ),
    # Sent, and no whole answer
    "a connection that ends": no_answer(lambda _connection: None, BROKE),
    "a reset": no_answer(reset, BROKE),
    "no HTTP": no_answer(b"nonsense\r\n\r\n", BROKE),
    "a body that ends": no_answer(cut_in_the_json, BROKE_OFF),
    "a reset in the body": no_answer(reset_in_the_body, BROKE_OFF),
    "no gzip": no_answer(answer(200, "{}", "Content-Encoding: gzip"), BROKE_OFF),
    "a length that is none": no_answer(
        b'HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n{"access_token": "new"}', BROKE
    ),
    "no answer in time": no_answer(stay_silent, TOO_SLOW),
    "an answer that drips": no_answer(drip, TOO_SLOW),
}  # fmt: skip


@contextmanager
def service_at(token_url: str, **more: Any) -> Iterator[TokenService]:
    client = OAuthClient(client_id="client-id", client_secret=SECRET, token_url=token_url)
    service = TokenService(
        client, timeout_seconds=0.3, user_agent="test", redact=Redaction(), **more
    )
    with closing(service):
        yield service


def pair() -> TokenPair:
    return TokenPair(ACCESS, REFRESH, obtained_at=NOW - 1, scopes=frozenset({"user.read.all"}))


def pending() -> PendingSignIn:
    return PendingSignIn(
        authorize_url="", redirect_uri=BACK, scopes=(), state="", code_verifier=VERIFIER
    )


def everything_said_of(error: BaseException) -> str:
    said = ["".join(traceback.format_exception(error))]
    one: BaseException | None = error
    while one is not None:
        said += [str(one), repr(one.args), repr(vars(one))]
        one = one.__cause__ or one.__context__
    return "\n".join(said)


@pytest.fixture(autouse=True)
def no_secret_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever happens, no logger says a secret."""
    caplog.set_level(logging.DEBUG)
    yield
    records = [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    assert "canary" not in "\n".join(records)


def not_renewed(service: TokenService) -> tuple[str, str, bool]:
    """The kind, the words and whether it may have been sent."""
    outcome = service.renew(pair())
    assert not isinstance(outcome, TokenPair)
    assert "canary" not in repr(outcome)
    words = outcome.failure.words.replace(service.client.token_url, "URL")
    return outcome.kind, words, outcome.failure.was_sent


def not_signed_in(service: TokenService) -> tuple[type[CirqllError], str]:
    with pytest.raises(CirqllError) as caught:
        service.exchange(pending(), Redirect(CODE, None))
    assert "canary" not in everything_said_of(caught.value)
    return type(caught.value), caught.value.sentence.replace(service.client.token_url, "URL")


@pytest.mark.parametrize("what", CASES)
def test_a_renewal_that_brings_nothing_is_sent_once_and_named(what: str) -> None:
    case = CASES[what]
    reply = echoing(case.reply, REFRESH)
    with serving(reply) as server, service_at(server.url) as service:
        kind, words, _ = not_renewed(service)
    assert (kind, words) == (case.kind, case.renewing)
    assert len(server.received) == 1


@pytest.mark.parametrize("what", CASES)
def test_a_sign_in_that_brings_nothing_is_sent_once_and_told(what: str) -> None:
    case = CASES[what]
    reply = echoing(case.reply, CODE)
    with serving(reply) as server, service_at(server.url) as service:
        assert not_signed_in(service) == (case.error, case.signing_in)
    assert len(server.received) == 1


def test_a_verifier_that_is_echoed_is_not_repeated() -> None:
    reply = said(400, error="invalid_grant", error_description=f"Not {VERIFIER}.")
    with serving(reply) as server, service_at(server.url) as service:
        assert '("Not ***.")' in not_signed_in(service)[1]


def test_only_a_service_s_own_word_kills_a_token() -> None:
    """A guard for this table: what may be tried again is what was proven not to be taken."""
    kinds: dict[str, list[str]] = {}
    for what, case in CASES.items():
        kinds.setdefault(case.kind, []).append(what)
    assert {*kinds} == {"dead", "lost", "not_sent", "setting"}
    assert all("4" in what or "invalid_grant" in what or "echo" in what for what in kinds["dead"])
    assert not [what for what in kinds["not_sent"] if "429" not in what and "503 temp" not in what]


# Where nothing was sent


@pytest.mark.parametrize(
    ("token_url", "words"),
    [
        ("http://127.0.0.1:1/oauth/token", "the connection was refused"),
        ("https://127.0.0.1:1/oauth/token", "the connection was refused"),
        ("https://no-such-host.invalid/oauth/token", "there is no host of that name"),
    ],
)
def test_what_never_left_may_be_sent_again(token_url: str, words: str) -> None:
    with service_at(token_url) as service:
        assert not_renewed(service) == ("not_sent", words, False)
        assert not_signed_in(service) == (
            Unavailable,
            (
                f"The token service at URL could not be asked for the tokens ({words}). A code is "
                "good for one use, so start the sign-in again."
            ),
        )


def test_a_server_that_speaks_no_tls_was_sent_nothing() -> None:
    words = "no encrypted connection could be made"
    with (
        Sandbox(size=0).running() as url,
        service_at(url.replace("http:", "https:")) as service,
    ):
        assert not_renewed(service) == ("not_sent", words, False)


def test_a_server_that_says_nothing_before_tls_was_sent_nothing() -> None:
    with (
        serving(stay_silent) as server,
        service_at(server.url.replace("http:", "https:")) as service,
    ):
        assert not_renewed(service) == ("not_sent", TOO_SLOW, False)
    assert not server.received


def test_a_server_that_cannot_prove_who_it_is_is_sent_nothing() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
    sentence = (
        "The server at URL could not prove who it is (its TLS certificate was refused), so nothing "
        "was sent; check the setting token_url, or REQUESTS_CA_BUNDLE behind a proxy."
    )
    with serving(answer(200, "{}"), tls=tls) as server, service_at(server.url) as service:
        assert not_renewed(service) == ("setting", sentence, False)
        assert not_signed_in(service) == (SettingInvalid, sentence)
    assert not server.received


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [((), 60), (("Retry-After: 17",), 17), (("Retry-After: 0",), 0), (("Retry-After: soon",), 60)],
    ids=repr,
)
def test_a_service_that_has_too_much_to_do_is_given_time(
    headers: tuple[str, ...], seconds: float
) -> None:
    with serving(said(429, *headers)) as server, service_at(server.url) as service:
        outcome = service.renew(pair())
    assert not isinstance(outcome, TokenPair)
    assert outcome.failure.is_too_many
    assert outcome.failure.retry_after_seconds == seconds


# What is granted is kept

ODD_LIFETIMES: list[Any] = [None, 0, -1, 1.5, "soon", [], True, 1e300, 10**30, float("nan")]
GRANTED: dict[str, Reply] = {
    "all that Cirqll tells": said(
        200, token_type="Bearer", expires_in=60, access_token="new", refresh_token="newer"
    ),
    "lower case": said(200, token_type="bearer", access_token="new", refresh_token="newer"),
    "no type": said(200, access_token="new", refresh_token="newer", expires_in="60"),
    "a type that is none": said(200, token_type=5, access_token="new", refresh_token="newer"),
    "201": said(201, access_token="new", refresh_token="newer"),
    "500": said(500, access_token="new", refresh_token="newer"),
    "a form": answer(200, "access_token=new&refresh_token=newer&expires_in=60"),
    "a byte order mark": answer(200, b'\xef\xbb\xbf{"access_token":"new","refresh_token":"newer"}'),
    "no UTF-8": answer(200, b'{"access_token":"new","refresh_token":"newer","name":"Caf\xe9"}'),
    "HTML by its type": said(
        200, "Content-Type: text/html", access_token="new", refresh_token="newer"
    ),
    **{
        f"expires_in {value!r}": said(
            200, access_token="new", refresh_token="newer", expires_in=value
        )
        for value in ODD_LIFETIMES
    },
    "an error that is none": said(200, access_token="new", refresh_token="newer", error=None),
    "white space around": said(200, access_token=" new\n", refresh_token="\tnewer "),
    "a key twice": answer(
        200, '{"access_token":"","access_token":"new","refresh_token":"x","refresh_token":"newer"}'
    ),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'1\r\n{\r\n2c\r\n"access_token":"new","refresh_token":"newer"\r\n1\r\n}\r\n0\r\n\r\n'
    ),
    "no length": lambda connection: connection.sendall(
        b'HTTP/1.0 200 OK\r\n\r\n{"access_token":"new","refresh_token":"newer"}'
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", GRANTED)
def test_tokens_that_were_granted_are_kept(what: str) -> None:
    with serving(GRANTED[what]) as server, service_at(server.url, clock=lambda: NOW) as service:
        renewed = service.renew(pair())
        signed_in = service.exchange(pending(), Redirect(CODE, None))
    assert isinstance(renewed, TokenPair)
    for got in (renewed, signed_in):
        assert (got.access_token, got.refresh_token) == ("new", "newer")
        assert got.obtained_at == NOW
        assert got.expires_at is None or got.expires_at > NOW
    assert renewed.scopes == frozenset({"user.read.all"})
    assert len(server.received) == 2


@pytest.mark.parametrize(
    "more", [{}, {"refresh_token": REFRESH}, {"refresh_token": None}], ids=repr
)
def test_a_refresh_token_that_does_not_change_stays(more: dict[str, Any]) -> None:
    with serving(said(200, access_token="new", **more)) as server, service_at(server.url) as one:
        renewed = one.renew(pair())
    assert isinstance(renewed, TokenPair)
    assert (renewed.access_token, renewed.refresh_token) == ("new", REFRESH)
    assert renewed.is_reusable


@pytest.mark.parametrize(
    ("told", "redirect", "scopes"),
    [("a b", "c", {"a", "b"}), (None, "c d", {"c", "d"}), ("", "c", {"c"}), (None, None, None)],
)
def test_scopes_come_from_the_answer_or_else_from_the_redirect(
    told: str | None, redirect: str | None, scopes: set[str] | None
) -> None:
    reply = said(200, access_token="new", scope=told)
    with serving(reply) as server, service_at(server.url) as service:
        got = service.exchange(pending(), Redirect(CODE, redirect))
    assert got.scopes == (None if scopes is None else frozenset(scopes))


# Whole services

SERVICES: dict[str, Behaviour] = {
    "Cirqll": Behaviour(),
    "Luca": LUCA,
    "opaque access tokens": Behaviour(access_tokens="opaque"),
    "no lifetime": Behaviour(expires_in_told="missing"),
    "a lifetime as text": Behaviour(expires_in_told="text"),
    "forms": Behaviour(token_answer_form="form"),
    "no rotation": Behaviour(refresh_rotates=False),
    "scopes told": Behaviour(scope_told_in_token=True),
    "no PKCE": Behaviour(pkce="ignored"),
    "redirect_uri ignored": Behaviour(redirect_uri_in_token_request="ignored"),
    "revokes what is reused": Behaviour(reused_refresh_token_revokes=True),
}


@contextmanager
def sandbox_service(behaviour: Behaviour) -> Iterator[tuple[Sandbox, TokenService]]:
    sandbox = Sandbox(size=0, behaviour=behaviour)
    with sandbox.running() as url:
        client = OAuthClient(
            client_id=sandbox.client.id,
            client_secret=sandbox.client.secret,
            token_url=f"{url}/oauth/token",
        )
        service = TokenService(client, timeout_seconds=5, user_agent="test", redact=Redaction())
        with closing(service):
            yield sandbox, service


def stored(sandbox: Sandbox, *scopes: str) -> TokenPair:
    given = sandbox.grant(scopes or None)
    return TokenPair(given.access_token, given.refresh_token, obtained_at=NOW)


@pytest.mark.parametrize("what", SERVICES)
def test_a_pair_is_renewed_again_and_again_at_any_service(what: str) -> None:
    behaviour = SERVICES[what]
    with sandbox_service(behaviour) as (sandbox, service):
        pairs = [stored(sandbox)]
        for _ in range(3):
            got = service.renew(pairs[-1])
            assert isinstance(got, TokenPair), got
            assert sandbox.tokens.find(got.access_token) is not None
            pairs.append(got)
    assert [one.outcome for one in sandbox.token_requests] == ["issued"] * 3
    assert [one.credential for one in sandbox.token_requests] == [
        fingerprint(one.refresh_token) for one in pairs[:3]
    ]
    assert len({one.access_token for one in pairs}) == 4
    assert {one.is_reusable for one in pairs[1:]} == {not behaviour.refresh_rotates}
    lives = {one.expires_at and round(one.expires_at - one.obtained_at) for one in pairs[1:]}
    is_told = behaviour.expires_in_told != "missing" or behaviour.access_tokens == "jwt"
    assert lives == {round(behaviour.access_token_seconds) if is_told else None}


@pytest.mark.parametrize(
    "refusal",
    ["400 invalid_grant", "401 invalid_grant", "400 invalid_request", "401 invalid_request"],
)
def test_a_refresh_token_that_another_program_used_is_dead(refusal: Any) -> None:
    with sandbox_service(Behaviour(refresh_refusal=refusal)) as (sandbox, service):
        before = stored(sandbox)
        sandbox.refresh_as_another_program(str(before.refresh_token))
        outcome = service.renew(before)
    assert not isinstance(outcome, TokenPair)
    assert outcome.kind == "dead"
    assert outcome.failure.words == "Token has been revoked"


def test_a_refresh_token_that_has_expired_is_dead() -> None:
    with sandbox_service(Behaviour()) as (sandbox, service):
        before = stored(sandbox)
        sandbox.clock.move(91 * 86_400)
        outcome = service.renew(before)
    assert not isinstance(outcome, TokenPair)
    assert (outcome.kind, outcome.failure.words) == (
        "dead", "Token has expired",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "kind", "outcome"),
    [
        ("lost-answer", "lost", "issued"), ("cut-middle", "lost", "issued"),
        ("truncated", "lost", "issued"), ("empty", "lost", "issued"),
        ("no-access-token", "lost", "issued"), ("cut-before", "lost", "not_carried_out"),
        ("503", "lost", "not_carried_out"), ("502-html", "lost", "not_carried_out"),
        ("html-200", "lost", "not_carried_out"), ("429", "not_sent", "not_carried_out"),
        ("429-without-retry-after", "not_sent", "not_carried_out"),
        ("login-redirect", "setting", "not_carried_out"),
        ("404-html", "setting", "not_carried_out"),
    ],
)  # fmt: skip
def test_a_mishap_on_the_way_is_never_answered_by_sending_again(
    fault: str, kind: str, outcome: str
) -> None:
    with sandbox_service(Behaviour()) as (sandbox, service):
        before = stored(sandbox)
        sandbox.faults.add(fault, path="/oauth/token")
        got = service.renew(before)
    assert not isinstance(got, TokenPair)
    assert got.kind == kind
    assert [one.outcome for one in sandbox.token_requests] == [outcome]


def test_what_was_not_taken_is_still_good() -> None:
    with sandbox_service(Behaviour()) as (sandbox, service):
        before = stored(sandbox)
        sandbox.faults.add("429", path="/oauth/token", times=1)
        assert not isinstance(service.renew(before), TokenPair)
        assert isinstance(service.renew(before), TokenPair)


def test_a_wrong_client_secret_does_not_cost_the_token() -> None:
    with sandbox_service(Behaviour()) as (sandbox, service):
        before = stored(sandbox)
        wrong = replace(service.client, client_secret="another-secret")
        with closing(
            TokenService(wrong, timeout_seconds=5, user_agent="x", redact=Redaction())
        ) as bad:
            outcome = bad.renew(before)
        assert not isinstance(outcome, TokenPair)
        assert outcome.kind == "setting"
        assert isinstance(service.renew(before), TokenPair)


def test_a_missing_refresh_token_in_the_answer_costs_no_access_token() -> None:
    with sandbox_service(Behaviour(token_answer_lacks=("refresh_token",))) as (sandbox, service):
        before = stored(sandbox)
        got = service.renew(before)
        assert isinstance(got, TokenPair)
        assert sandbox.tokens.find(got.access_token) is not None
    assert got.refresh_token == before.refresh_token
