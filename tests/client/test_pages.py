"""The pages that a person sees while signing in."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Literal, get_args

import pytest

from cirqll_client.pages import Page, Tone, html, security_headers

HOSTILE = "<script>alert(1)</script>\"'&"
MOST = Page(
    title=HOSTILE,
    sentences=(HOSTILE, "Two."),
    tone="good",
    details=((HOSTILE, HOSTILE),),
    link=(f"https://a.example/?{HOSTILE}", HOSTILE),
    form='<form method="post"><button class="button">Go on</button></form>',
    script="go(pageData.origin);",
    data={"origin": "</script><b>\u2028\u2029"},
)
_AA = 4.5
"""The contrast that text must have (WCAG 2.2, 1.4.3)."""


class _Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ends: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.ends.append(tag)


def test_texts_cannot_become_html() -> None:
    # When
    text = html(MOST, nonce="n")
    # Then
    assert "<script>" not in text
    assert text.count("<script") == text.count("</script>") == 1
    links = [attributes for tag, attributes in _Elements(text).tags if tag == "a"]
    assert [one["href"] for one in links] == [f"https://a.example/?{HOSTILE}"]


def test_a_script_is_told_its_data_and_cannot_be_ended_by_them() -> None:
    # When
    text = html(MOST, nonce="n")
    # Then
    told = re.search(r"const pageData = (.*);", text)
    assert told
    assert json.loads(told[1]) == MOST.data
    assert told[1].isascii()


def test_style_and_script_carry_the_nonce_of_the_policy_and_nothing_comes_from_elsewhere() -> None:
    # When
    tags = _Elements(html(MOST, nonce="a-nonce")).tags
    policy = security_headers(nonce="a-nonce", is_https=False)["Content-Security-Policy"]
    # Then
    named = [attributes["nonce"] for tag, attributes in tags if tag in {"style", "script"}]
    assert named == ["a-nonce", "a-nonce"]
    assert policy.startswith("default-src 'none'; style-src 'nonce-a-nonce'; script-src 'nonce-a-")
    names = {name for _, attributes in tags for name in attributes}
    assert not names & {"src", "style", "onclick", "onload"}


def test_pages_stand_in_no_frame_and_in_no_cache() -> None:
    # When
    headers = security_headers(nonce="n", is_https=False)
    # Then
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "form-action 'self';" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in headers


def test_https_stays_https() -> None:
    # When
    headers = security_headers(nonce="n", is_https=True)
    # Then
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("tone", get_args(Tone))
def test_a_page_can_be_read_out(tone: Tone) -> None:
    # When
    text = html(Page("A title", ("One.",), tone=tone), nonce="n")
    tags = _Elements(text).tags
    # Then
    assert ("html", {"lang": "en"}) in tags
    assert [tag for tag, _ in tags].count("h1") == 1
    assert [tag for tag, _ in tags].count("main") == 1
    assert "<title>A title</title>" in text
    assert 'aria-hidden="true"' in text
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in tags


def test_what_is_not_given_leaves_nothing_behind() -> None:
    # When
    tags = {tag for tag, _ in _Elements(html(Page("A title", ("One.",)), nonce="n")).tags}
    # Then
    assert not tags & {"dl", "a", "form", "script"}


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_texts_stand_out_by_day_and_by_night(mode: Literal["light", "dark"]) -> None:
    # Given
    found = re.findall(r":root \{([^}]*)\}", html(Page("A title", ()), nonce="n"))
    colours = [dict(re.findall(r"--([a-z]+): (#[0-9a-f]+)", one)) for one in found]
    shown = colours[0] if mode == "light" else {**colours[0], **colours[1]}
    # Then
    for ink in ("ink", "soft", "good", "bad", "neutral"):
        assert _contrast(shown[ink], shown["paper"]) >= _AA, ink
    assert _contrast(shown["ink"], shown["ground"]) >= _AA


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(one * 2 for one in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
