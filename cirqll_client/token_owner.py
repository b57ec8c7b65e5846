"""Asking Cirqll, while a person waits, whose an access token is."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from cirqll_client.connection import connect
from cirqll_client.errors import CirqllError, ScopeMissing, SignInRequired
from cirqll_client.identity import identity_of

if TYPE_CHECKING:
    from cirqll_client.identity import Identity
    from cirqll_client.settings import ConnectionSettings

_PATIENCE_SECONDS = 30.0


def hasty(settings: ConnectionSettings) -> ConnectionSettings:
    """Give up sooner than a pipeline does: a person waits."""
    return replace(
        settings,
        request_timeout=min(float(settings.request_timeout), _PATIENCE_SECONDS),
        give_up_after=min(float(settings.give_up_after), _PATIENCE_SECONDS),
    )


def owner_of(access_token: str, settings: ConnectionSettings) -> Identity:
    """Ask whose token this is. Raises any ``CirqllError``."""
    given = replace(hasty(settings), access_token=access_token, refresh_token=None)
    with closing(connect(given)) as connection:
        return identity_of(connection.client.me())


def is_accepted(access_token: str, settings: ConnectionSettings) -> bool | None:
    """Tell whether Cirqll still takes this token; ``None`` if that cannot be found out."""
    try:
        owner_of(access_token, settings)
    except SignInRequired:
        return False
    except ScopeMissing:
        return True
    except CirqllError:
        return None
    return True
