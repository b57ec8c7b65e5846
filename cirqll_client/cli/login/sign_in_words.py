"""What is said of a sign-in that worked, in the terminal and on the page in the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sql

from cirqll_client.cli import scope_words
from cirqll_client.databases import place_of
from cirqll_client.moments import day
from cirqll_client.pages import Page
from cirqll_client.settings import default_store_url

if TYPE_CHECKING:
    from cirqll_client.errors import CirqllError
    from cirqll_client.sign_in import SignedIn
    from cirqll_client.tokens import TokenPair

_WITHOUT_CODE = "history.replaceState(null, '', location.pathname);"
"""The code is spent, but the address bar and the history need not keep it."""


def heading(signed_in: SignedIn) -> str:
    """Say who signed in."""
    if signed_in.identity is None:
        return "Signed in; Cirqll did not say who."
    return f"Signed in as {signed_in.identity}".rstrip(".") + "."


def facts(
    signed_in: SignedIn, *, asked: int, store_url: str | None, is_encrypted: bool
) -> list[tuple[str, str]]:
    """Tell what the sign-in gives, as names and values; ``asked`` is how many scopes were."""
    granted = signed_in.pair.scopes
    rows = [("Account", signed_in.account)]
    if granted is None:
        rows.append(("Scopes", f"not told by Cirqll; {asked} were asked for"))
    else:
        rows.append(("Scopes", scope_words.in_full(granted)))
    if signed_in.missing_scopes:
        rows.append(("Not granted", ", ".join(signed_in.missing_scopes)))
    rows.append(("Lasts", lasting(signed_in.pair)))
    rows.append(("Tokens in", place_of_store(store_url, is_encrypted=is_encrypted)))
    return rows


def lasting(pair: TokenPair) -> str:
    """Say until when somebody need not sign in again."""
    if pair.refresh_token is None:
        if pair.expires_at is None:
            return "as long as Cirqll accepts the access token; it gave no refresh token"
        return f"until {day(pair.expires_at)}; Cirqll gave no refresh token to renew it with"
    if pair.refresh_expires_at is None:
        return "runs renew the tokens"
    return (
        f"runs renew the tokens; if none runs until {day(pair.refresh_expires_at)}, sign in again"
    )


def place_of_store(store_url: str | None, *, is_encrypted: bool) -> str:
    """Name the file or the database of a store, and its guard; neither user nor password."""
    url = sql.make_url(store_url or default_store_url())
    guard = "encrypted" if is_encrypted else "not encrypted"
    if url.get_backend_name() == "sqlite":
        if url.database in {None, "", ":memory:"}:
            return "memory, so they are gone when this command ends"
        return f"{url.database} (readable by its owner only, {guard})"
    return f"{place_of(url)} ({guard})"


def success_page(signed_in: SignedIn) -> Page:
    """Show that the tokens are saved."""
    identity = signed_in.identity
    rows = [("Account", signed_in.account)]
    if identity:
        rows.append(("Signed in as", identity.name))
    if identity and identity.company:
        rows.append(("Company", identity.company))
    return Page(
        "You are signed in",
        ("The tokens are saved. You can close this page and go back to the terminal.",),
        tone="good",
        details=tuple(rows),
        script=_WITHOUT_CODE,
    )


def failure_page(error: CirqllError) -> Page:
    """Show why the sign-in did not work."""
    return Page(
        getattr(error, "title", "Signing in did not work"),
        (error.sentence, "Nothing was saved. The terminal says the same; go on there."),
        tone="bad",
        script=_WITHOUT_CODE,
    )
