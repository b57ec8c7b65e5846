"""A connection to one account: its parts made from the settings and joined."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from cirqll_client.authentication import StaticToken
from cirqll_client.client import CirqllClient
from cirqll_client.errors import SettingInvalid, SignInRequired
from cirqll_client.field_definitions import FIELD, FieldDefinitions
from cirqll_client.handed_over import HandedOver
from cirqll_client.rate_budget import RateBudget
from cirqll_client.redaction import Redaction
from cirqll_client.renewal import lease_seconds
from cirqll_client.retry import Patience
from cirqll_client.scopes import is_readable
from cirqll_client.sealing import sealing_of
from cirqll_client.session import ApiSession
from cirqll_client.settings import default_store_url
from cirqll_client.store import Store
from cirqll_client.timestamps import Timestamps
from cirqll_client.token_keeper import TokenKeeper
from cirqll_client.token_life import nobody_signed_in
from cirqll_client.token_store import TokenStore
from cirqll_client.tokens import pair_from_access_token
from cirqll_client.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.authentication import Authentication
    from cirqll_client.session import Sent
    from cirqll_client.settings import ConnectionSettings
    from cirqll_client.token_life import StoredAccount
    from cirqll_client.token_service import TokenService

USER_AGENT = f"tap-cirqll/{version('tap-cirqll')}"
_ZONE_PROVEN_WRONG = (
    "The setting api_timezone (%s) is not the zone of this account's times, as `cirqll doctor` "
    "found out in the last 30 days. Nothing is lost, but times are wrong: correct it, then load "
    "the tables anew."
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection to one account."""

    client: CirqllClient
    timestamps: Timestamps
    store: Store
    account: str
    """By which the store keeps what concerns this account."""
    definitions: FieldDefinitions
    """Of its custom fields, shared by all who need them; read when they are first needed."""
    _transport: Transport
    _settings: ConnectionSettings
    _session: ApiSession

    def scopes(self) -> frozenset[str] | None:
        """Give the scopes of the token in use; ``None`` where nobody can tell."""
        return granted_scopes(self._settings, self.store)

    def hand_over(self, *, leaves: bool) -> None:
        """Use what another process read of this account, or leave what is read for the next one.

        Raises ``SettingInvalid`` for a key that is none.
        """
        self._session.handed_over = HandedOver(
            self.store, account=self.account, sealing=sealing_of()
        )
        self._session.leaves_answers = leaves

    def close(self) -> None:
        """Give everything back that was opened."""
        self._transport.close()
        self.store.close()


def connect(
    settings: ConnectionSettings,
    *,
    on_sent: Callable[[Sent], None] = lambda _sent: None,
    on_wait: Callable[[float], None] = lambda _seconds: None,
    pause: Callable[[float], object] = time.sleep,
) -> Connection:
    """Open a connection; nothing is sent yet. Raises ``SettingInvalid``, ``SignInRequired``.

    All waits are spent in ``pause``; what it raises to end one passes through.
    """
    timestamps = timestamps_in(settings.api_timezone)
    # Settings that come from a JSON file may be exact decimals.
    request_timeout, give_up_after = float(settings.request_timeout), float(settings.give_up_after)
    secrets = (settings.access_token, settings.refresh_token, settings.client_secret)
    redact = Redaction([one.strip() for one in secrets if one])
    with ExitStack() as opened:
        transport = Transport(
            settings.api_url,
            below="/api",
            setting="api_url",
            timeout_seconds=request_timeout,
            user_agent=USER_AGENT,
            redact=redact,
        )
        opened.callback(transport.close)
        store = open_store(settings)
        opened.callback(store.close)
        authentication = _authentication(
            settings, store, redact=redact, on_wait=on_wait, pause=pause
        )
        account = account_key(settings)
        budget = RateBudget(
            store,
            client=account,
            limit=settings.requests_per_minute,
            longest_request_seconds=2 * request_timeout,
            on_wait=on_wait,
            sleep=pause,
        )
        session = ApiSession(
            transport,
            budget=budget,
            authentication=authentication,
            api_url=settings.api_url,
            patience=Patience(give_up_after),
            redact=redact,
            on_sent=on_sent,
            on_wait=on_wait,
            sleep=pause,
        )
        client = CirqllClient(session, store=store, account=account, page_size=settings.page_size)
        opened.pop_all()
    if settings.api_timezone in client.findings.zones_proven_wrong:
        logger.warning(_ZONE_PROVEN_WRONG, settings.api_timezone)
    definitions = FieldDefinitions(
        client, may_be_read=lambda: is_readable(FIELD, granted_scopes(settings, store))
    )
    return Connection(client, timestamps, store, account, definitions, transport, settings, session)


