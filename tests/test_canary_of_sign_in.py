"""No secret of a sign-in is in any byte that is written, but in a store for its owner alone."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.connection import connect, token_keeper, token_service
from cirqll_client.errors import CirqllError
from cirqll_client.query import IndexQuery
from cirqll_client.redaction import Redaction
from cirqll_client.resources import RESOURCES
from cirqll_client.sealing import KEY_VARIABLE, FernetSealing
from cirqll_client.settings import ConnectionSettings
from cirqll_client.store import Store
from cirqll_client.token_store import Origin, TokenStore
from cirqll_client.tokens import TokenPair, to_authvalue
from tests.canaries import everything_said_of
from tests.echoing import EchoServer, echoing, token_answers

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "5f0c9b7e"
"""A part of every secret that no spelling changes."""
REFRESH_TOKEN = f"canary/{MARK}+first=refresh"
ACCESS_TOKEN = f"canary/{MARK}+first=access"
CLIENT_SECRET = f"canary/{MARK}+of=the&client"
NEW = {"access_token": f"canary/{MARK}+new=a", "refresh_token": f"canary/{MARK}+new=r"}
STORE_KEY = urlsafe_b64encode(b"canary-key-of-the-store-32-bytes").decode()
OTHER_KEY = urlsafe_b64encode(b"canary-another-key-of-32-bytes--").decode()
SECRETS = (MARK.encode(), STORE_KEY.encode(), OTHER_KEY.encode())
TOKEN_ANSWERS = list(token_answers("", NEW))
NOT_TAKEN = {"an error in place of a word", "not this client", "too many", "moved", "missing"}
"""After these the refresh token is as good as before, and another stream may send it again."""
ROOT = Path(__file__).parents[1]


@pytest.fixture
def server() -> Iterator[EchoServer]:
    """It repeats what it is sent, and looks at the list of processes while a token is renewed."""
    with echoing(EchoServer(NEW, on_token_request=assert_no_process_shows_a_secret)) as running:
        yield running


@pytest.fixture(params=["open", "with a key"])
def key(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """The key of the store in the environment, or none."""
    if request.param == "open":
        monkeypatch.delenv(KEY_VARIABLE, raising=False)
        return None
    monkeypatch.setenv(KEY_VARIABLE, STORE_KEY)
    return STORE_KEY


def assert_no_process_shows_a_secret() -> None:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            assert not holds_secret(path.read_bytes())


def holds_secret(content: bytes) -> bool:
    return any(secret in content for secret in SECRETS)


def assert_files_are_safe(folder: Path, *, key: str | None) -> None:
    """Only the store may hold a secret, for its owner's eyes; with a key not even the store."""
    for path in (one for one in folder.rglob("*") if one.is_file()):
        if holds_secret(path.read_bytes()):
            assert key is None, path
            assert path.name.startswith("store.sqlite"), path
            assert path.stat().st_mode & 0o077 == 0, path


def settings(server: EchoServer, folder: Path, **more: Any) -> ConnectionSettings:
    return ConnectionSettings(
        api_url=server.url,
        client_id="tests",
        client_secret=CLIENT_SECRET,
        store_url=f"sqlite:///{folder / 'state' / 'store.sqlite'}",
        request_timeout=5,
        give_up_after=0,
        **more,
    )


def sign_in(server: EchoServer, folder: Path, *, key: str | None) -> None:
    """Put an account into the store whose access token has expired."""
    now = time.time()
    pair = TokenPair(ACCESS_TOKEN, REFRESH_TOKEN, obtained_at=now - 9, expires_at=now - 1)
    origin = Origin(client_id="tests", token_url=f"{server.url}/oauth/token")
    sealing = FernetSealing(key) if key else None
    with closing(Store(f"sqlite:///{folder / 'state' / 'store.sqlite'}")) as store:
        TokenStore(store, api_url=server.url, sealing=sealing).save("default", pair, origin)


def said_of_an_index(
    server: EchoServer, folder: Path, caplog: pytest.LogCaptureFixture
) -> list[str]:
    """Ask for a page, and give all that was said and can be seen meanwhile."""
    caplog.set_level(logging.DEBUG)
    said = []
    with closing(connect(settings(server, folder, refresh_token=REFRESH_TOKEN))) as connection:
        try:
            connection.client.index(RESOURCES[0], IndexQuery(limit=5))
        except CirqllError as error:
            said.append(everything_said_of(error))
        said += [repr(connection), repr(connection.client), repr(connection.store)]
    return said + [record.getMessage() + repr(vars(record)) for record in caplog.records]


