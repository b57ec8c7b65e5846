"""Whether the ledger at hand was written for the company that the token belongs to.

Keys at a source say nothing about companies: with another company's ledger, rows would be taken for
records that are none of theirs, and what is there would be created anew.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from cirqll_client.connection import token_store
from cirqll_client.errors import (
    AnswerUnexpected,
    NotFound,
    RequestRefused,
    ScopeMissing,
    SettingInvalid,
)
from cirqll_client.identity import identity_of
from cirqll_client.tokens import fingerprint

if TYPE_CHECKING:
    from cirqll_client.connection import Connection
    from cirqll_client.settings import ConnectionSettings

_LEDGER_OF = "ledger_of_company"
_TOKEN_OF = "token_of_company_"  # noqa: S105 - the name of a fact

logger = logging.getLogger(__name__)


def check_ledger(connection: Connection, settings: ConnectionSettings, *, is_dry: bool) -> None:
    """Raise ``SettingInvalid`` where the ledger is another company's, as far as Cirqll tells.

    Costs one request for a token that was given as a setting, the first time it is used. Raises any
    ``CirqllError``.
    """
    company = _signed_in_company(connection, settings) or _company_of_token(connection, settings)
    if company is None:
        return
    store, account = connection.store, connection.account
    known = store.learned(account, _LEDGER_OF)
    if known is None and not is_dry:
        store.learn(account, _LEDGER_OF, company)
    if known not in {None, company}:
        msg = (
            f"The account {settings.account} wrote rows of another company of Cirqll before than "
            "the one that the token belongs to, so its ledger is not this company's. Give each "
            "company a name of its own by the setting account."
        )
        raise SettingInvalid(msg)


def _signed_in_company(connection: Connection, settings: ConnectionSettings) -> str | None:
    if settings.fixed_token:
        return None
    stored = token_store(settings, connection.store).read(settings.account)
    return stored.company_id if stored else None


def _company_of_token(connection: Connection, settings: ConnectionSettings) -> str | None:
    given = settings.refresh_token or settings.fixed_token
    if not given:
        return None
    fact = _TOKEN_OF + fingerprint(given.strip())
    known: str | None = connection.store.learned(connection.account, fact)
    if known is None:
        with suppress(AnswerUnexpected, NotFound, RequestRefused, ScopeMissing):
            known = identity_of(connection.client.me()).company_id
        if known is None:
            logger.info("Cirqll does not tell which company the token belongs to.")
        connection.store.learn(connection.account, fact, known or "")
    return known or None
