"""No secret is in any byte that is written, whatever happens."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client import connection as connections
from cirqll_client.authentication import StaticToken
from cirqll_client.connection import connect
from cirqll_client.errors import CirqllError
from cirqll_client.query import IndexQuery
from cirqll_client.resources import RESOURCES
from cirqll_client.settings import ConnectionSettings
from cirqll_client.store import Store
from cirqll_sandbox import Behaviour, Sandbox
from tests.canaries import everything_said_of
from tests.client.raw_server import PAGE, answer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.client.raw_server import Reply

CANARY = "canary-5f0c9b7e-not-to-be-seen"
ECHO = f"You sent Authorization: Bearer {CANARY} ({CANARY})."
PADDED = "x" * (300 - len("canary")) + CANARY

REPLIES: dict[str, Reply] = {
    "success": PAGE,
    **{
        f"{status} that echoes": answer(
            status,
            json.dumps({"message": ECHO, "errors": {CANARY: [ECHO]}}),
            f"X-Echo: {CANARY}",
            f"Location: https://login/?token={CANARY}",
            f"WWW-Authenticate: Bearer {CANARY}",
            f"Set-Cookie: token={CANARY}",
            f"Retry-After: {CANARY}",
        )
        for status in (200, 302, 400, 401, 403, 404, 418, 422, 429, 500, 503)
    },
    "400 that is cut in the secret": answer(400, json.dumps({"message": PADDED})),
    "web page": answer(200, f"<html>{ECHO}</html>"),
    "text": answer(200, ECHO),
    "cut": lambda connection: connection.sendall(
        f"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{ECHO}".encode()
    ),
    "headers that are none": f"HTTP/1.1 200 OK\r\n{ECHO}\r\n: {CANARY}\r\n\r\n{{}}".encode(),
    "no HTTP": f"{ECHO}\r\n\r\n".encode(),
    "a status line that is none": f"HTTP/1.1 {CANARY}\r\n\r\n".encode(),
    "a length that is none": f"HTTP/1.1 200 OK\r\nContent-Length: {CANARY}\r\n\r\n".encode(),
    "an encoding that is none": answer(200, "[]", f"Content-Encoding: {CANARY}"),
    "chunks that are none": (
        f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{CANARY}\r\n".encode()
    ),
}


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that any logger says."""
    caplog.set_level(logging.DEBUG)
    return caplog


def settings(url: str, folder: Path, **more: Any) -> ConnectionSettings:
    return ConnectionSettings(
        api_url=url,
        access_token=CANARY,
        store_url=f"sqlite:///{folder / 'store.sqlite'}",
        request_timeout=0.3,
        give_up_after=0,
        **more,
    )


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@contextmanager
def nothing_leaks(logged: pytest.LogCaptureFixture, folder: Path) -> Iterator[list[str]]:
    """Collects what is said in the list; nothing of it, of the log and of the files holds it."""
    said: list[str] = []
    yield said
    said += [record.getMessage() for record in logged.records]
    said += [repr(vars(record)) for record in logged.records]
    said.append(logged.text)
    assert CANARY[:12] not in "\n".join(said)
    assert CANARY.encode() not in bytes_in(folder)