@pytest.mark.parametrize("token_answer", TOKEN_ANSWERS)
def test_a_renewal_tells_no_secret_whatever_the_service_answers(
    token_answer: str,
    server: EchoServer,
    tmp_path: Path,
    key: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.token_answer = token_answer

    said = said_of_an_index(server, tmp_path, caplog)

    assert server.refreshes[0]["refresh_token"] == REFRESH_TOKEN
    assert not holds_secret("\n".join([*said, caplog.text]).encode())
    assert_files_are_safe(tmp_path, key=key)


@pytest.mark.parametrize("api_answer", [200, 302, 400, 401, 403, 404, 429, 500])
def test_the_tokens_that_a_renewal_brought_are_told_to_nobody(
    api_answer: int, server: EchoServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They are in no setting: the client must have learned them from the answer."""
    server.api_answer = api_answer

    said = said_of_an_index(server, tmp_path, caplog)

    assert server.refreshes
    assert not holds_secret("\n".join([*said, caplog.text]).encode())


def test_no_object_of_a_sign_in_shows_a_secret_when_it_is_printed(
    server: EchoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, STORE_KEY)
    given = settings(server, tmp_path, refresh_token=REFRESH_TOKEN, access_token=ACCESS_TOKEN)
    redact = Redaction([CLIENT_SECRET])
    sign_in(server, tmp_path, key=STORE_KEY)
    with closing(Store(given.store_url or "")) as store:
        tokens = TokenStore(store, api_url=server.url, sealing=FernetSealing(STORE_KEY))
        stored = tokens.read("default")
        assert stored is not None
        assert ACCESS_TOKEN in to_authvalue(stored.pair)  # it is there to be shown
        service = token_service(given, stored, redact=redact)
        keeper = token_keeper(given, store, redact=redact)
        shown = [given, stored, stored.pair, tokens, service, service.client, keeper]
        shown += [keeper.token(), FernetSealing(STORE_KEY), redact]
        said = repr(shown)
        service.close()

    assert "TokenPair" in said
    assert not holds_secret(said.encode())


def run_tap(
    folder: Path, server: EchoServer, *, key: str | None, **more: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run the tap with DEBUG logging; its settings are gone at the end, as Meltano's are."""
    config = folder / "config.json"
    config.write_text(
        json.dumps(
            {
                "api_url": server.url,
                "client_id": "tests",
                "client_secret": CLIENT_SECRET,
                "store_url": f"sqlite:///{folder / 'state' / 'store.sqlite'}",
                "give_up_after": 0,
                "request_timeout": 5,
                "requests_per_minute": 100_000,
                **more,
            }
        )
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-m", "tap_cirqll", "--config", config],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder),
            "TAP_CIRQLL_LOGLEVEL": "DEBUG",
            "PYTHONWARNINGS": "ignore",
            **({KEY_VARIABLE: key} if key else {}),
        },
        capture_output=True,
        timeout=60,
        check=False,
    )
    config.unlink()
    return done


@pytest.mark.parametrize(
    ("token_answer", "key"),
    [*((one, None) for one in TOKEN_ANSWERS), ("granted", STORE_KEY), ("cut", STORE_KEY)],
)
def test_the_tap_tells_no_secret_of_a_sign_in(
    token_answer: str, key: str | None, server: EchoServer, tmp_path: Path
) -> None:
    server.token_answer = token_answer
    sign_in(server, tmp_path, key=key)

    done = run_tap(tmp_path, server, key=key)

    assert len(server.refreshes) == 1 or token_answer in NOT_TAKEN
    assert (done.returncode == 0) == token_answer.startswith("granted"), done.stderr
    assert b"Traceback" not in done.stderr
    assert not holds_secret(done.stdout + done.stderr)
    assert_files_are_safe(tmp_path, key=key)


def test_the_tap_tells_no_secret_of_the_tokens_that_came(
    server: EchoServer, tmp_path: Path, key: str | None
) -> None:
    server.api_answer = 403

    done = run_tap(tmp_path, server, key=key, refresh_token=REFRESH_TOKEN)

    assert server.refreshes
    assert done.returncode == 1
    assert not holds_secret(done.stdout + done.stderr)
    assert_files_are_safe(tmp_path, key=key)


@pytest.mark.parametrize("wrong", [None, OTHER_KEY, f"-{OTHER_KEY}"])
def test_the_tap_tells_neither_the_key_nor_a_token_when_the_key_is_wrong(
    wrong: str | None, server: EchoServer, tmp_path: Path
) -> None:
    sign_in(server, tmp_path, key=STORE_KEY)

    done = run_tap(tmp_path, server, key=wrong)

    assert done.returncode == 1
    assert KEY_VARIABLE.encode() in done.stderr
    assert b"Traceback" not in done.stderr
    assert not holds_secret(done.stdout + done.stderr)
    assert server.refreshes == []
    assert_files_are_safe(tmp_path, key=STORE_KEY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_secret": [CLIENT_SECRET]},
        {"refresh_token": {"is": REFRESH_TOKEN}},
        {"refresh_token": f"{REFRESH_TOKEN}\nx"},
        {"refresh_tokn": REFRESH_TOKEN},
        {"token_url": CLIENT_SECRET},
        {"token_url": f"https://user:{CLIENT_SECRET}@127.0.0.1:1/oauth/token"},
        {"token_url": f"http://127.0.0.1:1/oauth/token?secret={CLIENT_SECRET}"},
    ],
    ids=["list", "object", "line break", "misspelt", "no URL", "URL with a password", "query"],
)
def test_the_tap_tells_no_secret_when_a_setting_of_the_sign_in_is_wrong(
    wrong: dict[str, Any], server: EchoServer, tmp_path: Path
) -> None:
    server.token_answer = "dead"
    done = run_tap(tmp_path, server, key=None, **{"refresh_token": REFRESH_TOKEN, **wrong})

    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert not holds_secret(done.stdout + done.stderr)
    assert_files_are_safe(tmp_path, key=None)
