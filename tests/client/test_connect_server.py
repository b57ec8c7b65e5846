"""The server: what every answer carries, what it refuses, what it logs, how it starts and ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from cirqll_client.connect_server import serving
from tests.client.connect_service import (
    APP,
    KEY,
    Person,
    connect_service,
    leads_to,
    title_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.client.connect_service import Service

COMMAND = [str(Path(sys.executable).with_name("cirqll")), "connect"]
PUBLIC = "https://www.example.com/crm"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def behind_proxy(sqlite_url: str) -> Iterator[Service]:
    """A running server that browsers reach by https, below a path."""
    with connect_service(sqlite_url, public_url=PUBLIC) as running:
        yield running


# Opening a link


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_the_page_uses_nothing_up(service: Service, person: Person, method: str) -> None:
    # Given
    token = service.token()
    # When
    pages = [person.session.request(method, f"{service.url}/connect") for _ in range(3)]
    # Then
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert person.consent(token).status_code == 200


def test_the_page_explains_and_has_one_button(service: Service, person: Person) -> None:
    # When
    page = person.get(f"{service.url}/connect")
    # Then
    assert title_of(page) == "Connect Cirqll"
    assert "Your password stays with Cirqll" in page.text
    assert re.search(r'<button [^>]*id="connect"[^>]*>Continue to Cirqll</button>', page.text)
    assert re.search(r"<noscript>.*needs JavaScript.*</noscript>", page.text, re.DOTALL)
    assert "history.replaceState" in page.text


# The callback


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}],
)
def test_a_page_fetched_early_takes_no_code(
    service: Service, person: Person, headers: dict[str, str]
) -> None:
    # Given
    url = person.decide(person.press(service.token()))
    # When
    early = person.get(url, headers=headers)
    # Then
    assert early.status_code == 503
    assert service.exchanges == 0
    assert title_of(person.get(url)) == "The connection is made"


def test_head_takes_no_code(service: Service, person: Person) -> None:
    # Given
    url = person.decide(person.press(service.token()))
    # When
    head = person.session.head(url)
    # Then
    assert (head.status_code, head.headers["Allow"]) == (405, "GET")
    assert title_of(person.get(url)) == "The connection is made"


# Every answer


def answers(service: Service, person: Person) -> Iterator[requests.Response]:
    """Answers of every kind."""
    url = f"{service.url}/connect"
    token = service.token()
    yield person.get(url)
    yield person.press("forged")
    yield person.press(token)
    yield person.get(f"{service.url}/callback?code=a&state=b")
    yield person.get(f"{service.url}/nothing")
    yield person.session.put(url)
    yield person.post(b"x" * 100_000, headers=FORM)
    yield person.session.post(f"{service.url}/links", json={})
    yield person.session.get(f"{service.url}/links")
    yield person.session.post(
        f"{service.url}/links",
        json={"account": "a", "target_origin": APP},
        headers={"Authorization": f"Bearer {KEY}"},
    )


def test_every_answer_is_safe(behind_proxy: Service) -> None:
    with Person(behind_proxy) as person:
        # When
        given = list(answers(behind_proxy, person))
        # Then
        statuses = [200, 403, 200, 400, 404, 405, 413, 401, 405, 201]
        assert [one.status_code for one in given] == statuses
        for answer in given:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert "Server" not in answer.headers


def test_each_page_has_a_nonce_of_its_own(service: Service, person: Person) -> None:
    # When
    pages = [person.get(f"{service.url}/connect") for _ in range(2)]
    # Then
    nonces = [set(re.findall(r'nonce="([^"]+)"', page.text)) for page in pages]
    assert len(nonces[0]) == len(nonces[1]) == 1
    assert nonces[0] != nonces[1]
    for page, (nonce,) in zip(pages, nonces, strict=True):
        assert f"script-src 'nonce-{nonce}'" in page.headers["Content-Security-Policy"]


def test_the_cookie_is_for_this_host_and_no_script(behind_proxy: Service) -> None:
    with Person(behind_proxy) as person:
        # When
        cookie = person.press(behind_proxy.token()).headers["Set-Cookie"]
        # Then
        assert re.fullmatch(
            r"__Host-cirqll-connect=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax; Max-Age=900; Secure",
            cookie,
        )


def test_a_refused_start_leaves_no_cookie(person: Person) -> None:
    assert "Set-Cookie" not in person.press("forged").headers


def test_a_cookie_that_we_never_made_is_not_kept(service: Service, person: Person) -> None:
    # When
    started = person.post(
        {"token": service.token()}, headers={"Cookie": "cirqll-connect=chosen-by-somebody"}
    )
    # Then
    assert "chosen" not in started.headers["Set-Cookie"]


@pytest.mark.parametrize("root", ["", "/crm"])
def test_a_proxy_may_leave_the_path_out_or_pass_it_on(behind_proxy: Service, root: str) -> None:
    with Person(behind_proxy) as person:
        # Given
        below = f"{behind_proxy.url}{root}"
        page = person.get(f"{below}/connect")
        assert 'action="/crm/connect"' in page.text
        started = person.session.post(
            f"{below}/connect", data={"token": behind_proxy.token()}, timeout=10
        )
        cookie = started.headers["Set-Cookie"].partition(";")[0]
        returning = person.decide(started)
        assert returning.startswith(f"{PUBLIC}/callback?")
        # When
        query = returning.partition("?")[2]
        end = person.get(f"{below}/callback?{query}", headers={"Cookie": cookie})
        # Then
        assert title_of(end) == "The connection is made"


def test_the_host_header_decides_nothing(service: Service, person: Person) -> None:
    # Given
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    broken = {"Host": "[evil"}
    # When
    answers = [
        person.get(f"{service.url}/nothing", headers=broken),
        person.get(f"{service.url}/connect", headers=forged),
        person.get(f"{service.url}/connect/", headers=forged),
        person.post({"token": service.token()}, headers=forged),
    ]
    # Then
    assert [one.status_code for one in answers] == [404, 200, 404, 200]
    for answer in answers:
        assert "evil" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/connect", {"GET", "HEAD", "POST"}),
        ("DELETE", "/connect", {"GET", "HEAD", "POST"}),
        ("OPTIONS", "/connect", {"GET", "HEAD", "POST"}),
        ("POST", "/callback", {"GET", "HEAD"}),
        ("GET", "/links", {"POST"}),
    ],
)
def test_other_methods_are_refused(
    service: Service, person: Person, method: str, path: str, allowed: set[str]
) -> None:
    # When
    answer = person.session.request(method, service.url + path)
    # Then
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed


# What is sent to it


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
        ({}, 200),
    ],
)
def test_the_form_of_another_site_begins_nothing(
    service: Service, person: Person, headers: dict[str, str], status: int
) -> None:
    # When
    page = person.post({"token": service.token()}, headers=headers)
    # Then
    assert page.status_code == status
    assert ("Refresh" in page.headers) is (status == 200)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"token=a", "application/json", 415),
        (b"token=a", "multipart/form-data; boundary=x", 415),
        (b"token=a", "", 415),
        (b"x" * 65_537, "application/x-www-form-urlencoded", 413),
        (b"x" * 3_000_000, "application/x-www-form-urlencoded", 413),
        (b"token=a&token=b", "application/x-www-form-urlencoded", 400),
        (b"token=\xff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % n for n in range(21)), "application/x-www-form-urlencoded", 400),
    ],
)
def test_odd_bodies_are_refused_with_a_page(
    person: Person, body: bytes, content_type: str, status: int
) -> None:
    # When
    page = person.post(body, headers={"Content-Type": content_type})
    # Then
    assert page.status_code == status
    assert title_of(page) == "That is not possible here"


def test_where_the_store_fails_people_are_told(tmp_path: Path) -> None:
    # Given
    with (
        connect_service(f"sqlite:///{tmp_path / 'store.sqlite'}") as service,
        Person(service) as person,
    ):
        with service.store.transaction() as connection:
            connection.exec_driver_sql("DROP TABLE connect_links")
        # When
        page = person.press("x" * 43)
        # Then
        assert (page.status_code, title_of(page)) == (503, "This does not work at the moment")


# What it logs


def test_the_log_has_method_path_and_status_and_no_secret(
    service: Service, person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    caplog.set_level("DEBUG")
    token = service.token()
    # When
    person.get(f"{service.url}/connect?token={token}")
    person.get(f"{service.url}/connect%23token={token}")
    url = person.decide(person.press(token))
    person.get(url)
    # Then
    lines = [one.getMessage() for one in caplog.records if one.name.endswith("request_log")]
    assert lines == [
        "GET /connect 200",
        "GET (another path) 404",
        "POST /connect 200",
        "GET /callback 200",
    ]
    ours = "\n".join(
        one.getMessage() for one in caplog.records if one.name.startswith("cirqll_client")
    )
    account = service.account()
    assert account is not None
    assert account.pair is not None
    cookie = person.session.cookies["cirqll-connect"]
    code = url.partition("code=")[2].partition("&")[0]
    for secret in (token, cookie, code, *account.pair.secrets()):
        assert secret not in ours


def test_a_mistake_of_ours_is_a_page_and_a_line_without_its_words(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    def broken(_: object) -> tuple[str, ...]:
        message = "hush"
        raise KeyError(message)

    with connect_service(sqlite_url, offered=broken) as service, Person(service) as person:
        # When
        page = person.press(service.token())
        # Then
        assert (page.status_code, title_of(page)) == (500, "This does not work at the moment")
        assert "A mistake of this program: KeyError in broken" in caplog.text
        assert "hush" not in caplog.text


def test_only_scopes_that_cirqll_has_are_asked_for(sqlite_url: str) -> None:
    # Given
    def offered(scopes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(one for one in scopes if one.startswith("user"))

    with connect_service(sqlite_url, offered=offered) as service, Person(service) as person:
        # When
        started = person.press(service.token(scopes="user.read.all planet.read.all"))
        # Then
        assert "scope=user.read.all&" in f"{leads_to(started)}&"


# The command


@contextmanager
def serving_process(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """`cirqll connect serve` in a process of its own."""
    environment = {**os.environ, "CIRQLL_CLIENT_ID": "connect", **variables}
    with subprocess.Popen(
        [*COMMAND, "serve", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    """A port on which nobody listens."""
    with closing(serving.listen("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def patiently(url: str) -> requests.Response:
    """The answer of a server that is starting."""
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(200):
            try:
                return session.get(url, timeout=10)
            except requests.ConnectionError:
                time.sleep(0.05)
    pytest.fail("The server did not start.")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_serving_tells_what_to_register_and_ends_gracefully(
    sqlite_url: str, end: signal.Signals
) -> None:
    # Given
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    with serving_process(
        "--public-url", public, "--port", str(port),
        CIRQLL_STORE_URL=sqlite_url, CIRQLL_CONNECT_KEY=KEY,
    ) as process:  # fmt: skip
        # When
        assert patiently(f"{public}/callback?code=hush&state=hush").status_code == 400
        process.send_signal(end)
        out, log = process.communicate(timeout=20)
    # Then
    assert process.returncode == 0
    assert f"Redirect URL to register in Cirqll (Settings > Marketplace): {public}/callback" in out
    assert f"Links for programs: POST {public}/links." in out
    assert "GET /callback 400" in log
    assert "hush" not in out + log
    assert KEY not in out + log


def test_who_is_just_coming_back_is_answered_before_the_end(sqlite_url: str) -> None:
    # Given
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    with connect_service(sqlite_url, public_url=public) as service, Person(service) as person:
        service.time.now = time.time()
        with serving_process(
            "--public-url", public, "--port", str(port),
            CIRQLL_STORE_URL=sqlite_url, CIRQLL_API_URL=service.sandbox_url,
            CIRQLL_CLIENT_SECRET=service.sandbox.client.secret,
        ) as process:  # fmt: skip
            patiently(f"{public}/connect")
            service.url = public
            url = person.decide(person.press(service.token()))
            stop = service.sandbox.before_token_request(
                lambda _: process.send_signal(signal.SIGTERM)
            )
            # When
            end = person.get(url)
            stop()
            process.communicate(timeout=20)
        # Then
        assert title_of(end) == "The connection is made"
        assert process.returncode == 0
        assert service.account()


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        ((), {}, "give --public-url, or set CIRQLL_CONNECT_URL"),
        (("--public-url", "http://connect.example.com"), {}, "with https"),
        ((), {"CIRQLL_CONNECT_URL": PUBLIC, "CIRQLL_CLIENT_ID": ""}, "CIRQLL_CLIENT_ID"),
        ((), {"CIRQLL_CONNECT_URL": PUBLIC, "CIRQLL_CONNECT_KEY": "short-key"}, "at least 32"),
        (("--host", "256.0.0.1"), {"CIRQLL_CONNECT_URL": PUBLIC}, "cannot listen on 256.0.0.1"),
        ((), {"CIRQLL_CONNECT_URL": PUBLIC, "CIRQLL_STORE_KEY": "no key"}, "CIRQLL_STORE_KEY"),
    ],
)
def test_what_cannot_be_served_is_told_in_a_sentence(
    sqlite_url: str, arguments: tuple[str, ...], variables: dict[str, Any], words: str
) -> None:
    # When
    with serving_process(
        *arguments, "--port", str(free_port()), **{"CIRQLL_STORE_URL": sqlite_url, **variables}
    ) as process:
        _, log = process.communicate(timeout=20)
    # Then
    assert process.returncode == 1
    assert words in log
    assert "short-key" not in log
    assert "Traceback" not in log


def test_a_port_that_is_taken_is_told(sqlite_url: str) -> None:
    # Given
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        # When
        with serving_process(
            "--public-url", PUBLIC, "--port", port, CIRQLL_STORE_URL=sqlite_url
        ) as process:
            _, log = process.communicate(timeout=20)
    # Then
    assert process.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in log


def test_a_page_that_leads_on_says_where(service: Service, person: Person) -> None:
    # When
    started = person.press(service.token())
    # Then
    url = leads_to(started)
    assert url.startswith(f"{service.sandbox_url}/oauth/authorize?")
    assert f'href="{url.replace("&", "&amp;")}"' in started.text


def test_help_names_what_there_is() -> None:
    # When
    texts = [
        subprocess.run(
            [*COMMAND, *one, "--help"], capture_output=True, text=True, check=True
        ).stdout
        for one in ((), ("serve",), ("link",))
    ]
    # Then
    assert re.findall(r"^  ([a-z-]+)  ", texts[0], re.MULTILINE) == [
        "link",
        "links",
        "revoke-link",
        "serve",
    ]
    assert re.findall(r"^  (?:-h, )?(--[a-z-]+)", texts[1], re.MULTILINE) == [
        "--public-url",
        "--host",
        "--port",
        "--api-url",
        "--help",
    ]
    assert re.findall(r"^  (?:-h, )?(--[a-z-]+)", texts[2], re.MULTILINE) == [
        "--target-origin",
        "--callback-message",
        "--expires-in",
        "--scopes",
        "--public-url",
        "--account",
        "--api-url",
        "--help",
    ]
