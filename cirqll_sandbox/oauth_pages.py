"""The pages that a person sees when signing in: the question, and the sentence where it fails."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cirqll_sandbox.answers import Answer
from cirqll_sandbox.oauth_style import STYLE
from cirqll_sandbox.scopes import grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cirqll_sandbox.accounts import Account
    from cirqll_sandbox.oauth_authorize import AuthorizeRequest
    from cirqll_sandbox.scopes import ScopeGroup

_HTML = "text/html; charset=utf-8"
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header><span class="brand">Cirqll</span> <span class="badge">Sandbox</span></header>
<main>
{main}
</main>
<footer>This is a local sandbox with invented data. Nothing you do here reaches Cirqll.</footer>
</body>
</html>
"""
_CONSENT = """\
<h1>{client} asks for access</h1>
<form method="post" action="/oauth/authorize">
<input type="hidden" name="csrf_token" value="{csrf_token}">
{who}
{what}
<p class="note">{client} keeps this access until you withdraw it in Cirqll. Your password stays
with you.</p>
<div class="buttons">
<button type="submit" name="decision" value="allow" class="allow">Allow</button>
<button type="submit" name="decision" value="deny">Deny</button>
</div>
<p class="note">Then you go back to <strong>{destination}</strong>.</p>
</form>"""
_ONE = """\
<input type="hidden" name="user" value="{id}">
<p class="person"><span class="face" aria-hidden="true">{initial}</span>
<span>Signed in as <strong>{name}</strong>{of}</span></p>"""
_CHOICE = """\
<label class="person"><input type="radio" name="user" value="{id}"{checked}>
<span><strong>{name}</strong>{of}</span></label>"""
_OF = '<span class="from">{company}</span> <span class="from">{email}</span>'


def consent_page(
    request: AuthorizeRequest, accounts: Sequence[Account], *, csrf_token: str
) -> Answer:
    """The question whether a client may do what it asks for."""
    client = escape(request.back.client.name)
    main = _CONSENT.format(
        client=client,
        csrf_token=escape(csrf_token),
        who=_who(accounts),
        what=_what(client, grouped(request.scopes)),
        destination=escape(_destination(request.back.redirect_uri)),
    )
    return _page(200, f"{client} asks for access", main, leads_to=request.back.redirect_uri)


def error_page(status: int, title: str, sentence: str) -> Answer:
    """What went wrong, for the person; the browser is sent nowhere."""
    main = f"""\
<h1>{escape(title)}</h1>
<p>{escape(sentence)}</p>
<p class="note">You can close this window. Start again from the program you came from; if it
happens again, show this page to whoever looks after that program.</p>"""
    return _page(status, escape(title), main)


def _who(accounts: Sequence[Account]) -> str:
    if len(accounts) == 1:
        return _ONE.format(initial=escape(accounts[0].name[:1]), **_told(accounts[0]))
    choices = "\n".join(
        _CHOICE.format(checked=" checked" if place == 0 else "", **_told(account))
        for place, account in enumerate(accounts)
    )
    return f"<fieldset>\n<legend>Sign in as</legend>\n{choices}\n</fieldset>"


def _told(account: Account) -> dict[str, str]:
    of = _OF.format(company=escape(account.company), email=escape(account.email))
    return {"id": str(account.user_id), "name": escape(account.name), "of": of}


def _what(client: str, groups: Sequence[ScopeGroup]) -> str:
    if not groups:
        return f"<p>{client} asks only who you are.</p>"
    rows = "\n".join(
        f'<tr><th scope="row">{escape(group.heading)}</th><td><ul>{_actions(group)}</ul></td></tr>'
        for group in groups
    )
    return f"<h2>{client} will be able to</h2>\n<table>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _actions(group: ScopeGroup) -> str:
    return "".join(
        f'<li class="{escape(action.lower())}">{escape(action)}</li>' for action in group.actions
    )


def _destination(redirect_uri: str) -> str:
    parts = urlsplit(redirect_uri)
    return parts.netloc or f"{parts.scheme}:"


def _page(status: int, title: str, main: str, *, leads_to: str = "") -> Answer:
    body = _PAGE.format(title=title, style=STYLE, main=main)
    return Answer(status, body, _headers(urlsplit(leads_to).scheme), _HTML)


def _headers(scheme: str) -> dict[str, str]:
    # Browsers hold form-action against every redirect that follows the form, up to the last page of
    # the client's, which may lie anywhere: so the schemes are named, not the host.
    targets = " ".join(dict.fromkeys(("'self'", "http:", "https:", f"{scheme or 'https'}:")))
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {targets}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
