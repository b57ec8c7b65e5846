"""A person at a desk: a sandbox, a store of one's own, and the command `cirqll`."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from cirqll_client.cli import main
from cirqll_client.connection import token_store
from cirqll_client.settings import ConnectionSettings
from cirqll_client.store import Store
from cirqll_client.token_life import Mark
from cirqll_client.token_store import Origin
from cirqll_client.tokens import TokenPair
from cirqll_sandbox import Behaviour, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from click.testing import Result

    from cirqll_client.token_life import StoredAccount
    from cirqll_client.token_store import TokenStore
    from cirqll_sandbox.grants import Pair

COMMAND = str(Path(sys.executable).with_name("cirqll"))
DAY = 86_400.0
UTC_MINUTE = r"20\d\d-\d\d-\d\d \d\d:\d\d UTC"
BAKERY = "Bakkerij de Korenaar"


def as_authvalue(pair: Pair, **more: Any) -> str:
    """The AuthValue of a pair of the sandbox."""
    return json.dumps(
        {"AccessToken": pair.access_token, "RefreshToken": pair.refresh_token, **more}
    )


def alone(pair: Pair) -> str:
    """The AuthValue of an access token without a refresh token."""
    return json.dumps({"AccessToken": pair.access_token})


@dataclass
class Desk:
    """Runs commands against a sandbox, with a store that lies in a folder of the test."""

    sandbox: Sandbox
    url: str
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, given: str | bytes | None = None, **more: str) -> Result:
        """Run the command in this process; an error that is no sentence is a failure."""
        environment = {**self.variables, **more}
        done = CliRunner().invoke(main, arguments, input=given, env=environment, prog_name="cirqll")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    def bring(self, account: str = "default", **grant: Any) -> Pair:
        """Let somebody sign in to an account by way of an import."""
        pair = self.sandbox.grant(**grant)
        done = self.run("tokens", "import", "--account", account, given=as_authvalue(pair))
        assert done.exit_code == 0, done.output
        return pair

    @contextmanager
    def tokens(self, api_url: str | None = None) -> Iterator[TokenStore]:
        """The accounts as the store has them."""
        settings = ConnectionSettings(api_url=api_url or self.url)
        with closing(Store(self.store_url)) as store:
            yield token_store(settings, store)

    def stored(self, account: str = "default") -> StoredAccount | None:
        """An account as the store has it."""
        with self.tokens() as tokens:
            return tokens.read(account)

    def pair(self, account: str = "default") -> TokenPair:
        """The pair that an account has."""
        stored = self.stored(account)
        assert stored
        assert stored.pair
        return stored.pair

    def lose(self, account: str = "default", *, state: Any = "lost", seconds: float = 60) -> None:
        """Let a renewal have ended like this."""
        with self.tokens() as tokens:
            stored = tokens.read(account)
            assert stored
            assert stored.pair
            token = stored.pair.refresh_token or ""
            assert tokens.begin_renewal(
                account, version=stored.version, refresh_token=token, by="a test", seconds=seconds
            )
            if state != "sent":
                mark = Mark(state, words="as the test says", token=stored.pair.refresh_fingerprint)
                tokens.end_renewal(account, mark, by="a test")

    def put(self, account: str = "default", *, aged: float = 0, **pair: Any) -> TokenPair:
        """Put a pair into the store that was obtained so many seconds ago."""
        with self.tokens() as tokens:
            obtained_at = tokens.now() - aged
            given = {"access_token": "A" * 40, "refresh_token": "R" * 40, **pair}
            made = TokenPair(obtained_at=obtained_at, **given)
            tokens.save(account, made, Origin(signed_in_as=f"Somebody of {account}"))
        return made

    @property
    def store_url(self) -> str:
        """Where the store is."""
        return f"sqlite:///{self.folder / 'state' / 'cirqll' / 'store.sqlite'}"

    def is_accepted(self, access_token: str | None) -> bool:
        """Whether the sandbox takes this token now."""
        return self.sandbox.tokens.find(access_token) is not None


def state(desk: Desk, account: str = "default") -> tuple[str, str]:
    """How an account stands: in one word, and in more."""
    told = json.loads(desk.run("tokens", "show", "--json", "--account", account).stdout)
    return told["state"], told["state_in_words"]


@contextmanager
def at_a_desk(folder: Path, monkeypatch: pytest.MonkeyPatch, **behaviour: Any) -> Iterator[Desk]:
    """A desk in this folder; nothing of the machine's own settings is seen."""
    for name in [name for name in os.environ if name.startswith(("CIRQLL_", "TAP_CIRQLL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=0, **behaviour))
    with sandbox.running() as url:
        variables = {
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "CIRQLL_API_URL": url,
            "CIRQLL_CLIENT_ID": sandbox.client.id,
            "CIRQLL_CLIENT_SECRET": sandbox.client.secret,
            "CIRQLL_REQUEST_TIMEOUT": "5",
            "CIRQLL_GIVE_UP_AFTER": "0",
        }
        yield Desk(sandbox, url, folder, variables)
