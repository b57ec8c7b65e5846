"""Links: asked for by a program or a command, read strictly, kept without what opens them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from cirqll_client.connect_server.addresses import origin_of, public_url_of
from cirqll_client.connect_server.link_calls import Key
from cirqll_client.connect_server.wishes import LinkWish, wish_from_json, wish_of
from cirqll_client.errors import SettingInvalid
from cirqll_client.scopes import read_scopes, read_write_scopes
from tests.client.connect_service import (
    APP,
    KEY,
    Person,
    connect_service,
    leads_to,
    title_of,
    token_in,
)

if TYPE_CHECKING:
    from tests.client.connect_service import Service

COMMAND = [str(Path(sys.executable).with_name("cirqll")), "connect"]
WISH = {"account": "acme", "target_origin": APP}


def call(
    service: Service, body: Any = None, *, key: str = KEY, **options: Any
) -> requests.Response:
    """`POST /links`, as a program sends it."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    headers.update(options.pop("headers", {}))
    data = body if isinstance(body, (str, bytes)) else json.dumps(WISH if body is None else body)
    with requests.Session() as session:
        session.trust_env = False
        url = f"{service.url}/links"
        return session.post(url, data=data, headers=headers, timeout=10, **options)


def connect(
    service: Service, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """`cirqll connect` in a process of its own, with the store of the server."""
    own = {
        "CIRQLL_STORE_URL": service.store_url,
        "CIRQLL_API_URL": service.sandbox_url,
        "CIRQLL_CONNECT_URL": str(service.public_url),
    }
    environment = {**os.environ, **own, **variables}
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False
    )


# By a program


def test_a_program_gets_a_link_and_when_it_expires(store_url: str) -> None:
    with connect_service(store_url) as service, Person(service) as person:
        # When
        answer = call(service, {**WISH, "expires_in": "2h"})
        # Then
        assert (answer.status_code, set(answer.json())) == (201, {"url", "expires_at"})
        url, expires_at = answer.json()["url"], answer.json()["expires_at"]
        assert re.fullmatch(rf"{service.url}/connect#token=[\w-]{{43}}", url)
        with service.store.transaction() as connection:
            now = service.store.time_in(connection)
        lifetime = datetime.fromisoformat(expires_at).timestamp() - now
        assert 7100 < lifetime <= 7200
        assert leads_to(person.consent(token_in(url))) == APP
        assert service.account()


def test_a_link_lives_five_minutes_if_nothing_else_is_asked(service: Service) -> None:
    # When
    answer = call(service)
    # Then
    expires_at = datetime.fromtimestamp(service.time.now + 300, UTC)
    assert answer.json()["expires_at"] == expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_program_may_give_every_field(service: Service) -> None:
    # Given
    wish = {
        "account": " Bakkerij 't Hoekje ",
        "target_origin": [APP, "https://b.example.com:444"],
        "callback_message": "klaar ✓",
        "expires_in": 3 * 86_400,
        "scopes": "read-write",
    }
    # When
    assert call(service, wish).status_code == 201
    # Then
    (link,) = service.links.living()
    assert link.account == "Bakkerij 't Hoekje"
    assert link.target_origins == (APP, "https://b.example.com:444")
    assert link.callback_message == "klaar ✓"
    assert link.expires_at - link.made_at == 3 * 86_400
    assert link.scopes == read_write_scopes()


@pytest.mark.parametrize("key", ["wrong" * 10, "", KEY[:-1], f"{KEY}x", "é" * 40])
def test_a_wrong_key_is_refused(service: Service, key: str) -> None:
    # When
    answer = call(service, headers={"Authorization": f"Bearer {key}".encode()})
    # Then
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"].startswith("The key is missing or wrong")
    assert service.links.living() == []


@pytest.mark.parametrize("authorization", ["", KEY, f"Basic {KEY}", "Bearer"])
def test_without_the_key_as_bearer_nothing_is_made(service: Service, authorization: str) -> None:
    assert call(service, headers={"Authorization": authorization}).status_code == 401


