"""Where the tokens are at the end of the demo, and that they are nowhere else."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from stat import filemode
from typing import TYPE_CHECKING

from cirqll_client.store import Store
from cirqll_client.token_store import TokenStore
from demo.failures import DemoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.sandbox_process import SandboxProcess, SignIn
    from demo.screen import Screen


def show_secrets(
    screen: Screen, sandbox: SandboxProcess, sign_in: SignIn, *, store: Path, written: list[Path]
) -> None:
    """Look for tokens and the client's secret in all that was written into these places."""
    secrets = [sign_in.client_secret, sign_in.refresh_token, *_tokens_in(store, sandbox.url)]
    files = [file for place in written for file in _files_in(place)]
    holding = [file for file in files if _holds(file, secrets)]
    elsewhere = [str(file) for file in holding if not file.name.startswith(store.name)]
    if elsewhere:
        message = f"A secret lies where none should: {', '.join(elsewhere)}."
        raise DemoError(message)
    screen.say(
        f"No token and no secret is in the {len(files) - len(holding)} files that the runs left "
        f"behind, logs included. The tokens are in\n{store} ({filemode(store.stat().st_mode)})."
    )


def _tokens_in(store: Path, url: str) -> list[str]:
    """Give the tokens that the last run left; they are other ones than the first run began with."""
    with closing(Store(f"sqlite:///{store}")) as opened:
        account = TokenStore(opened, api_url=url).read("default")
    tokens = account.pair.secrets() if account and account.pair else []
    if not tokens:
        message = f"There are no tokens in {store}, although the runs succeeded."
        raise DemoError(message)
    return tokens


def _files_in(written: Path) -> Iterator[Path]:
    """Give a file, or the files of a folder; what is linked belongs to somebody else."""
    if written.is_file():
        yield written
    for place, _, names in os.walk(written):
        paths = (Path(place, name) for name in names)
        yield from (path for path in paths if path.is_file() and not path.is_symlink())


def _holds(file: Path, secrets: list[str]) -> bool:
    content = file.read_bytes()
    return any(secret.encode() in content for secret in secrets)
