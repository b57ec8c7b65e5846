"""The pages that a person sees while signing in: HTML without anything from elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from string import Template
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Tone = Literal["good", "bad", "neutral"]

_PURPOSE_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_SIGNS: dict[Tone, str] = {"good": "✓", "bad": "!", "neutral": "→"}


@dataclass(frozen=True, slots=True)
class Page:
    """A page: a title, sentences, and perhaps a form or a link, and a script of ours."""

    title: str
    sentences: tuple[str, ...]
    tone: Tone = "neutral"
    details: tuple[tuple[str, str], ...] = ()
    """Names and values, such as the account and who signed in."""
    link: tuple[str, str] | None = None
    """A URL and its words."""
    form: str = ""
    """Trusted HTML."""
    script: str = ""
    """Trusted JavaScript; what it is told stands in ``data``."""
    data: dict[str, str] = field(default_factory=dict)
    """Given to the script as ``pageData``, safely."""


def html(page: Page, *, nonce: str) -> str:
    """Write a page; the nonce stands in the Content-Security-Policy, too."""
    return _PAGE.substitute(
        title=escape(page.title),
        tone=page.tone,
        sign=_SIGNS[page.tone],
        nonce=escape(nonce),
        sentences="\n".join(f"<p>{escape(one)}</p>" for one in page.sentences),
        details=_details(page.details),
        form=page.form,
        link=_link(page.link),
        script=_script(page, nonce),
    )


def security_headers(*, nonce: str, is_https: bool) -> dict[str, str]:
    """Give the headers of every page: nothing from elsewhere, in no frame, in no cache."""
    headers = {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
            f"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    return {**headers, "Strict-Transport-Security": "max-age=31536000"} if is_https else headers


def is_early(header: Callable[[str, str], str]) -> bool:
    """Tell whether a browser only prepares for a visit that may never come.

    ``header`` gives a header of its request, or the second text.
    """
    purposes = " ".join(header(name, "") for name in _PURPOSE_HEADERS).lower()
    return any(word in purposes for word in ("prefetch", "prerender", "preview"))


def _details(details: tuple[tuple[str, str], ...]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in details)
    return f"<dl>{rows}</dl>" if rows else ""


def _link(link: tuple[str, str] | None) -> str:
    if link is None:
        return ""
    url, words = link
    return f'<p><a class="button" rel="noreferrer" href="{escape(url)}">{escape(words)}</a></p>'


def _script(page: Page, nonce: str) -> str:
    if not page.script:
        return ""
    # A text within a script must not be able to end it.
    data = json.dumps(page.data).replace("<", "\\u003c").replace("\u2028", "\\u2028")
    data = data.replace("\u2029", "\\u2029")
    return f'<script nonce="{escape(nonce)}">const pageData = {data};\n{page.script}</script>'


_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>$title</title>
<style nonce="$nonce">
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5b6876; --paper: #fff; --ground: #eef1f5;
  --line: #dde3ea; --good: #1b7f4b; --bad: #b3372f; --neutral: #2457a6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf3; --soft: #a3b0be; --paper: #1b222b;
  --ground: #11161c; --line: #303a46; --good: #5cc98f; --bad: #f08a80; --neutral: #8db4f2; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { width: 100%; max-width: 30rem; background: var(--paper); border: 1px solid var(--line);
  border-radius: .75rem; padding: 2rem; }
.sign { display: grid; place-items: center; width: 2.5rem; height: 2.5rem; border-radius: 50%;
  border: 2px solid currentColor; font-size: 1.25rem; font-weight: 700; line-height: 1; }
.good { color: var(--good); } .bad { color: var(--bad); } .neutral { color: var(--neutral); }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 1rem 0 .5rem; overflow-wrap: anywhere;
  text-wrap: balance; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
noscript, [role=alert] { color: var(--bad); font-weight: 600; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 1rem 0;
  padding: .75rem 0; border-block: 1px solid var(--line); }
main > dl:last-child { margin-bottom: 0; padding-bottom: 0; border-bottom: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.button { display: inline-block; margin-top: .75rem; padding: .65rem 1.25rem;
  border: 1px solid transparent; border-radius: .5rem; background: var(--neutral);
  color: var(--paper); font: inherit; font-weight: 600; text-decoration: none; cursor: pointer; }
.button:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
.button:disabled { opacity: .6; cursor: progress; }
@media (max-width: 26rem) { main { padding: 1.25rem; }
  dl { grid-template-columns: 1fr; row-gap: 0; } dd + dt { margin-top: .5rem; }
  .button { display: block; width: 100%; margin-top: 1.25rem; text-align: center; } }
</style>
</head>
<body>
<main>
<div class="sign $tone" aria-hidden="true">$sign</div>
<h1>$title</h1>
$sentences
$details
$form
$link
</main>
$script
</body>
</html>
""")
