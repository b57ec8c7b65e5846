"""Consents: a link taken to Cirqll's pages, and back to tokens in the store."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass, field, replace
from hmac import compare_digest
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from cirqll_client.connect_server.addresses import origin_of
from cirqll_client.connect_server.link_life import Reason, Refused, Start, origin_wanted
from cirqll_client.errors import SettingInvalid, SignInFailed, Unavailable
from cirqll_client.oauth import PendingSignIn
from cirqll_client.sign_in import SignIn
from cirqll_client.tokens import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cirqll_client.connect_server.addresses import PublicUrl
    from cirqll_client.connect_server.link_life import Link
    from cirqll_client.connect_server.links import Links
    from cirqll_client.settings import ConnectionSettings, SignInSettings
    from cirqll_client.store import Store

_SECONDS_BEYOND_TIMEOUTS = 120.0
"""Who signed in is asked for half a minute at most, and the store has a minute to come back."""
_REASONS = {
    "denied": Reason.DENIED,
    "other_company": Reason.OTHER_COMPANY,
    "unknown_company": Reason.CIRQLL_DOWN,
    "late_code": Reason.LATE_CODE,
    "other": Reason.REFUSED,
}
"""By the kind of ``SignInFailed``; its sentences are for whoever runs the server."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a browser begins with: the token of a link, or the id of one that it began before."""

    token: str = field(repr=False)
    link_id: str
    target_origin: str
    """Empty for the first one that the link allows."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A consent that came to its end."""

    target_origin: str
    callback_message: str | None = field(repr=False)


class Consents:
    """Leads people to Cirqll and takes them back. Threads may share it."""

    def __init__(  # noqa: PLR0913 - what it joins
        self,
        settings: ConnectionSettings,
        sign_in: SignInSettings,
        store: Store,
        *,
        links: Links,
        public_url: PublicUrl,
        offered: Callable[[tuple[str, ...]], tuple[str, ...]] = lambda scopes: scopes,
    ) -> None:
        """Prepare. Raises ``SettingInvalid`` where nobody could sign in with these settings.

        ``offered`` leaves out the scopes that Cirqll does not have.
        """
        self._settings = settings
        self._sign_in = sign_in
        self._store = store
        self._links = links
        self._public_url = public_url
        self._offered = offered
        self._signing_in(settings.account).close()

    def start(self, ticket: Ticket, *, browser: str) -> str:
        """Give the URL of Cirqll's page that asks for the consent.

        Raises ``Refused``, ``SettingInvalid``, ``Unavailable``.
        """
        link = self._links.startable(token=ticket.token, link_id=ticket.link_id, browser=browser)
        target_origin = _target_origin(link, ticket.target_origin)
        scopes = self._offered(link.scopes)
        with closing(self._signing_in(link.account)) as sign_in:
            pending = sign_in.begin(redirect_uri=self._public_url.redirect_uri, scopes=scopes)
        start = Start(
            redirect_uri=pending.redirect_uri,
            scopes=pending.scopes,
            target_origin=target_origin,
            code_verifier=pending.code_verifier,
        )
        self._links.start(link, start, state=pending.state, browser=browser)
        return pending.authorize_url

    def finish(self, query: Mapping[str, str], *, browser: str) -> Completed:
        """Take what Cirqll sent the browser back with; the tokens are in the store then.

        Raises ``Refused``, ``SettingInvalid``, ``Unavailable``.
        """
        state = query.get("state", "")
        link = self._links.returning(state)
        if not compare_digest(fingerprint(browser), link.browser_hash or ""):
            raise Refused(Reason.WRONG_BROWSER)
        seconds = 2 * float(self._settings.request_timeout) + _SECONDS_BEYOND_TIMEOUTS
        start = self._links.claim(state, seconds=seconds)
        try:
            self._exchange(link, start, query)
        except BaseException:
            self._links.release(state)
            raise
        try:
            self._links.complete(state)
        except Unavailable as failure:
            # The tokens are saved, which is what the person came for.
            logger.error("The link is not marked as used. %s", failure.sentence)  # noqa: TRY400
        logger.info("The account %s is connected.", link.account)
        return Completed(start.target_origin, link.callback_message)

    def startable_again(self, browser: str | None) -> str | None:
        """Name the link that this browser may start again."""
        return self._links.startable_again(browser) if browser else None

    def _exchange(self, link: Link, start: Start, query: Mapping[str, str]) -> None:
        pending = PendingSignIn(
            authorize_url="",
            redirect_uri=start.redirect_uri,
            scopes=start.scopes,
            state=query["state"],
            code_verifier=start.code_verifier,
        )
        redirect_url = f"{start.redirect_uri}?{urlencode(query)}"
        try:
            with closing(self._signing_in(link.account)) as sign_in:
                signed_in = sign_in.finish(pending, redirect_url)
        except SignInFailed as failure:
            reason = _REASONS[failure.kind]
            if reason is not Reason.DENIED:
                words = " ".join(failure.sentence.split())
                logger.warning("The account %s is not connected. %s", link.account, words)
            raise Refused(reason, link_id=link.id) from None
        except Unavailable as failure:
            logger.warning("The account %s is not connected. %s", link.account, failure.sentence)
            raise Refused(Reason.CIRQLL_DOWN, link_id=link.id) from None
        if signed_in.missing_scopes:
            missing = " ".join(signed_in.missing_scopes)
            logger.warning("The account %s was not granted: %s", link.account, missing)

    def _signing_in(self, account: str) -> SignIn:
        settings = replace(self._settings, account=account)
        return SignIn(settings, self._sign_in, self._store)


def _target_origin(link: Link, wanted: str) -> str:
    try:
        origin = origin_of(wanted) if wanted else None
    except SettingInvalid:
        raise Refused(Reason.WRONG_ORIGIN) from None
    return origin_wanted(link, origin)