@pytest.mark.parametrize("what", REPLIES)
def test_the_client_tells_no_secret_whatever_the_server_answers(
    what: str, tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    with nothing_leaks(logged, tmp_path) as said, serving(REPLIES[what]) as server:
        connection = connect(settings(server.url, tmp_path))
        with closing(connection):
            said += [repr(connection), repr(connection.client), repr(connection._transport)]
            try:
                connection.client.index(RESOURCES[0], IndexQuery(limit=5))
                connection.client.me()
            except CirqllError as error:
                said.append(everything_said_of(error))


@pytest.mark.parametrize(
    "url",
    [
        f"https://user:{CANARY}@127.0.0.1:1",
        f"https://{CANARY}@127.0.0.1:1",
        f"http://127.0.0.1:1/?token={CANARY}",
        f"http://127.0.0.1:1/#{CANARY}",
    ],
)
def test_a_secret_in_the_url_is_told_to_nobody(
    url: str, tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    with nothing_leaks(logged, tmp_path) as said, pytest.raises(CirqllError) as caught:
        connect(settings(url, tmp_path))
    with nothing_leaks(logged, tmp_path) as said:
        said.append(everything_said_of(caught.value))


@pytest.mark.parametrize("end", ["\n", " x", "\r\nX-Injected: yes", "\u201d", "\0"])
def test_a_token_that_cannot_be_sent_is_told_to_nobody(
    end: str, tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    with nothing_leaks(logged, tmp_path) as said, serving(PAGE) as server:
        given = ConnectionSettings(api_url=server.url, access_token=CANARY + end, give_up_after=0)
        try:
            connect(given).close()
        except CirqllError as error:
            said.append(everything_said_of(error))


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://user:{CANARY}@127.0.0.1:1/db",
        f"postgresql://user:{CANARY}@127.0.0.1:port/db",
        f"postgresql+nothing://user:{CANARY}@127.0.0.1/db",
        f"nonsense:{CANARY}",
        f"sqlite:////proc/x?password={CANARY}",
        f"postgresql://127.0.0.1:1/db?user=me&password={CANARY}",
    ],
)
def test_the_password_of_a_store_is_told_to_nobody(
    url: str, tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    with nothing_leaks(logged, tmp_path) as said, pytest.raises(CirqllError) as caught:
        Store(url)
    with nothing_leaks(logged, tmp_path) as said:
        said.append(everything_said_of(caught.value))


def test_no_object_shows_a_secret_when_it_is_printed(tmp_path: Path) -> None:
    given = settings("http://127.0.0.1:1", tmp_path)
    with closing(connect(given)) as connection:
        shown = [
            given,
            StaticToken(CANARY).token(),
            connection,
            connection.client,
            connection.store,
        ]
        assert CANARY not in repr(shown)
    assert CANARY not in repr(vars(connections))


def tap(folder: Path, url: str, *arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the tap with DEBUG logging and structured tracebacks."""
    config = folder / "config.json"
    config.write_text(json.dumps({"api_url": url, "access_token": CANARY, **more}))
    home = folder / "home"
    home.mkdir()
    with subprocess.Popen(
        [sys.executable, "-X", "dev", "-m", "tap_cirqll", "--config", config, *arguments],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "HOME": str(home),
            "XDG_STATE_HOME": str(home),
            "TAP_CIRQLL_LOGLEVEL": "DEBUG",
            "PYTHONWARNINGS": "ignore",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        with suppress(OSError):
            assert CANARY.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        output, log = process.communicate(timeout=60)
    config.unlink()
    return subprocess.CompletedProcess(process.args, process.returncode, output, log)


@pytest.mark.parametrize("arguments", [(), ("--discover",), ("--about", "--format=json")], ids=str)
def test_the_tap_tells_no_secret_when_all_goes_well(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=0))
    sandbox.tokens.grant(CANARY, scopes=["customer.read.all"])
    sandbox.rows("customer").insert(name="Bakkerij de Korenaar")
    with sandbox.running() as url:
        done = tap(tmp_path, url, *arguments)
    assert done.returncode == 0, done.stderr
    assert CANARY.encode() not in done.stdout + done.stderr + bytes_in(tmp_path)


@pytest.mark.parametrize("what", ["401 that echoes", "422 that echoes", "403 that echoes", "cut"])
def test_the_tap_tells_no_secret_when_all_goes_wrong(what: str, tmp_path: Path) -> None:
    with serving(REPLIES[what]) as server:
        done = tap(tmp_path, server.url, give_up_after=0, requests_per_minute=100_000)
    assert CANARY.encode() not in done.stdout + done.stderr + bytes_in(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"page_size": CANARY},
        {"acces_token": CANARY},
        {"access_token": [CANARY]},
        {"access_token": f"{CANARY}\nx"},
        {"store_url": f"postgresql://user:{CANARY}@127.0.0.1:1/db"},
        {"store_url": {"password": CANARY}},
        {"api_url": f"https://user:{CANARY}@127.0.0.1:1"},
    ],
    ids=["number", "misspelt", "list", "line break", "store", "object", "url"],
)
def test_the_tap_tells_no_secret_when_a_setting_is_wrong(
    wrong: dict[str, Any], tmp_path: Path
) -> None:
    done = tap(tmp_path, "http://127.0.0.1:1", **wrong)
    assert done.returncode != 0
    assert CANARY.encode() not in done.stdout + done.stderr + bytes_in(tmp_path)
