"""What is said of a sign-in that worked."""

from __future__ import annotations

import pytest

from cirqll_client.cli.login.sign_in_words import heading, lasting, place_of_store
from cirqll_client.identity import Identity
from cirqll_client.sign_in import SignedIn
from cirqll_client.tokens import TokenPair

NOON = 1_800_000_000.0
"""On 15 January 2027."""


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (
            TokenPair("a", "r", NOON, NOON, NOON + 86_400),
            "runs renew the tokens; if none runs until 2027-01-16, sign in again",
        ),
        (TokenPair("a", "r", NOON, NOON), "runs renew the tokens"),
        (
            TokenPair("a", None, NOON, NOON),
            "until 2027-01-15; Cirqll gave no refresh token to renew it with",
        ),
        (
            TokenPair("a", None, NOON),
            "as long as Cirqll accepts the access token; it gave no refresh token",
        ),
    ],
)
def test_it_tells_when_somebody_must_sign_in_again(pair: TokenPair, words: str) -> None:
    # Then
    assert lasting(pair) == words


@pytest.mark.parametrize(
    ("url", "is_encrypted", "words"),
    [
        ("sqlite:////var/a.sqlite", False,
         "/var/a.sqlite (readable by its owner only, not encrypted)"),
        ("sqlite://", True, "memory, so they are gone when this command ends"),
        ("postgresql://eva:geheim1@db.example:5433/warehouse?password=geheim2", True,
         "the database warehouse on db.example (encrypted)"),
    ],
)  # fmt: skip
def test_the_place_of_the_tokens_is_named_without_a_password(
    url: str, words: str, *, is_encrypted: bool
) -> None:
    # Then
    assert place_of_store(url, is_encrypted=is_encrypted) == words


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        (Identity("Eva", "Zaak B.V."), "Signed in as Eva of Zaak B.V."),
        (Identity("Eva", "Zaak"), "Signed in as Eva of Zaak."),
        (None, "Signed in; Cirqll did not say who."),
    ],
)
def test_it_tells_who_signed_in(identity: Identity | None, words: str) -> None:
    # Given
    signed_in = SignedIn("default", TokenPair("a", "r", NOON), identity, ())
    # Then
    assert heading(signed_in) == words
