"""Accounts that are signed in: a store filled as `cirqll login` would, without a browser."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cirqll_client.store import Store
from cirqll_client.token_store import Origin, TokenStore
from cirqll_client.tokens import TokenPair

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cirqll_client.sealing import Sealing
    from cirqll_sandbox import Sandbox
    from cirqll_sandbox.grants import Pair

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Accounts:
    """A sandbox, and the store of those who signed in to it."""

    sandbox: Sandbox
    url: str
    file: Path
    sealing: Sealing | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What the tap needs to use a signed-in account, as fast as it can."""
        return {
            "api_url": self.url,
            "client_id": self.sandbox.client.id,
            "client_secret": self.sandbox.client.secret,
            "store_url": f"sqlite:///{self.file}",
            "requests_per_minute": 100_000,
        }

    def sign_in(
        self,
        account: str = "default",
        *,
        is_expired: bool = False,
        scopes: Iterable[str] | None = None,
    ) -> TokenPair:
        """Sign in; an expired access token is refused by the server too."""
        pair = stored(self.sandbox.grant(scopes))
        if is_expired:
            pair = replace(pair, obtained_at=pair.obtained_at - HOUR, expires_at=time.time() - 1)
            self.sandbox.expire_access_tokens()
        with self.tokens() as tokens:
            tokens.save(account, pair, self.origin)
        return pair

    @property
    def origin(self) -> Origin:
        """Where the pairs come from."""
        return Origin(client_id=self.sandbox.client.id, token_url=f"{self.url}/oauth/token")

    @contextmanager
    def tokens(self) -> Iterator[TokenStore]:
        """Open the store for a moment."""
        with closing(Store(f"sqlite:///{self.file}")) as store:
            yield TokenStore(store, api_url=self.url, sealing=self.sealing)

    def refresh_token(self, account: str = "default") -> str | None:
        """Give the refresh token that the store has now."""
        with self.tokens() as tokens:
            found = tokens.read(account)
        return found.pair.refresh_token if found and found.pair else None

    @property
    def refreshes(self) -> list[str | None]:
        """How each refresh ended that reached the server."""
        return [
            one.outcome for one in self.sandbox.token_requests if one.grant_type == "refresh_token"
        ]


def stored(pair: Pair) -> TokenPair:
    """Give a pair of the sandbox's as the client would keep it."""
    now = time.time()
    return TokenPair(
        pair.access_token,
        pair.refresh_token,
        obtained_at=now,
        expires_at=now + pair.expires_in,
        scopes=frozenset(pair.scopes),
    )
