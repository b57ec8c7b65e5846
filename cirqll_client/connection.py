"""A connection to one account: its parts made from the settings and joined."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from cirqll_client.authentication import StaticToken
from cirqll_client.client import CirqllClient
from cirqll_client.errors import SettingInvalid
from cirqll_client.rate_budget import RateBudget
from cirqll_client.redaction import Redaction
from cirqll_client.retry import Patience
from cirqll_client.session import ApiSession
from cirqll_client.store import Store, default_store_url
from cirqll_client.timestamps import Timestamps
from cirqll_client.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.session import Sent
    from cirqll_client.settings import ConnectionSettings


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection to one account."""

    client: CirqllClient
    timestamps: Timestamps
    _transport: Transport
    _store: Store

    def close(self) -> None:
        """Give everything back that was opened."""
        self._transport.close()
        self._store.close()


def connect(
    settings: ConnectionSettings,
    *,
    on_sent: Callable[[Sent], None] = lambda _sent: None,
    on_wait: Callable[[float], None] = lambda _seconds: None,
) -> Connection:
    """Open a connection; nothing is sent yet. Raises ``SettingInvalid``."""
    if not settings.access_token:
        msg = (
            "There is no access token, so Cirqll cannot be read: put one into the setting "
            "access_token (environment variable TAP_CIRQLL_ACCESS_TOKEN)."
        )
        raise SettingInvalid(msg)
    timestamps = timestamps_in(settings.api_timezone)
    # Settings that come from a JSON file may be exact decimals.
    request_timeout, give_up_after = float(settings.request_timeout), float(settings.give_up_after)
    authentication = StaticToken(settings.access_token)
    redact = Redaction([settings.access_token, settings.access_token.strip()])
    transport = Transport(
        api_url=settings.api_url,
        auth=authentication,
        timeout_seconds=request_timeout,
        user_agent=f"tap-cirqll/{version('tap-cirqll')}",
        redact=redact,
    )
    store = Store(settings.store_url or default_store_url())
    account = f"{settings.api_url} {settings.account}"
    budget = RateBudget(
        store,
        client=account,
        limit=settings.requests_per_minute,
        longest_request_seconds=2 * request_timeout,
        on_wait=on_wait,
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
    )
    client = CirqllClient(session, store=store, account=account, page_size=settings.page_size)
    return Connection(client, timestamps, transport, store)


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
