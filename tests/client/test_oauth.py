"""The authorization-code flow: what is asked, and what each answer means."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.errors import SettingInvalid, SignInFailed
from cirqll_client.oauth import (
    AuthorizeWish,
    OAuthClient,
    PendingSignIn,
    begin,
    code_request,
    read_redirect,
    read_token_answer,
    refresh_request,
    require_safe,
    revoke_request,
)

STATE = "state-of-this-sign-in"
BACK = "http://127.0.0.1:8123/callback"
URL = "https://api.cirqll.nl/oauth/authorize"
CLIENT = OAuthClient(
    client_id="id & co", client_secret="canary=secret+", token_url="https://x.nl/oauth/token"
)
WRONG_STATE = (
    "The browser came back with a state that does not belong to this sign-in, so nothing was taken "
    "from it: the page may be an old one, or somebody else's. Start the sign-in again and use the "
    "newest page."
)
NO_CODE = (
    "The browser came back without a code, so there is nothing to sign in with. Give the whole URL "
    "that the browser was sent to, or start the sign-in again."
)


def pending(url: str = URL, **wish: Any) -> PendingSignIn:
    wished = {"redirect_uri": BACK, "scopes": ("user.read.all", "customer.read.all"), **wish}
    return begin("the client", AuthorizeWish(authorize_url=url, **wished))


def asked(url: str = URL, **wish: Any) -> dict[str, list[str]]:
    """The parameters that the browser is sent away with."""
    return parse_qs(urlsplit(pending(url, **wish).authorize_url).query, keep_blank_values=True)


def refused(url: str, state: str = STATE) -> tuple[str, str]:
    with pytest.raises(SignInFailed) as caught:
        read_redirect(url, state=state)
    return caught.value.title, caught.value.sentence


# Where the browser is sent


def test_a_browser_is_sent_away_with_what_the_flow_asks_for() -> None:
    one = pending()
    url, _, query = one.authorize_url.partition("?")
    given = parse_qs(query)
    assert url == URL
    assert given["state"] == [one.state]
    assert given["client_id"] == ["the client"]
    assert given["response_type"] == ["code"]
    assert given["redirect_uri"] == [BACK]
    assert given["scope"] == ["user.read.all customer.read.all"]


def test_pkce_s_challenge_is_the_hash_of_its_verifier() -> None:
    # Given
    one = pending()
    given = parse_qs(urlsplit(one.authorize_url).query)
    # When (RFC 7636, 4.2)
    digest = hashlib.sha256((one.code_verifier or "").encode("ascii")).digest()
    # Then
    assert given["code_challenge"] == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]
    assert given["code_challenge_method"] == ["S256"]
    assert 43 <= len(one.code_verifier or "") <= 128
    assert str(one.code_verifier) not in one.authorize_url


def test_without_pkce_nothing_is_said_of_it() -> None:
    assert pending(has_pkce=False).code_verifier is None
    assert not [name for name in asked(has_pkce=False) if "challenge" in name]


def test_no_two_sign_ins_are_alike_and_none_shows_its_secrets() -> None:
    one, two = pending(), pending()
    assert one.state != two.state
    assert one.code_verifier != two.code_verifier
    assert len(one.state) >= 40
    assert one.state not in repr(one)
    assert str(one.code_verifier) not in repr(one)


@pytest.mark.parametrize(
    ("url", "start"),
    [
        (URL, f"{URL}?"),
        (f"{URL}?", f"{URL}?response_type"),
        (f"{URL}?tenant=a%20b", f"{URL}?tenant=a%20b&"),
        (f"{URL}?tenant=1#part", f"{URL}?tenant=1&"),
        ("http://localhost:81/authorize", "http://localhost:81/authorize?"),
    ],
)
def test_an_authorize_url_keeps_its_own_parameters(url: str, start: str) -> None:
    one = pending(url)
    assert one.authorize_url.startswith(start)
    assert f"state={one.state}" in one.authorize_url
    assert "#" not in one.authorize_url


def test_extra_parameters_are_added_as_they_are() -> None:
    given = asked(extra={"locale": "nb", "organisation_number": "9 & 1", "prompt": ""})
    assert given["locale"] == ["nb"]
    assert given["organisation_number"] == ["9 & 1"]
    assert given["prompt"] == [""]


def test_without_scopes_none_are_asked_for() -> None:
    assert "scope" not in asked(scopes=())


@pytest.mark.parametrize(
    "name",
    ["state", "client_id", "redirect_uri", "response_type", "scope", "code_challenge",
     "code_challenge_method"],
)  # fmt: skip
def test_no_parameter_takes_the_place_of_the_sign_in_s_own(name: str) -> None:
    for wish in ({"extra": {name: "canary"}}, {"url": f"{URL}?{name}=canary"}):
        with pytest.raises(SettingInvalid) as caught:
            pending(**wish)
        assert caught.value.sentence == (
            f"The sign-in sets {name} itself: remove it from the setting authorize_parameters or "
            "authorize_url."
        )


# What the browser brings back


def test_a_redirect_brings_the_code_and_the_scopes_where_they_are_told() -> None:
    got = read_redirect(f"{BACK}?code=a%2Bb%20c&state={STATE}&scope=x+y", state=STATE)
    assert (got.code, got.scope) == ("a+b c", "x y")
    assert read_redirect(f"{BACK}?code=a&state={STATE}", state=STATE).scope is None
    assert read_redirect(f"{BACK}?code=a&scope=x y&state={STATE}", state=STATE).scope == "x y"
    assert "a+b" not in repr(got)


@pytest.mark.parametrize(
    "url",
    [
        f"{BACK}?code=abc&state={STATE}#_=_",
        f"  {BACK}?code=abc&state={STATE}\n",
        f"{BACK}?co\r\n  de=abc&st\nate={STATE}",
        f"'{BACK}?code=abc&state={STATE}'",
        f"<{BACK}?state={STATE}&code=abc>",
        f"?code=abc&state={STATE}",
        f"code=abc&state={STATE}",
        f"http://[broken?code=abc&state={STATE}",
        f"{BACK}?code=abc&state={STATE}&code=abc",
        f"{BACK}?tenant=1&code=abc&state={STATE}&tenant=2",
    ],
)
def test_a_redirect_is_read_however_it_was_copied(url: str) -> None:
    assert read_redirect(url, state=STATE).code == "abc"


@pytest.mark.parametrize(
    "url",
    [
        f"{BACK}?code=abc&state=another", f"{BACK}?code=abc&state={STATE}x", f"{BACK}?code=abc",
        f"{BACK}?code=abc&state=", f"{BACK}?error=access_denied", f"{BACK}?state=%ED%A0%80&code=a",
        f"{BACK}?code=abc&state={STATE}&state=another", f"{BACK}?code=abc&state=\udcff",
    ],
    ids=ascii,
)  # fmt: skip
def test_nothing_is_taken_from_a_redirect_of_another_sign_in(url: str) -> None:
    title = "This is not the sign-in that was started"
    assert refused(url) == (title, WRONG_STATE)


def test_an_empty_state_is_nobody_s() -> None:
    assert refused(f"{BACK}?code=abc&state=", state="")[1] == WRONG_STATE


@pytest.mark.parametrize(
    "url",
    [
        "", BACK, "abc", f"{BACK}?", f"{BACK}?state={STATE}", f"{BACK}?state={STATE}&code=",
        f"{BACK}?state={STATE}&code=one&code=two", f"{BACK}?x=1", "http://[", "\udcff",
    ],
    ids=ascii,
)  # fmt: skip
def test_a_redirect_without_one_code_is_told_so(url: str) -> None:
    assert refused(url) == ("No code came back", NO_CODE)


def test_a_denial_is_told_with_a_way_out() -> None:
    assert refused(f"{BACK}?error=access_denied&state={STATE}&code=abc") == (
        "Access was denied",
        (
            "Access was denied on Cirqll's page, so nothing was signed in. If that was a mistake, "
            "start the sign-in again and allow it."
        ),
    )


def test_an_unknown_scope_is_told_with_the_service_s_words() -> None:
    said = urlencode({"error": "invalid_scope", "error_description": "Check  the\n`x` scope"})
    assert refused(f"{BACK}?{said}&state={STATE}") == (
        "A scope is not known",
        (
            'Cirqll does not know one of the scopes that were asked for ("Check the `x` scope"). '
            "Start the sign-in again and name the scopes that your client has."
        ),
    )


@pytest.mark.parametrize("description", ["", "&error_description="])
def test_another_error_is_told_by_its_name(description: str) -> None:
    assert refused(f"{BACK}?error=server_error{description}&state={STATE}") == (
        "Cirqll refused the sign-in",
        (
            'Cirqll refused the sign-in ("server_error"). Check client_id and the redirect URL of '
            "the client in Cirqll (Settings > Marketplace), then start the sign-in again."
        ),
    )


def test_words_that_the_browser_brings_steer_no_terminal_and_have_a_length() -> None:
    said = urlencode({"error": "x", "error_description": "\x1b]0;owned\x07" + "y" * 999})
    sentence = refused(f"{BACK}?{said}&state={STATE}")[1]
    assert sentence.isprintable()
    assert len(sentence) < 450


@given(url=st.text() | st.text().map(lambda text: f"{BACK}?{text}&state={STATE}"))
def test_a_redirect_of_any_shape_is_read_or_refused(url: str) -> None:
    try:
        assert read_redirect(url, state=STATE).code
    except SignInFailed as error:
        assert error.title  # noqa: PT017 - both ways are right


# Forms


def test_a_code_is_exchanged_with_all_that_proves_whose_it_is() -> None:
    form = code_request(CLIENT, code="a+b &=", redirect_uri=BACK, code_verifier="~v._-")
    assert form == {
        "grant_type": "authorization_code",
        "code": "a+b &=",
        "redirect_uri": BACK,
        "client_id": "id & co",
        "client_secret": "canary=secret+",
        "code_verifier": "~v._-",
    }


def test_a_refresh_token_is_sent_with_the_client() -> None:
    assert refresh_request(CLIENT, "r+ %") == {
        "grant_type": "refresh_token",
        "refresh_token": "r+ %",
        "client_id": "id & co",
        "client_secret": "canary=secret+",
    }


def test_a_token_is_revoked_with_the_client() -> None:
    assert revoke_request(CLIENT, "r", kind="refresh_token") == {
        "token": "r",
        "token_type_hint": "refresh_token",
        "client_id": "id & co",
        "client_secret": "canary=secret+",
    }


@pytest.mark.parametrize("secret", [None, ""])
def test_a_client_without_a_secret_sends_none(secret: str | None) -> None:
    client = OAuthClient(client_id="id", client_secret=secret, token_url="https://x.nl")
    forms = (
        code_request(client, code="c", redirect_uri=BACK, code_verifier=None),
        refresh_request(client, "r"),
        revoke_request(client, "r", kind="access_token"),
    )
    assert not [form for form in forms if "client_secret" in form or "code_verifier" in form]


def test_a_client_does_not_show_its_secret() -> None:
    assert "canary" not in repr(CLIENT)


# Answers


def kind(status: int, body: Any) -> str:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_token_answer(status, content).kind


PAIR = {"access_token": "a", "refresh_token": "r", "token_type": "bearer", "expires_in": 3600}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(PAIR).encode(),
        b"\xef\xbb\xbf" + json.dumps(PAIR).encode(),
        b"\r\n " + json.dumps(PAIR).encode() + b"\n",
        b'{"company": "Caf\xe9 of no UTF-8", "access_token": "a", "error": null}',
        b'{"access_token": "a", "error": ""}',
        b'{"access_token": "a", "error": false}',
        b'{"access_token": "a", "expires_in": ' + b"9" * 5000 + b"}",
        b'{"access_token": "a", "expires_in": NaN}',
        b'{"access_token": " a\\n"}',
        b"access_token=a&refresh_token=r&expires_in=3600",
    ],
    ids=lambda body: repr(body)[:70],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 201, 500])
def test_tokens_are_taken_however_they_are_wrapped(body: bytes, status: int) -> None:
    answer = read_token_answer(status, body)
    assert answer.kind == "granted"
    assert answer.fields["access_token"].strip() == "a"
    assert "refresh" not in repr(answer)


@pytest.mark.parametrize(
    "token", ["", " ", None, 5, ["a"], {"a": 1}, "two words", "é", "\ud800"], ids=ascii
)
def test_what_is_no_token_is_none(token: Any) -> None:
    assert kind(200, {**PAIR, "access_token": token}) == "unclear"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "invalid_grant"}, "dead"),
        (401, {"error": "invalid_request"}, "dead"),
        (200, {"error": "invalid_grant", "access_token": "a"}, "dead"),
        (400, b"error=invalid_grant&error_description=No", "dead"),
        (404, {"error": "invalid_grant"}, "dead"),
        (500, {"error": "invalid_grant"}, "unclear"),
        (401, {"error": "invalid_client"}, "client"),
        (500, {"error": "unauthorized_client"}, "client"),
        (400, {"error": "unsupported_grant_type"}, "client"),
        (400, {"error": "invalid_request", "hint": "Check the `client_id` parameter"}, "client"),
        (400, {"error": "invalid_request", "hint": "Check the `refresh_token` parameter"}, "dead"),
        (429, {"error": "invalid_grant"}, "later"),
        (429, b"<html>", "later"),
        (503, {"error": "temporarily_unavailable"}, "later"),
        (301, b"", "elsewhere"),
        (307, b"<html>", "elsewhere"),
        (404, b"<html>", "elsewhere"),
        (405, {"message": "The GET method is not supported"}, "elsewhere"),
        (400, {"error": "invalid_scope"}, "refused"),
        (422, {"message": "The given data was invalid."}, "refused"),
        (419, {"message": "CSRF token mismatch."}, "refused"),
        (403, {"error": {"message": "No", "type": "x"}}, "refused"),
        (401, {"error": ["invalid_grant"]}, "refused"),
        (408, {"message": "Timeout"}, "unclear"),
        (403, b"<html>Blocked</html>", "unclear"),
        (401, b"", "unclear"),
        (400, b"[]", "unclear"),
        (200, b"", "unclear"),
        (200, b"{}", "unclear"),
        (200, b"null", "unclear"),
        (200, {"error": "what"}, "unclear"),
        (200, {"error": "what", "access_token": "a"}, "unclear"),
        (200, b'{"access_token": "a', "unclear"),
        (200, b"\xff\xfe\x00", "unclear"),
        (204, b"", "unclear"),
        (503, {"message": "Service Unavailable"}, "unclear"),
        (502, b"<html>", "unclear"),
        (500, {"message": "Server Error"}, "unclear"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_an_answer_is_known_by_its_content_before_its_status(
    status: int, body: Any, expected: str
) -> None:
    assert kind(status, body) == expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "e", "message": "m", "error_description": "d"}, "d"),
        ({"error": "e", "message": "m"}, "m"),
        ({"error": "e"}, "e"),
        ({"error": "e", "error_description": "d", "hint": "h"}, "h"),
        ({"error": "e", "error_description": " ", "hint": None}, "e"),
        ({"error": {"x": 1}, "message": 5}, "status 400"),
    ],
)
def test_the_service_s_own_words_are_kept(body: dict[str, Any], words: str) -> None:
    assert read_token_answer(400, json.dumps(body).encode()).words == words


@given(status=st.integers(100, 599), body=st.binary())
def test_any_bytes_mean_something(status: int, body: bytes) -> None:
    assert read_token_answer(status, body).kind


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    status=st.integers(100, 599),
    body=st.dictionaries(
        st.sampled_from(["access_token", "error", "error_description", "message", "hint", "scope"]),
        json_values | st.sampled_from(["invalid_grant", "invalid_client", "invalid_request"]),
    ),
)
def test_any_json_means_something_and_only_a_token_is_granted(
    status: int, body: dict[str, Any]
) -> None:
    answer = read_token_answer(status, json.dumps(body).encode())
    has_token = isinstance(body.get("access_token"), str) and body["access_token"].strip()
    assert answer.kind != "granted" or (has_token and not body.get("error"))


# Where secrets may go


@pytest.mark.parametrize(
    "url",
    [
        "https://api.cirqll.nl/oauth/token", "HTTPS://X.nl", "https://127.0.0.1:8443/a?b=c",
        "http://localhost/token", "http://127.0.0.1:8123", "http://127.9.9.9/", "http://[::1]:80/",
        "http://sandbox:8123/oauth/token", "http://my_service/x", "http://cirqll.localhost:81/x",
    ],
)  # fmt: skip
def test_secrets_are_sent_over_tls_or_not_beyond_this_network(url: str) -> None:
    assert require_safe(url, setting="token_url") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.cirqll.nl/oauth/token", "http://127.evil.example", "http://127.0.0.1.evil.nl/",
        "http://[2001:db8::1]/token", "http://134744072/", "http://0x08080808/", "http://10.0.0.1/",
        "ftp://localhost/x", "//localhost/x", "localhost:80", "https://", "https:///x", "", "x",
        "http://[::1", "https://user:word@api.cirqll.nl/", "https://api.cirqll.nl@evil.nl/x",
        "http://localhost@evil.nl/", "https://a b/", "https://x.nl/\n", "http://localhost.evil.nl/",
    ],
    ids=repr,
)  # fmt: skip
def test_secrets_are_not_sent_where_they_could_be_read(url: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        require_safe(url, setting="token_url")
    assert caught.value.sentence == (
        "The setting token_url must be a URL with https: secrets are sent there, and only a host "
        "of this machine's own network may do without."
    )


@given(form=st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=4))
def test_extra_parameters_of_any_shape_arrive(form: dict[str, str]) -> None:
    url = pending(extra={f"x{name}": value for name, value in form.items()}).authorize_url
    given = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    assert {name: given[f"x{name}"] for name in form} == form
