"""What may be read: the scopes of the token in hand, as far as they are known before a request."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from cirqll_client.errors import CirqllError
from cirqll_client.nested import COMPANY, read_for
from cirqll_client.scopes import is_readable
from cirqll_client.settings import default_store_file
from cirqll_client.tokens import pair_from_access_token

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_client.resources import Resource
    from cirqll_client.settings import ConnectionSettings

_SQLITE = re.compile(r"sqlite(?:\+\w+)?://(?:/(?P<path>[^?]*))?(?:\?.*)?")


NOBODY_SIGNED_IN = (
    "Nobody is signed in, so the catalog has what Cirqll documents, and nothing of an account's "
    "own. Sign in by `cirqll login` to have that too."
)


def known_scopes(settings: ConnectionSettings) -> frozenset[str] | None:
    """Give the scopes of the token that a run would begin with; ``None`` where nobody can tell.

    The store is opened only if there is one: that takes longer than all else that discovers. What
    is wrong with it is told by the run.
    """
    if settings.fixed_token:
        return pair_from_access_token(settings.fixed_token, now=0).scopes
    if not may_be_signed_in(settings):
        return None
    try:
        return _stored_scopes(settings)
    except CirqllError:
        return None


def may_be_signed_in(settings: ConnectionSettings) -> bool:
    """Tell whether there may be a token, without opening the store."""
    has_given = bool(settings.fixed_token or settings.refresh_token)
    return has_given or _may_have_accounts(settings.store_url)


def may_be_read(table: Resource, scopes: frozenset[str] | None) -> bool:
    """Tell whether a token with these scopes may read a table, or a part of it.

    The company is known to everybody who signed in.
    """
    return table == COMPANY or any(is_readable(one, scopes) for one in read_for(table.stream))


def with_scopes(resources: Iterable[Resource]) -> str:
    """Name streams in their order, each with the scope that it takes."""
    return ", ".join(sorted(f"{one.stream} ({one.name}.read.all)" for one in resources))


def _stored_scopes(settings: ConnectionSettings) -> frozenset[str] | None:
    """Read them from the account. Raises any ``CirqllError``."""
    from cirqll_client.connection import granted_scopes, open_store  # noqa: PLC0415 - slow import

    store = open_store(settings)
    try:
        return granted_scopes(settings, store)
    finally:
        store.close()


def _may_have_accounts(store_url: str | None) -> bool:
    """Tell whether there is a store; one that is no file is not known to be missing."""
    if store_url is None:
        return default_store_file().exists()
    found = _SQLITE.fullmatch(store_url)
    return found is None or (bool(found["path"]) and Path(found["path"]).expanduser().exists())