def account_key(settings: ConnectionSettings) -> str:
    """Give the words by which the store keeps what concerns an account."""
    return f"{settings.api_url} {settings.account}"


def open_store(settings: ConnectionSettings) -> Store:
    """Open the store that the settings name. Raises ``SettingInvalid``."""
    return Store(settings.store_url or default_store_url())


def token_store(settings: ConnectionSettings, store: Store) -> TokenStore:
    """Give the accounts in a store, read with the key of the environment if there is one.

    Raises ``SettingInvalid``.
    """
    return TokenStore(store, api_url=settings.api_url, sealing=sealing_of())


def granted_scopes(settings: ConnectionSettings, store: Store) -> frozenset[str] | None:
    """Give the scopes of the token that a run begins with; ``None`` where nobody can tell.

    A refresh token that the account never had will bring scopes of its own. Raises any
    ``CirqllError``.
    """
    if settings.fixed_token:
        return pair_from_access_token(settings.fixed_token, now=0).scopes
    tokens, seed = token_store(settings, store), settings.refresh_token
    stored = tokens.read(settings.account)
    is_of_seed = seed is None or tokens.has_seen(settings.account, seed)
    return stored.pair.scopes if stored and stored.pair and is_of_seed else None


def token_service(
    settings: ConnectionSettings, stored: StoredAccount | None = None, *, redact: Redaction
) -> TokenService:
    """Prepare the token URL for an account. Raises ``SettingInvalid``; nothing is sent yet."""
    from cirqll_client.oauth import OAuthClient  # noqa: PLC0415 - most runs renew nothing
    from cirqll_client.token_service import TokenService  # noqa: PLC0415

    given, known = settings.client_id, stored.client_id if stored else None
    if given and known and given != known:
        msg = (
            f"The account {settings.account} was signed in with another OAuth client than the one "
            "that the setting client_id names: correct it, or sign in again."
        )
        raise SettingInvalid(msg)
    client_id = given or known
    if not client_id:
        msg = (
            f"The tokens of the account {settings.account} must be renewed, which takes the OAuth "
            "client: give the settings client_id and client_secret."
        )
        raise SettingInvalid(msg)
    signed_in_at = stored.token_url if stored else None
    client = OAuthClient(
        client_id=client_id,
        client_secret=settings.client_secret,
        token_url=settings.token_url or signed_in_at or f"{settings.api_url}/oauth/token",
    )
    return TokenService(
        client,
        timeout_seconds=float(settings.request_timeout),
        user_agent=USER_AGENT,
        redact=redact,
    )


def token_keeper(
    settings: ConnectionSettings,
    store: Store,
    *,
    redact: Redaction,
    on_wait: Callable[[float], None] = lambda _seconds: None,
    pause: Callable[[float], object] = time.sleep,
) -> TokenKeeper:
    """Give the tokens that the store keeps for the account. Raises ``SettingInvalid``."""
    seed = (settings.refresh_token or "").strip() or None
    return TokenKeeper(
        token_store(settings, store),
        account=settings.account,
        service_for=lambda stored: token_service(settings, stored, redact=redact),
        seed=seed,
        patience=Patience(float(settings.give_up_after)),
        lease_seconds=lease_seconds(float(settings.request_timeout)),
        redact=redact,
        on_wait=on_wait,
        sleep=pause,
    )


def _authentication(
    settings: ConnectionSettings,
    store: Store,
    *,
    redact: Redaction,
    on_wait: Callable[[float], None],
    pause: Callable[[float], object],
) -> Authentication:
    if settings.fixed_token:
        return StaticToken(settings.fixed_token)
    keeper = token_keeper(settings, store, redact=redact, on_wait=on_wait, pause=pause)
    if not settings.refresh_token and token_store(settings, store).read(settings.account) is None:
        raise SignInRequired(nobody_signed_in(settings.account, api_url=settings.api_url))
    return keeper


def timestamps_in(zone: str) -> Timestamps:
    """Read times of this zone. Raises ``SettingInvalid`` for a name that is none."""
    import pendulum  # noqa: PLC0415 - takes longer to import than all of --discover may

    try:
        return Timestamps(pendulum.timezone(zone))
    except (pendulum.tz.exceptions.InvalidTimezone, ValueError, OSError) as error:
        msg = (
            f"The setting api_timezone ({zone}) is not the name of a time zone; write it like UTC "
            "or Europe/Amsterdam."
        )
        raise SettingInvalid(msg) from error