def test_without_a_key_of_the_server_the_call_is_off_and_says_so(sqlite_url: str) -> None:
    with connect_service(sqlite_url, key=None) as service:
        # When
        answer = call(service)
        # Then
        assert answer.status_code == 404
        assert "without CIRQLL_CONNECT_KEY" in answer.json()["error"]


def test_a_short_key_is_refused_at_the_start() -> None:
    # When
    with pytest.raises(SettingInvalid, match="at least 32 characters") as caught:
        Key("x" * 31)
    # Then
    assert "xxx" not in str(caught.value)
    assert "longenough" not in repr(Key("longenough" * 4))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "must be a JSON object"),
        ("{", "must be a JSON object"),
        ("[]", "must be a JSON object"),
        ("[" * 5000, "must be a JSON object"),
        (b"\xff\xfe", "must be a JSON object"),
        ({}, "target_origin must be a text"),
        ({**WISH, "state": "x"}, "a field that links do not have"),
        ({**WISH, "account": ""}, "the account"),
        ({**WISH, "account": 7}, "account must be a text"),
        ({**WISH, "account": "a" * 256}, "the account"),
        ({**WISH, "account": "a\nb"}, "the account"),
        ({**WISH, "account": "\ud800"}, "the account"),
        ({**WISH, "target_origin": []}, "needs the target_origin"),
        ({**WISH, "target_origin": [APP, 7]}, "target_origin must be a text"),
        ({**WISH, "target_origin": [f"https://a{n}.example" for n in range(21)]}, "at most 20"),
        ({**WISH, "callback_message": ""}, "callback_message"),
        ({**WISH, "callback_message": "x" * 4097}, "callback_message"),
        ({**WISH, "callback_message": "a\0b"}, "callback_message"),
        ({**WISH, "callback_message": "\udfff"}, "callback_message"),
        ({**WISH, "callback_message": {"a": 1}}, "callback_message must be a text"),
        ({**WISH, "expires_in": 0}, "expires_in"),
        ({**WISH, "expires_in": -5}, "expires_in"),
        ({**WISH, "expires_in": True}, "whole number of seconds"),
        ({**WISH, "expires_in": 1.5}, "whole number of seconds"),
        ({**WISH, "expires_in": "31d"}, "at most 30d"),
        ({**WISH, "expires_in": "5 m"}, "expires_in"),
        ({**WISH, "expires_in": "\u0665m"}, "expires_in"),
        ({**WISH, "expires_in": 10**30}, "expires_in"),
        ({**WISH, "scopes": ""}, "scopes"),
        ({**WISH, "scopes": 'user.read.all "x"'}, "scopes"),
        ({**WISH, "scopes": "é"}, "scopes"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_in_a_sentence(
    service: Service, body: Any, words: str
) -> None:
    # When
    answer = call(service, body)
    # Then
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert service.links.living() == []


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"]
)
def test_a_body_of_another_type_is_refused(service: Service, content_type: str) -> None:
    # When
    answer = call(service, headers={"Content-Type": content_type})
    # Then
    assert (answer.status_code, answer.json()) == (
        415,
        {"error": "The body must be sent as Content-Type: application/json."},
    )


def test_a_body_that_is_too_large_is_refused(service: Service) -> None:
    # When
    answer = call(service, b" " * 2_000_000)
    # Then
    assert answer.status_code == 413
    assert answer.json()["error"] == "The body is too large: at most 65536 bytes are taken."


def test_a_large_body_without_a_length_is_refused(service: Service) -> None:
    # When
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{service.url}/links",
            data=(b" " * 1000 for _ in range(200)),
            headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
            timeout=10,
        )
    # Then
    assert answer.status_code == 413


