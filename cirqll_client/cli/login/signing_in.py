"""A sign-in on the command line: what was chosen, carried out, and what came of it, told."""

from __future__ import annotations

import os
import shlex
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from cirqll_client.cli.command_settings import variable
from cirqll_client.cli.layout import pairs, printable
from cirqll_client.cli.login import ways_back
from cirqll_client.cli.login.browser import open_browser
from cirqll_client.cli.login.redirect_catcher import RedirectCatcher
from cirqll_client.cli.login.redirect_url import catch_place, parameters_of, pasted_redirect_uri
from cirqll_client.cli.login.sign_in_words import facts, heading
from cirqll_client.cli.token_settings import note_setting_in_force
from cirqll_client.connection import open_store, token_store
from cirqll_client.errors import SignInFailed
from cirqll_client.scope_choice import chosen_scopes, scopes_for_catalog
from cirqll_client.scopes import wanted_scopes
from cirqll_client.sealing import KEY_VARIABLE
from cirqll_client.settings import DEFAULT_API_URL
from cirqll_client.sign_in import SignIn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cirqll_client.cli.command_settings import CommandSettings
    from cirqll_client.oauth import PendingSignIn
    from cirqll_client.settings import ConnectionSettings
    from cirqll_client.sign_in import SignedIn

_A_DECISION = frozenset({"access_denied", "invalid_scope"})
"""Refusals that have nothing to do with the redirect URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the options say."""

    scopes: str
    catalog: Path | None
    is_by_paste: bool
    port: int | None
    timeout_seconds: float
    may_change_company: bool


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A sign-in with what is asked for."""

    sign_in: SignIn
    settings: CommandSettings
    wanted: tuple[str, ...]
    may_change_company: bool

    def begin(self, redirect_uri: str) -> PendingSignIn:
        """Ask for what Cirqll has of what is wanted."""
        choice = chosen_scopes(self.settings.connection, self.settings.sign_in, self.wanted)
        if choice.left_out:
            names = printable(", ".join(choice.left_out))
            click.echo(f"Cirqll does not have these scopes, so they are not asked for: {names}.\n")
        if choice.silence:
            click.echo(
                f"Note: Cirqll at {printable(self.settings.connection.api_url)} gives no answer "
                f"({choice.silence}). If no page opens, check the setting api_url.\n",
                err=True,
            )
        return self.sign_in.begin(redirect_uri=redirect_uri, scopes=choice.scopes)

    def finish(self, pending: PendingSignIn, url: str) -> SignedIn:
        """Take and save the tokens; a refusal that may come of the redirect URL names it."""
        try:
            return self.sign_in.finish(pending, url, may_change_company=self.may_change_company)
        except SignInFailed as error:
            more = _more_of(error, pending, parameters_of(url).get("error", "access_denied"))
            told = SignInFailed(f"{error.sentence}{more}", title=error.title, kind=error.kind)
        raise told


def _more_of(failure: SignInFailed, pending: PendingSignIn, refusal: str) -> str:
    """Tell what a person at the command can do beyond what the failure says."""
    if failure.kind in {"other_company", "unknown_company"}:
        return " `--replace` lets it take over this account."
    if refusal in _A_DECISION:
        return ""
    more = f" The redirect URL was {pending.redirect_uri}."
    if refusal == "invalid_request" and pending.code_verifier:
        more += " If this service refuses PKCE, CIRQLL_PKCE=false switches it off."
    return more


def run(
    settings: CommandSettings, choices: Choices, *, opener: Callable[[str], bool] = open_browser
) -> None:
    """Sign in, and tell what came of it. Raises a ``CirqllError``; ``opener`` opens a browser."""
    catalog = choices.catalog
    wanted = scopes_for_catalog(catalog) if catalog else wanted_scopes(choices.scopes)
    with (
        closing(open_store(settings.connection)) as store,
        closing(SignIn(settings.connection, settings.sign_in, store)) as sign_in,
    ):
        attempt = _Attempt(sign_in, settings, wanted, choices.may_change_company)
        redirect_uri = settings.sign_in.redirect_uri
        if choices.is_by_paste:
            pending = attempt.begin(pasted_redirect_uri(redirect_uri, port=choices.port))
            signed_in = ways_back.by_paste(pending, attempt.finish)
        else:
            with RedirectCatcher(catch_place(redirect_uri, port=choices.port)) as catcher:
                pending = attempt.begin(catcher.redirect_uri)
                signed_in = ways_back.by_browser(
                    pending,
                    attempt.finish,
                    catcher=catcher,
                    timeout_seconds=choices.timeout_seconds,
                    opener=opener,
                )
        _tell(signed_in, settings.connection, asked=len(pending.scopes))
        note_setting_in_force(settings.connection, token_store(settings.connection, store))


def _tell(signed_in: SignedIn, settings: ConnectionSettings, *, asked: int) -> None:
    rows = facts(
        signed_in,
        asked=asked,
        store_url=settings.store_url,
        is_encrypted=bool(os.environ.get(KEY_VARIABLE, "").strip()),
    )
    click.echo(f"\n{printable(heading(signed_in))}\n")
    click.echo(pairs(rows))
    click.echo(f"\n{printable(_next_step(settings))}")


def _next_step(settings: ConnectionSettings) -> str:
    """Name the commands to go on with, so that they find this account."""
    options: list[str] = []
    variables = ""
    if settings.account != (variable("account") or "default"):
        options += ["--account", settings.account]
        variables += f" CIRQLL_ACCOUNT={shlex.quote(settings.account)}"
    if settings.api_url != (variable("api_url") or DEFAULT_API_URL).rstrip("/"):
        options += ["--api-url", settings.api_url]
        variables += f" CIRQLL_API_URL={shlex.quote(settings.api_url)}"
    whoami = shlex.join(["cirqll", "whoami", *options])
    run_with = f" with{variables}" if variables else ""
    own = [] if settings.account == "default" else ["--state-id-suffix", settings.account]
    run = shlex.join(["meltano", "run", *own, "cirqll-to-postgres"])
    return f"Next: `{whoami}`, or a run such as `{run}`{run_with}."
