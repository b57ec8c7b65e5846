"""No secret survives redaction, wherever in a text it stands."""

from __future__ import annotations

import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.redaction import HIDDEN, RedactingFilter, Redaction, one_line

secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6)


@given(secret=secrets, before=st.text(), after=st.text())
def test_a_known_secret_is_hidden_in_any_text(secret: str, before: str, after: str) -> None:
    assert Redaction([secret])(f"{before}{secret}{after}").count(secret) <= HIDDEN.count(secret)


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert Redaction(["canary", "canary-two"])("a canary-two sings") == f"a {HIDDEN} sings"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Authorization: Bearer abc.def", f"Authorization: Bearer {HIDDEN}"),
        ('{"access_token": "abc"}', f'{{"access_token": "{HIDDEN}"}}'),
        ("refresh_token=abc&scope=x", f"refresh_token={HIDDEN}&scope=x"),
        ("postgresql://me:abc@host/db", f"postgresql://me:{HIDDEN}@host/db"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_what_stands_where_secrets_stand_is_hidden(text: str, redacted: str) -> None:
    assert Redaction()(text) == redacted


def test_two_filters_hide_each_what_the_other_does_not_know() -> None:
    # Given a failure whose words hold the secrets of two connections
    try:
        raise ValueError("canary-one canary-two")  # noqa: EM101, TRY003, TRY301 - the text matters
    except ValueError:
        record = logging.makeLogRecord({"msg": "canary-one canary-two", "exc_info": sys.exc_info()})
    # When
    for secret in ("canary-one", "canary-two"):
        RedactingFilter(Redaction([secret])).filter(record)
    # Then
    assert "canary" not in repr(vars(record))
    assert "ValueError" in str(record.exc_text)


def test_what_is_learned_later_is_hidden_too() -> None:
    redact = Redaction(["canary-one"])
    redact.learn(["canary-two", None, ""])
    assert redact("canary-one canary-two") == f"{HIDDEN} {HIDDEN}"


def test_words_of_others_become_one_line_of_some_length() -> None:
    assert one_line("\x1b[31mNo\n\tway\u202e \x00") == "[31mNo way"
    assert one_line("x" * 1000) == "x" * 200


def test_short_and_missing_secrets_hide_nothing() -> None:
    assert Redaction([None, "", "a"])("a banana") == "a banana"


def test_it_tells_how_many_secrets_it_knows_and_not_which() -> None:
    assert repr(Redaction(["canary-token"])) == "Redaction(1 secrets)"


def test_a_secret_is_hidden_also_as_a_url_writes_it() -> None:
    redact = Redaction(["canary/with+odd=signs and space"])

    shown = redact("canary%2Fwith%2Bodd%3Dsigns+and+space canary/with%2Bodd%3Dsigns%20and%20space")

    assert shown == "*** ***"