def test_where_the_store_fails_the_program_is_told(tmp_path: Path) -> None:
    # Given
    path = tmp_path / "store.sqlite"
    with connect_service(f"sqlite:///{path}") as service:
        with service.store.transaction() as connection:
            connection.exec_driver_sql("DROP TABLE connect_links")
        # When
        answer = call(service)
        # Then
        assert answer.status_code == 503
        assert answer.json()["error"].startswith("The store")


# By a command


def test_a_link_of_another_process_works_on_the_server(store_url: str) -> None:
    with connect_service(store_url) as service, Person(service) as person:
        # Given
        service.time.now = datetime.now(UTC).timestamp()
        made = connect(
            service, "link", "--account", "acme", "--target-origin", APP, "--expires-in", "3d",
            "--callback-message", "done", "--scopes", "user.read.all",
        )  # fmt: skip
        (url,) = made.stdout.splitlines()
        assert re.fullmatch(
            r"Expires at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ. "
            r"To take it back: cirqll connect revoke-link \w{16}\n",
            made.stderr,
        )
        # When
        end = person.consent(token_in(url))
        # Then
        assert title_of(end) == "The connection is made"
        assert service.account()


def test_links_are_listed_without_what_opens_them(service: Service) -> None:
    # Given
    service.time.now = datetime.now(UTC).timestamp()
    token = service.token(expires_in="3d", callback_message="hush")
    (link,) = service.links.living()
    # When
    result = connect(service, "links")
    # Then
    assert result.returncode == 0
    assert link.id in result.stdout
    assert "acme" in result.stdout
    assert token not in result.stdout
    assert "hush" not in result.stdout


def test_a_link_can_be_taken_back(service: Service) -> None:
    # Given
    service.time.now = datetime.now(UTC).timestamp()
    token = service.token()
    (link,) = service.links.living()
    # When
    results = [connect(service, "revoke-link", link.id) for _ in range(2)]
    # Then
    assert [one.returncode for one in results] == [0, 1]
    assert "There is no link with this id" in results[1].stderr
    with Person(service) as person:
        assert person.press(token).status_code == 403


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--target-origin", "https://app.example.com/path"), "nothing more"),
        (("--target-origin", APP, "--expires-in", "31d"), "at most 30d"),
        (("--target-origin", APP, "--public-url", "http://connect.example.com"), "with https"),
        (("--target-origin", APP, "--scopes", " "), "read-write"),
        ((), "--target-origin"),
    ],
)
def test_a_command_that_cannot_be_is_refused_in_a_sentence(
    service: Service, arguments: tuple[str, ...], words: str
) -> None:
    # When
    result = connect(service, "link", *arguments)
    # Then
    assert result.returncode in {1, 2}
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert service.links.living() == []


def test_making_a_link_needs_no_web_server(service: Service) -> None:
    # Given
    code = (
        "import sys; sys.modules['starlette'] = sys.modules['uvicorn'] = None;"
        "from cirqll_client.cli import main; main()"
    )
    variables = {
        "CIRQLL_STORE_URL": service.store_url,
        "CIRQLL_CONNECT_URL": "https://connect.example.com",
    }
    # When
    made, served = (
        subprocess.run(
            [sys.executable, "-c", code, "connect", *arguments],
            env={**os.environ, **variables}, capture_output=True, text=True, check=False,
        )
        for arguments in (("link", "--target-origin", APP), ("serve",))
    )  # fmt: skip
    # Then
    assert made.stdout.startswith("https://connect.example.com/connect#token=")
    assert "install tap-cirqll[connect]" in served.stderr


# What is kept


def test_a_token_is_kept_as_a_hash_and_seen_nowhere(service: Service) -> None:
    # When
    new = service.links.make(wish_of(account="acme", target_origins=[APP]))
    # Then
    (link,) = service.links.living()
    assert new.token not in repr(new)
    assert new.token not in repr(link)
    path = Path(service.store_url.removeprefix("sqlite:///"))
    for file in path.parent.iterdir():
        assert new.token.encode() not in file.read_bytes()


