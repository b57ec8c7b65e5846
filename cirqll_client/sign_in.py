"""A sign-in from its beginning to tokens in the store; the browser in between is the caller's."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirqll_client import oauth
from cirqll_client.connection import token_service, token_store
from cirqll_client.errors import CirqllError, SettingInvalid, SignInFailed
from cirqll_client.redaction import Redaction
from cirqll_client.renewal import insistently
from cirqll_client.scopes import withheld
from cirqll_client.token_life import told_by
from cirqll_client.token_owner import owner_of
from cirqll_client.token_store import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_client.identity import Identity
    from cirqll_client.oauth import PendingSignIn
    from cirqll_client.settings import ConnectionSettings, SignInSettings
    from cirqll_client.store import Store
    from cirqll_client.tokens import TokenPair

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in that came to its end; its tokens are in the store."""

    account: str
    pair: TokenPair
    identity: Identity | None
    """``None`` where Cirqll did not say."""
    missing_scopes: tuple[str, ...]
    """What was asked for and not granted, where the scopes are known."""


class SignIn:
    """Signs in to the account that the settings name."""

    def __init__(self, settings: ConnectionSettings, sign_in: SignInSettings, store: Store) -> None:
        """Prepare. Raises ``SettingInvalid``: a wrong key, a missing client, an unsafe URL."""
        self._settings = settings
        self._sign_in = sign_in
        self._tokens = token_store(settings, store)
        self._tokens.read(settings.account)
        if not settings.client_id:
            msg = (
                "Signing in takes the OAuth client: make one in Cirqll under Settings > "
                "Marketplace, and give its client_id and client_secret (CIRQLL_CLIENT_ID, "
                "CIRQLL_CLIENT_SECRET)."
            )
            raise SettingInvalid(msg)
        if settings.api_url.endswith("/api"):
            msg = "The setting api_url is the root of the API, without /api: correct it."
            raise SettingInvalid(msg)
        self._client_id = settings.client_id
        url = sign_in.authorize_url or f"{settings.api_url}/oauth/authorize"
        self._authorize_url = oauth.require_safe(url, setting="authorize_url")
        self._service = token_service(settings, redact=Redaction([settings.client_secret]))

    def begin(self, *, redirect_uri: str, scopes: Iterable[str]) -> PendingSignIn:
        """Give what to send a browser to; ``finish`` takes it back."""
        return oauth.begin(
            self._client_id,
            oauth.AuthorizeWish(
                authorize_url=self._authorize_url,
                redirect_uri=redirect_uri,
                scopes=tuple(scopes),
                extra=self._sign_in.authorize_parameters,
                has_pkce=self._sign_in.has_pkce,
            ),
        )

    def finish(
        self, pending: PendingSignIn, redirect_url: str, *, may_change_company: bool = False
    ) -> SignedIn:
        """Take the tokens for the URL that the browser was sent back to, and save them.

        An account whose tables hold one company's data is not given another company's tokens,
        unless that is wanted. Raises ``SignInFailed``, ``SettingInvalid``, ``Unavailable``.
        """
        redirect = oauth.read_redirect(redirect_url, state=pending.state)
        # Asked before the code is spent: its answer counts from here, and the store must be there.
        now = self._tokens.now()
        pair = self._service.exchange(pending, redirect)
        identity = self._identity(pair)
        pair = told_by(pair, now=now)
        insistently(lambda: self._save(pair, identity, may_change_company=may_change_company))
        missing = withheld(pending.scopes, pair.scopes)
        return SignedIn(self._settings.account, pair, identity, missing)

    def close(self) -> None:
        """Close the connections; the store stays open."""
        self._service.close()

    def _save(
        self, pair: TokenPair, identity: Identity | None, *, may_change_company: bool
    ) -> None:
        company_id = identity.company_id if identity else None
        if not may_change_company:
            company_id = self._company_kept(identity)
        origin = Origin(
            client_id=self._client_id,
            token_url=self._service.client.token_url,
            signed_in_as=str(identity) if identity else None,
            company_id=company_id,
        )
        self._tokens.save(self._settings.account, pair, origin)

    def _identity(self, pair: TokenPair) -> Identity | None:
        """Ask whose token it is; a sign-in is good also where that is not told."""
        try:
            return owner_of(pair.access_token or "", self._settings)
        except CirqllError as error:
            logger.warning("Who signed in could not be found out: %s", error.sentence)
            return None

    def _company_kept(self, identity: Identity | None) -> str | None:
        """Give the company that the account belongs to.

        Raises ``SignInFailed`` for another one, and where nobody tells whose tokens these are.
        """
        before = self._tokens.read(self._settings.account)
        company_id = identity.company_id if identity else None
        if before is None or before.company_id in {None, company_id}:
            return company_id
        owner = f"The account {before.account} belongs to {before.signed_in_as or 'one company'}"
        if company_id is None:
            msg = (
                f"{owner}, and Cirqll did not say whose the new tokens are: the data of two "
                "companies might be mixed. Nothing was changed. Sign in again later, with the "
                "scope user.read.all."
            )
            title = "Nobody knows which company this is"
            raise SignInFailed(msg, title=title, kind="unknown_company")
        msg = (
            f"{owner}, and {identity} is of another company: their data would be mixed. Nothing "
            "was changed. Sign in as the same company, or give this one an account of its own."
        )
        raise SignInFailed(msg, title="This is another company", kind="other_company")
