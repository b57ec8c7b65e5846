"""The settings that hold a token, where it is used in place of those in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cirqll_client.settings import ConnectionSettings
    from cirqll_client.token_store import TokenStore


def setting_in_force(settings: ConnectionSettings, tokens: TokenStore) -> str | None:
    """Name the setting whose token a run begins with; ``None`` where it takes the store's.

    A refresh token counts until the account has had it, an access token where there is no other.
    """
    if settings.refresh_token:
        had_it = tokens.has_seen(settings.account, settings.refresh_token)
        return None if had_it else "refresh_token"
    return "access_token" if settings.fixed_token else None


def note_setting_in_force(settings: ConnectionSettings, tokens: TokenStore) -> None:
    """Say that what the store has is not what is used."""
    name = setting_in_force(settings, tokens)
    if name:
        click.echo(
            f"Note: the setting {name} is set, so runs and `cirqll whoami` use that token and not "
            f"those of the store: remove CIRQLL_{name.upper()} (or TAP_CIRQLL_{name.upper()}) from "
            "the environment and from .env.",
            err=True,
        )
