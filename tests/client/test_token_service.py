"""The token URL: one request for each call, and nothing that is secret beyond it."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs

import pytest

from cirqll_client.errors import SettingInvalid
from cirqll_client.oauth import OAuthClient, PendingSignIn, Redirect
from cirqll_client.redaction import Redaction
from cirqll_client.token_service import TokenService
from cirqll_client.tokens import TokenPair
from tests.client.raw_server import answer, serving

NOW = 1_800_000_000.0
PAIR = answer(200, json.dumps({"access_token": "access-2", "refresh_token": "refresh-2"}))
PENDING = PendingSignIn(
    authorize_url="", redirect_uri="http://127.0.0.1/b", scopes=(), state="s", code_verifier="proof"
)


def service(token_url: str, *, redact: Redaction | None = None, **client: Any) -> TokenService:
    return TokenService(
        OAuthClient(client_id="id", token_url=token_url, **client),
        timeout_seconds=5,
        user_agent="tap-cirqll/test",
        redact=redact or Redaction(),
        clock=lambda: NOW,
    )


def form_sent(request: bytes) -> dict[str, list[str]]:
    return parse_qs(request.partition(b"\r\n\r\n")[2].decode(), strict_parsing=True)


def test_a_refresh_sends_the_token_and_the_client_in_the_body_and_nothing_in_the_url() -> None:
    # Given
    pair = TokenPair("access-1", "refresh-1", obtained_at=NOW)
    # When
    with serving(PAIR) as server, closing(service(f"{server.url}/t", client_secret="word")) as one:
        renewed = one.renew(pair)
    # Then
    assert isinstance(renewed, TokenPair)
    assert (renewed.access_token, renewed.refresh_token) == ("access-2", "refresh-2")
    assert renewed.obtained_at == NOW
    assert server.received[0].startswith(b"POST /t HTTP/1.1\r\n")
    assert b"\r\nAccept: application/json\r\n" in server.received[0]
    assert b"\r\nUser-Agent: tap-cirqll/test\r\n" in server.received[0]
    assert b"Authorization" not in server.received[0]
    assert form_sent(server.received[0]) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["refresh-1"],
        "client_id": ["id"],
        "client_secret": ["word"],
    }


def test_a_code_is_sent_with_its_proof_and_its_redirect_url() -> None:
    with serving(PAIR) as server, closing(service(server.url)) as one:
        pair = one.exchange(PENDING, Redirect("the-code", None))
    assert pair.access_token == "access-2"
    assert form_sent(server.received[0]) == {
        "grant_type": ["authorization_code"],
        "code": ["the-code"],
        "redirect_uri": ["http://127.0.0.1/b"],
        "client_id": ["id"],
        "code_verifier": ["proof"],
    }


def test_without_a_refresh_token_nothing_is_renewed() -> None:
    with serving(PAIR) as server, closing(service(server.url)) as one:
        with pytest.raises(ValueError, match="There is no refresh token"):
            one.renew(TokenPair("a", None, obtained_at=NOW))
        assert not server.received


def test_whatever_is_sent_and_granted_is_hidden_from_then_on() -> None:
    redact = Redaction()
    with (
        serving(PAIR) as server,
        closing(service(server.url, redact=redact, client_secret="the-secret")) as one,
    ):
        one.renew(TokenPair("access-1", "refresh-1", obtained_at=NOW))
        one.exchange(PENDING, Redirect("the-code", None))
    words = "access-1 refresh-1 access-2 refresh-2 the-secret the-code"
    assert redact(words) == "*** *** *** *** *** ***"


@pytest.mark.parametrize(
    "url", ["http://api.cirqll.nl/oauth/token", "https://a.nl/t?x=1", "https://a.nl/t#x", "token"]
)
def test_a_token_url_that_is_unsafe_or_none_is_a_setting(url: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        service(url)
    assert caught.value.sentence.startswith("The setting token_url ")


def test_a_service_that_is_closed_leaves_nothing_behind() -> None:
    loggers = [logging.getLogger(f"urllib3.{name}") for name in ("connection", "connectionpool")]
    before = [list(logger.filters) for logger in loggers]
    one = service("http://127.0.0.1:1")
    assert [list(logger.filters) for logger in loggers] != before
    one.close()
    one.close()
    assert [list(logger.filters) for logger in loggers] == before


def test_a_service_shows_no_secret_of_its_client() -> None:
    with closing(service("http://127.0.0.1:1", client_secret="canary-secret")) as one:
        assert "canary" not in repr(vars(one))
