"""Token pairs: what an answer tells of them, and the AuthValue in which they travel."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.errors import SettingInvalid
from cirqll_client.tokens import (
    DAY_SECONDS,
    TokenPair,
    fingerprint,
    from_authvalue,
    is_token,
    jwt_claims,
    pair_from_access_token,
    pair_from_answer,
    to_authvalue,
)

NOW = 1_800_000_000.0
NO_AUTHVALUE = (
    'This is no AuthValue: it must be one JSON object like {"AccessToken": "…", "RefreshToken": '
    '"…", "Expires": "2027-01-31T12:00:00Z", "RefreshExpires": "…"}, or {}. Nothing was imported.'
)
tokens = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
moments = st.integers(min_value=1, max_value=253_402_300_799).map(float)
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def brief(value: Any) -> str:
    return repr(value)[:20]


def jwt(claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


def seconds_told(**answer: Any) -> float | None:
    """How long the access token of this answer lives, as far as is known."""
    pair = pair_from_answer({"access_token": "a", **answer}, now=NOW)
    return None if pair.expires_at is None else pair.expires_at - NOW


# Answers


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (3600, 3600), ("3600", 3600), (" 3600 ", 3600), (3600.5, 3600.5), (1, 1),
        (None, None), ("", None), ("soon", None), ([3600], None), ({}, None), (True, None),
        (0, None), (0.5, None), (5e-324, None), (-1, None), ("-3600", None), (float("nan"), None),
        (float("inf"), None),
        ("nan", None), (1e300, None), (10**400, None), (999_999_999_999, None),
    ],
    ids=brief,
)  # fmt: skip
def test_a_lifetime_is_believed_where_it_can_be_one(told: Any, seconds: float | None) -> None:
    assert seconds_told(expires_in=told) == seconds


def test_a_lifetime_that_is_not_told_comes_from_the_token_by_any_clock() -> None:
    # Given a token of a server whose clock is years off
    token = jwt({"iat": 1000, "exp": 4600})
    # Then
    pair = pair_from_answer({"access_token": token}, now=NOW)
    assert pair.expires_at == NOW + 3600


@pytest.mark.parametrize(
    "claims",
    [{}, {"exp": 4600}, {"iat": 9, "exp": 9}, {"iat": 9, "exp": 1}, {"iat": "x", "exp": []}, [], 1],
    ids=repr,
)
def test_a_token_that_does_not_tell_its_lifetime_has_none_that_is_known(claims: Any) -> None:
    pair = pair_from_access_token(jwt(claims), now=NOW)
    assert pair.expires_at is None
    assert pair.is_usable(now=NOW + 1e9)


def test_half_of_a_token_s_life_is_when_it_is_renewed() -> None:
    pair = TokenPair("a", "r", obtained_at=NOW, expires_at=NOW + 100)
    assert pair.refresh_due_at == NOW + 50
    assert TokenPair("a", "r", obtained_at=NOW).refresh_due_at == NOW + 15 * DAY_SECONDS
    assert TokenPair(None, "r", obtained_at=NOW).refresh_due_at == 0


def test_an_access_token_is_usable_until_it_expires() -> None:
    pair = TokenPair("a", None, obtained_at=NOW, expires_at=NOW + 1)
    assert pair.is_usable(now=NOW)
    assert not pair.is_usable(now=NOW + 1)
    assert not TokenPair(None, "r", obtained_at=NOW).is_usable(now=NOW)


def test_a_service_that_rotates_replaces_the_refresh_token() -> None:
    before = TokenPair("a", "r", obtained_at=NOW, is_reusable=True)
    pair = pair_from_answer({"access_token": "b", "refresh_token": "s"}, now=NOW, before=before)
    assert (pair.refresh_token, pair.is_reusable) == ("s", False)
    assert pair.refresh_expires_at == NOW + 90 * DAY_SECONDS


@pytest.mark.parametrize(
    "told", ["r", " r\n", None, "", "  ", 5, ["r"], "two words", "\ud800"], ids=ascii
)
def test_a_refresh_token_that_is_the_same_missing_or_none_stays_in_force(told: Any) -> None:
    before = TokenPair("a", "r", obtained_at=NOW)
    pair = pair_from_answer({"access_token": "b", "refresh_token": told}, now=NOW, before=before)
    assert (pair.refresh_token, pair.is_reusable) == ("r", True)
    assert pair.refresh_expires_at is None


def test_without_a_refresh_token_there_is_no_end_of_one() -> None:
    pair = pair_from_access_token("a", now=NOW)
    assert (pair.refresh_token, pair.refresh_expires_at, pair.is_reusable) == (None, None, False)


@pytest.mark.parametrize("name", ["refresh_expires_in", "refresh_token_expires_in"])
@pytest.mark.parametrize(
    ("told", "seconds"),
    [(60, 60), ("60", 60), (0, None), (-1, None), ("x", 90 * DAY_SECONDS)],
    ids=repr,
)
def test_the_end_of_a_refresh_token_may_be_told(
    name: str, told: Any, seconds: float | None
) -> None:
    pair = pair_from_answer({"access_token": "a", "refresh_token": "r", name: told}, now=NOW)
    assert pair.refresh_expires_at == (None if seconds is None else NOW + seconds)


@pytest.mark.parametrize(
    ("told", "claims", "scopes"),
    [
        ("x.read y.read", {"scopes": ["z"]}, {"x.read", "y.read"}),
        (["x", 5, None], {}, {"x"}),
        (None, {"scopes": ["z"]}, {"z"}),
        ("", {"scope": "z y"}, {"z", "y"}),
        (" ", {"scopes": []}, set()),
        (7, {"scopes": {"a": 1}}, None),
        ("a \ud800b", {}, {"a", "?b"}),
        (["c\0"], {}, {"c?"}),
    ],
)
def test_scopes_come_from_the_answer_or_else_from_the_token(
    told: Any, claims: Any, scopes: set[str] | None
) -> None:
    pair = pair_from_answer({"access_token": jwt(claims), "scope": told}, now=NOW)
    assert pair.scopes == (None if scopes is None else frozenset(scopes))


def test_a_renewal_that_tells_no_scopes_keeps_them() -> None:
    before = TokenPair("a", "r", obtained_at=NOW, scopes=frozenset({"x"}))
    assert pair_from_answer({"access_token": "b"}, now=NOW, before=before).scopes == frozenset("x")


@given(answer=st.dictionaries(
    st.sampled_from(["refresh_token", "expires_in", "refresh_expires_in", "scope", "token_type"]),
    anything,
))  # fmt: skip
def test_whatever_stands_beside_an_access_token_it_is_kept(answer: dict[str, Any]) -> None:
    pair = pair_from_answer({"access_token": "a", **answer}, now=NOW)
    assert pair.access_token == "a"
    assert pair.expires_at is None or pair.expires_at > NOW
    assert json.loads(to_authvalue(pair))["AccessToken"] == "a"
    assert all(fingerprint(each) for each in pair.secrets())


@given(parts=st.lists(st.text() | anything.map(jwt), max_size=4))
def test_a_token_of_any_shape_is_no_reason_to_stop(parts: list[str]) -> None:
    assert isinstance(jwt_claims(".".join(parts)), dict)


@pytest.mark.parametrize(
    "token",
    ["", "a", "a.b.c", "a..c", "..", "é.é.é", f"a.{'A' * 5}.c", "a.W10.c", f"a.{'W1' * 90_000}.c"],
    ids=brief,
)
def test_a_broken_jwt_has_no_claims(token: str) -> None:
    assert jwt_claims(token) == {}


def test_a_pair_shows_no_token() -> None:
    pair = TokenPair("canary-a", "canary-r", obtained_at=NOW)
    assert "canary" not in repr(pair)
    assert pair.secrets() == ["canary-a", "canary-r"]
    assert "canary" not in pair.refresh_fingerprint
    assert TokenPair("a", None, obtained_at=NOW).refresh_fingerprint == ""


@pytest.mark.parametrize(
    "value", ["", " ", "two words", "line\nbreak", "é", "\ud800", None, 5], ids=ascii
)
def test_what_no_header_can_carry_is_no_token(value: Any) -> None:
    assert not is_token(value)
    assert is_token(" token\n")


# AuthValue


@given(
    access_token=st.none() | tokens, refresh_token=st.none() | tokens,
    expires_at=st.none() | moments, refresh_expires_at=st.none() | moments,
)  # fmt: skip
def test_a_pair_survives_its_journey_as_an_authvalue(
    access_token: str | None,
    refresh_token: str | None,
    expires_at: float | None,
    refresh_expires_at: float | None,
) -> None:
    pair = TokenPair(access_token, refresh_token, NOW, expires_at, refresh_expires_at)
    told = from_authvalue(to_authvalue(pair), now=NOW)
    assert told == (pair if pair.secrets() else None)


def test_an_authvalue_holds_what_the_other_product_expects() -> None:
    pair = TokenPair("a", "r", NOW, NOW + 0.9, NOW + 60)
    assert json.loads(to_authvalue(pair)) == {
        "AccessToken": "a",
        "RefreshToken": "r",
        "Expires": "2027-01-15T08:00:00Z",
        "RefreshExpires": "2027-01-15T08:01:00Z",
    }


def test_an_authvalue_may_be_serialized_twice_or_come_with_a_byte_order_mark() -> None:
    once = '{"AccessToken": " a\\n", "RefreshToken": ""}'
    expected = TokenPair("a", None, obtained_at=NOW)
    for text in (once, json.dumps(once), f"\ufeff{once}", f"  {once}\n"):
        assert from_authvalue(text, now=NOW) == expected


@pytest.mark.parametrize("text", ["{}", '"{}"', " {} "], ids=ascii)
def test_an_empty_authvalue_says_that_tokens_come_otherwise(text: str) -> None:
    assert from_authvalue(text, now=NOW) is None
    assert to_authvalue(None) == "{}"
    assert to_authvalue(TokenPair(None, None, obtained_at=NOW)) == "{}"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31T12:00:00", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        (" 2027-01-31T13:00:00+01:00\n", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31T12:00:00.1234567Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("9999-12-31T23:59:59.9999999Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("1970-01-01T00:00:01Z", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_read_with_and_without_a_zone(text: str | None, moment: datetime | None) -> None:
    value = json.dumps({"RefreshToken": "r", "RefreshExpires": text, "Expires": text})
    pair = from_authvalue(value, now=NOW)
    expected = moment.timestamp() if moment else None
    assert pair is not None
    assert (pair.refresh_expires_at, pair.expires_at) == (expected, expected)
    assert from_authvalue(to_authvalue(pair), now=NOW) == pair


def test_what_an_authvalue_does_not_tell_its_access_token_may() -> None:
    token = jwt({"iat": 0, "exp": 60, "scopes": ["customer.read.all"]})
    pair = from_authvalue(json.dumps({"AccessToken": token}), now=NOW)
    assert pair is not None
    assert (pair.expires_at, pair.scopes) == (NOW + 60, frozenset({"customer.read.all"}))


@pytest.mark.parametrize(
    "text",
    [
        "", "canary", "[]", "null", "5", '"canary"', '["canary"]', '{"canary": 1}', '{"AccessToken',
        '{"accessToken": "canary"}', '{"AccessToken": 5}', '{"AccessToken": ["canary"]}',
        '{"AccessToken": "canary two"}', '{"AccessToken": "canary", "More": 1}',
        '{"AccessToken": "", "RefreshToken": null}', '{"Expires": "2027-01-31"}',
        '{"AccessToken": "canary", "Expires": "canary"}', '{"AccessToken": "canary", "Expires": 0}',
        '{"AccessToken": "canary", "Expires": "9999-12-31T23:59:59-14:00"}',
        '{"AccessToken": "canary", "Expires": false}', '{"RefreshToken": "\\ud800"}',
        "[" * 100_000, "1" * 5000, '"\\"{}\\""',
    ],
    ids=lambda text: repr(text)[:60],
)  # fmt: skip
def test_what_is_no_authvalue_is_refused_in_a_sentence_that_repeats_nothing(text: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        from_authvalue(text, now=NOW)
    assert caught.value.sentence == NO_AUTHVALUE


@given(value=st.dictionaries(
    st.sampled_from(["AccessToken", "RefreshToken", "Expires", "RefreshExpires"]), anything
) | anything)  # fmt: skip
def test_an_authvalue_of_any_shape_is_read_or_refused(value: Any) -> None:
    try:
        pair = from_authvalue(json.dumps(value), now=NOW)
    except SettingInvalid as error:
        assert error.sentence == NO_AUTHVALUE  # noqa: PT017 - both ways are right
    else:
        assert from_authvalue(to_authvalue(pair), now=NOW) == pair