def test_links_that_are_long_over_are_removed(store_url: str) -> None:
    from cirqll_client.store import CONNECT_LINKS  # noqa: PLC0415

    with connect_service(store_url) as service:
        # Given
        service.token()
        with service.store.transaction() as connection:
            old = {"expires_at": CONNECT_LINKS.c.expires_at - 8 * 86_400}
            connection.execute(CONNECT_LINKS.update().values(old))
        # When
        service.token(account="beta")
        # Then
        with service.store.transaction() as connection:
            accounts = connection.execute(CONNECT_LINKS.select()).mappings().all()
        assert [row["account"] for row in accounts] == ["beta"]


def test_the_verifier_of_who_never_came_back_is_removed(service: Service) -> None:
    from cirqll_client.store import CONNECT_LINKS  # noqa: PLC0415

    # Given
    with Person(service) as person:
        person.press(service.token(expires_in="3d"))
    service.time.sleep(901)
    # When
    service.token(account="beta")
    # Then
    with service.store.transaction() as connection:
        rows = connection.execute(CONNECT_LINKS.select()).mappings().all()
    assert [row["secret"] for row in rows] == [None, None]


# Addresses


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("HTTPS://App.Example.com:443", "https://app.example.com"),
        ("https://app.example.com:0443", "https://app.example.com"),
        ("https://app.example.com:8443", "https://app.example.com:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[0:0::1]:80", "http://[::1]"),
        ("https://xn--caf-dma.example", "https://xn--caf-dma.example"),
    ],
)
def test_origins_are_read_as_browsers_write_them(text: str, origin: str) -> None:
    assert origin_of(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "*",
        "app.example.com",
        "//app.example.com",
        "https://",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com?query",
        "https://app.example.com#fragment",
        "https://user@app.example.com",
        "https://user:password@app.example.com",
        "https://app.example.com\\@evil.example",
        "https://app.example.com\n",
        "https://app.example.com\r\nSet-Cookie: a=b",
        " https://app.example.com",
        "https://app.exam\tple.com",
        "https://app..example.com",
        "https://-app.example.com",
        "https://app.example.com:",
        "https://app.example.com:0",
        "https://app.example.com:65536",
        "https://café.example",
        "https://[::g]",
        "https://[127.0.0.1",
        "http://app.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "javascript:alert(1)",
        "data:text/html,hi",
        "file:///etc/passwd",
        "https://app.example.com\u2028",
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(SettingInvalid, match="an origin and nothing more"):
        origin_of(text)


@pytest.mark.parametrize(
    ("text", "redirect_uri"),
    [
        ("https://connect.example.com", "https://connect.example.com/callback"),
        ("https://connect.example.com/", "https://connect.example.com/callback"),
        ("https://www.Example.com/Crm/link", "https://www.example.com/Crm/link/callback"),
        ("http://127.0.0.1:8766", "http://127.0.0.1:8766/callback"),
        ("http://[::1]:8766", "http://[::1]:8766/callback"),
    ],
)
def test_the_redirect_url_lies_below_the_public_url(text: str, redirect_uri: str) -> None:
    assert public_url_of(text).redirect_uri == redirect_uri


@pytest.mark.parametrize(
    "text",
    [
        "",
        "connect.example.com",
        "http://connect.example.com",
        "https://connect.example.com?a=b",
        "https://connect.example.com#a",
        "https://connect.example.com/..",
        "https://connect.example.com//a",
        'https://connect.example.com/"x',
        "https://user@connect.example.com",
        "ftp://connect.example.com",
    ],
)
def test_a_public_url_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(SettingInvalid, match=r"The public URL \(--public-url"):
        public_url_of(text)


def test_a_wish_has_defaults() -> None:
    assert wish_from_json(WISH) == LinkWish(
        account="acme",
        target_origins=(APP,),
        callback_message=None,
        seconds=300,
        scopes=read_scopes(),
    )
