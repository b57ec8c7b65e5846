"""Which scopes a sign-in asks for: a choice of the user's, less what Cirqll does not have."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cirqll_client.connection import USER_AGENT
from cirqll_client.errors import SettingInvalid
from cirqll_client.retry import TryAgain
from cirqll_client.scopes import catalog_scopes, offered
from cirqll_client.token_service import MOST_BYTES
from cirqll_client.transport import Transport

if TYPE_CHECKING:
    from pathlib import Path

    from cirqll_client.settings import ConnectionSettings, SignInSettings

_PATIENCE_SECONDS = 4
"""The list of scopes is a convenience: nobody waits long for it."""
_OK = 200


@dataclass(frozen=True, slots=True)
class ScopeChoice:
    """What is asked for, and what would have been."""

    scopes: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """Cirqll does not have them."""
    silence: str = ""
    """Why Cirqll gave no answer at all; it may be that the settings name another server."""


def chosen_scopes(
    settings: ConnectionSettings, sign_in: SignInSettings, wanted: tuple[str, ...]
) -> ScopeChoice:
    """Leave out what Cirqll does not have, where it tells. Raises ``SettingInvalid`` for a URL."""
    try:
        known = known_scopes(settings, sign_in)
    except TryAgain as again:
        return ScopeChoice(wanted, silence=again.failure.words)
    scopes = offered(wanted, known)
    return ScopeChoice(scopes, tuple(one for one in wanted if one not in scopes))


def scopes_for_catalog(path: Path) -> tuple[str, ...]:
    """Read what a Singer catalog needs. Raises ``SettingInvalid``."""
    try:
        catalog = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        reason = error.strerror
    except (ValueError, RecursionError):
        reason = "it is not JSON"
    else:
        reason = "" if isinstance(catalog, dict) else "it is not an object with streams"
    if reason:
        msg = f"The catalog {path} cannot be read: {reason}."
        raise SettingInvalid(msg)
    return catalog_scopes(catalog)


def known_scopes(settings: ConnectionSettings, sign_in: SignInSettings) -> tuple[str, ...]:
    """Ask which scopes there are; none where Cirqll does not say.

    That the list exists, and its form, is likely (cirqll-api.md, OAuth 2.0). Raises
    ``SettingInvalid`` for a URL that cannot be called, ``TryAgain`` where no answer comes in time.
    """
    own = sign_in.scopes_url
    transport = Transport(
        own or f"{settings.api_url}/oauth/scopes",
        setting="scopes_url" if own else "api_url",
        timeout_seconds=_PATIENCE_SECONDS,
        most_bytes=MOST_BYTES,
        user_agent=USER_AGENT,
    )
    with closing(transport):
        answer = transport.send("GET")
    return scopes_in(answer.body) if answer.status == _OK else ()


def scopes_in(body: bytes) -> tuple[str, ...]:
    """Read a list of scopes: of texts, or of objects with an ``id`` as Passport writes it."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    if isinstance(found, dict):
        found = found.get("data", found.get("scopes", list(found)))
    entries = found if isinstance(found, list) else []
    names = [one.get("id", one.get("name")) if isinstance(one, dict) else one for one in entries]
    return tuple(name for name in names if isinstance(name, str))
