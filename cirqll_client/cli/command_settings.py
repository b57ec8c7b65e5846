"""The settings of a command: from its options, the environment, and the file ``.env``.

Secrets come from the environment only: the options of a command can be read in the list of
processes. The variables have the short names of ``.env.example``, or the tap's own.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec
from urllib.parse import parse_qsl

import click

from cirqll_client.cli.layout import printable
from cirqll_client.errors import CirqllError
from cirqll_client.settings import DEFAULT_API_URL, ConnectionSettings, SignInSettings

if TYPE_CHECKING:
    from collections.abc import Callable

Given = ParamSpec("Given")

_FALSE = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """What a command works with."""

    connection: ConnectionSettings
    sign_in: SignInSettings


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that all share, and its settings as the first argument.

    A ``CirqllError`` ends it with the sentence on stderr and exit code 1.
    """

    @click.option(
        "--account",
        metavar="NAME",
        help="Which account of the store; CIRQLL_ACCOUNT, or default.",
    )
    @click.option(
        "--api-url",
        metavar="URL",
        help=f"The root of the API; CIRQLL_API_URL, or {DEFAULT_API_URL}.",
    )
    @functools.wraps(command)
    def given(*, account: str | None, api_url: str | None, **more: Any) -> Any:  # noqa: ANN401 - a command's own
        return sentences_for_errors(command)(_settings(account=account, api_url=api_url), **more)

    return given


def sentences_for_errors(command: Callable[Given, Any]) -> Callable[Given, Any]:
    """Let a command that fails on purpose say one sentence instead of a traceback."""

    @functools.wraps(command)
    def told(*arguments: Given.args, **more: Given.kwargs) -> Any:  # noqa: ANN401 - a command's own
        try:
            return command(*arguments, **more)
        except CirqllError as error:
            sentence = error.sentence
        raise click.ClickException(printable(sentence))

    return told


def variable(name: str) -> str | None:
    """Give the value of ``CIRQLL_<NAME>`` or of the tap's own; an empty one counts as not set."""
    for prefix in ("CIRQLL_", "TAP_CIRQLL_"):
        value = os.environ.get(f"{prefix}{name.upper()}", "").strip()
        if value:
            return value
    return None


def _settings(*, account: str | None, api_url: str | None) -> CommandSettings:
    connection = ConnectionSettings(
        api_url=(api_url or variable("api_url") or DEFAULT_API_URL).rstrip("/"),
        account=account or variable("account") or "default",
        client_id=variable("client_id"),
        client_secret=variable("client_secret"),
        token_url=variable("token_url"),
        refresh_token=variable("refresh_token"),
        access_token=variable("access_token"),
        store_url=variable("store_url"),
        **_number("request_timeout", is_zero_good=False),
        **_number("give_up_after"),
    )
    sign_in = SignInSettings(
        authorize_url=variable("authorize_url"),
        scopes_url=variable("scopes_url"),
        revoke_url=variable("revoke_url"),
        redirect_uri=variable("redirect_uri"),
        authorize_parameters=dict(parse_qsl(variable("authorize_parameters") or "")),
        has_pkce=(variable("pkce") or "true").lower() not in _FALSE,
    )
    return CommandSettings(connection, sign_in)


def _number(name: str, *, is_zero_good: bool = True) -> dict[str, Any]:
    """Give a setting of seconds if it is there. Raises ``click.ClickException``."""
    text = variable(name)
    if text is None:
        return {}
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf") or (seconds == 0 and not is_zero_good):
        msg = f"The variable CIRQLL_{name.upper()} must be a number of seconds."
        raise click.ClickException(msg)
    return {name: seconds}
