"""An account that signed in to a sandbox, and programs that renew its tokens."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cirqll_client.connection import token_service
from cirqll_client.redaction import Redaction
from cirqll_client.retry import Patience
from cirqll_client.settings import ConnectionSettings
from cirqll_client.store import Store
from cirqll_client.token_keeper import TokenKeeper
from cirqll_client.token_store import Origin, TokenStore
from cirqll_client.tokens import TokenPair
from cirqll_sandbox import Behaviour, Sandbox, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.sealing import Sealing
    from cirqll_client.token_life import StoredAccount
    from cirqll_sandbox.grants import Pair
    from cirqll_sandbox.oauth_log import TokenRequestRecord

DAY = 86_400.0
RENEWER = Path(__file__).with_name("renewer.py")


@dataclass
class Cirqll:
    """A running sandbox, and a store in which an account is signed in to it."""

    sandbox: Sandbox
    url: str
    store_url: str
    stores: list[Store] = field(default_factory=list)

    def settings(self, **changes: Any) -> ConnectionSettings:
        """The settings of a program on this store."""
        settings = ConnectionSettings(
            api_url=self.url,
            client_id=self.sandbox.client.id,
            client_secret=self.sandbox.client.secret,
            store_url=self.store_url,
            requests_per_minute=10_000,
            request_timeout=5,
            give_up_after=5,
        )
        return replace(settings, **changes)

    def tokens(self, *, sealing: Sealing | None = None, **named: Any) -> TokenStore:
        """The accounts, as another process opens them."""
        self.stores.append(Store(self.store_url, **named))
        return TokenStore(self.stores[-1], api_url=self.url, sealing=sealing)

    def close_stores(self) -> None:
        """Let the next ones be opened as if by new processes."""
        while self.stores:
            self.stores.pop().close()

    def sign_in(self, *, ages: tuple[float, float] = (-31 * DAY, -DAY), **facts: Any) -> Pair:
        """Put a new pair into the store, by default with an access token that has expired."""
        pair = self.sandbox.grant()
        self.tokens().save("default", stored_pair(pair, ages=ages, **facts), self.origin())
        return pair

    def origin(self) -> Origin:
        """Where pairs come from."""
        return Origin(client_id=self.sandbox.client.id, token_url=f"{self.url}/oauth/token")

    def keeper(
        self, tokens: TokenStore | None = None, *, lease_seconds: float = 25, **named: Any
    ) -> TokenKeeper:
        """The tokens, as a program of this process holds them."""
        kept = {"patience", "redact", "on_wait", "sleep", "clock"}
        parts = {name: named.pop(name) for name in kept & set(named)}
        settings, redact = self.settings(**named), parts.pop("redact", Redaction())
        return TokenKeeper(
            tokens or self.tokens(),
            account=settings.account,
            service_for=lambda stored: token_service(settings, stored, redact=redact),
            seed=settings.refresh_token,
            lease_seconds=lease_seconds,
            redact=redact,
            **{"patience": Patience(settings.give_up_after), **parts},
        )

    def stored(self, account: str = "default") -> StoredAccount:
        """The account as the store has it."""
        stored = self.tokens().read(account)
        assert stored
        return stored

    @property
    def refreshes(self) -> list[TokenRequestRecord]:
        """The refreshes that reached the server."""
        return [one for one in self.sandbox.token_requests if one.grant_type == "refresh_token"]

    def times_sent(self) -> Counter[str | None]:
        """How often the server saw each refresh token."""
        return Counter(one.credential for one in self.refreshes)

    def times_it_saw(self, refresh_token: str | None) -> int:
        """How often the server saw this one."""
        return self.times_sent()[fingerprint(refresh_token)]


def stored_pair(
    pair: Pair, *, ages: tuple[float, float] = (-31 * DAY, -DAY), **facts: Any
) -> TokenPair:
    """A pair for the store: obtained and expiring so many seconds from now."""
    now = time.time()
    given = TokenPair(
        pair.access_token,
        pair.refresh_token,
        obtained_at=now + ages[0],
        expires_at=now + ages[1],
        refresh_expires_at=now + 60 * DAY,
    )
    return replace(given, **facts)


@contextmanager
def cirqll(store_url: str, **behaviour: Any) -> Iterator[Cirqll]:
    """A sandbox and an empty store."""
    sandbox = Sandbox(size=0, behaviour=Behaviour(**{"rate_limit": 0, **behaviour}))
    with sandbox.running() as url:
        one = Cirqll(sandbox, url, store_url)
        try:
            yield one
        finally:
            one.close_stores()


@dataclass
class Renewers:
    """Processes that renew: each line starts some, and gets what came of them."""

    process: subprocess.Popen[str]

    def start(self, settings: ConnectionSettings, **options: Any) -> list[int]:
        """Start processes; their ids."""
        line = json.dumps({"settings": asdict(settings), **options})
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return list(self._answer())

    def outcomes(self) -> list[dict[str, Any]]:
        """What came of those that were not killed."""
        return list(self._answer())

    def run(self, settings: ConnectionSettings, **options: Any) -> list[dict[str, Any]]:
        """Start processes and wait for them."""
        self.start(settings, **options)
        return self.outcomes()

    def _answer(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the renewer ended"
        return json.loads(line)


@contextmanager
def renewers() -> Iterator[Renewers]:
    """A program that has imported everything and waits for orders."""
    with subprocess.Popen(
        [sys.executable, str(RENEWER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Renewers(process)
        finally:
            process.kill()
