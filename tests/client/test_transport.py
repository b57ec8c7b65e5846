"""One request out, one answer in, and every failure by its name."""

from __future__ import annotations

import gzip
import socket
import ssl
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from cirqll_client.authentication import StaticToken
from cirqll_client.errors import SettingInvalid
from cirqll_client.retry import Failure, TryAgain
from cirqll_client.transport import Transport
from cirqll_sandbox import Sandbox
from tests.client.raw_server import PAGE, answer, serving

if TYPE_CHECKING:
    from tests.client.raw_server import Reply

TOKEN = "token-not-a-secret"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 50


def transport(url: str, timeout: float = 5) -> Transport:
    return Transport(
        url, below="/api", setting="api_url", timeout_seconds=timeout, user_agent="test"
    )


def failure(url: str, timeout: float = 5) -> Failure:
    """Why a request came to nothing."""
    with closing(transport(url, timeout)) as one, pytest.raises(TryAgain) as caught:
        one.send("GET", "/customer")
    return caught.value.failure


def was_sent(url: str, timeout: float = 5) -> bool:
    """Whether a body may have been seen by a server that gave no answer."""
    bodies: list[dict[str, Any]] = [{"form": {"a": "b"}}, {"json": b'{"a": "b"}'}]
    told = []
    for body in bodies:
        with closing(transport(url, timeout)) as one, pytest.raises(TryAgain) as caught:
            one.send("POST", **body)
        told.append(caught.value.failure.was_sent)
    assert told[0] == told[1]
    return told[0]


def sentence(url: str) -> str:
    """Why no request can ever come to anything."""
    with pytest.raises(SettingInvalid) as caught, closing(transport(url)) as one:
        one.send("GET", "/customer")
    assert caught.value.__context__ is None
    return caught.value.sentence


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def reset_in_the_body(connection: socket.socket) -> None:
    connection.sendall(HALF)
    time.sleep(0.05)
    reset(connection)


def stay_silent(connection: socket.socket) -> None:
    connection.recv(1)


def drip(connection: socket.socket) -> None:
    connection.sendall(HALF)
    for _ in range(50):
        time.sleep(0.1)
        connection.sendall(b"x")


def test_a_request_carries_the_token_and_asks_for_json() -> None:
    with serving(PAGE) as server, closing(transport(server.url)) as one:
        token = StaticToken(TOKEN).token()
        filtered = {"filter": 'name:eq:"a b"'}
        got = one.send("GET", "/customer", signature=token, parameters=filtered)
    assert (got.status, got.body[:8]) == (200, b'{"data":')
    lines = server.received[0].decode().split("\r\n")
    assert lines[0] == "GET /api/customer?filter=name:eq:%22a+b%22 HTTP/1.1"
    assert {f"Authorization: Bearer {TOKEN}", "Accept: application/json"} <= set(lines)


def test_a_form_is_posted_to_the_url_as_it_is() -> None:
    # Given a token URL, which may end as it likes
    with serving(answer(200, "{}")) as server:
        root = f"{server.url}/oauth/token/"
        with closing(
            Transport(root, setting="token_url", timeout_seconds=5, user_agent="test")
        ) as one:
            # When
            one.send("POST", form={"client_id": "é", "code": "a+b &="})
    # Then
    head, _, body = server.received[0].decode().partition("\r\n\r\n")
    assert head.startswith("POST /oauth/token/ HTTP/1.1\r\n")
    assert "Content-Type: application/x-www-form-urlencoded\r\n" in head
    assert "chunked" not in head
    assert body == "client_id=%C3%A9&code=a%2Bb+%26%3D"


def test_json_is_sent_as_it_is() -> None:
    text = '{"name": "\u00e9", "price": 12.50}'.encode()
    with serving(answer(201, "{}")) as server, closing(transport(server.url)) as one:
        assert one.send("POST", "/customer", json=text).status == 201
    head, _, body = server.received[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/customer HTTP/1.1\r\n")
    assert b"Content-Type: application/json\r\n" in head
    assert b"chunked" not in head
    assert body == text


def test_a_request_has_one_body() -> None:
    with closing(transport("http://127.0.0.1:1")) as one, pytest.raises(ValueError, match="one"):
        one.send("POST", form={}, json=b"{}")


def test_a_query_is_written_as_the_documentation_writes_it_and_read_back_whole() -> None:
    asked = {"filter": '(id:in:1;2;"a b",and,name:eq:"1+1 & é=%")', "show": "id,company.name"}
    with serving(PAGE) as server, closing(transport(server.url)) as one:
        one.send("GET", "/customer", parameters=asked)
    query = server.received[0].split()[1].decode().partition("?")[2]
    assert query == (
        "filter=(id:in:1;2;%22a+b%22,and,name:eq:%221%2B1+%26+%C3%A9%3D%25%22)&show=id,company.name"
    )
    assert dict(parse_qsl(query)) == asked


@pytest.mark.parametrize(
    "reply", [reset, reset_in_the_body, stay_silent, drip, lambda _connection: None]
)
def test_a_body_whose_answer_is_lost_was_sent(reply: Reply) -> None:
    with serving(reply) as server:
        assert was_sent(server.url, timeout=0.3)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://no-such-host.invalid"])
def test_a_body_was_not_sent_where_nobody_listens(url: str) -> None:
    assert not was_sent(url)


def test_a_body_was_not_sent_where_no_encrypted_connection_could_be_made() -> None:
    # Given a server that answers at once, and speaks no TLS
    with Sandbox(size=0).running() as url:
        # Then
        assert not was_sent(url.replace("http:", "https:"))


def test_a_body_was_not_sent_while_an_encrypted_connection_is_waited_for() -> None:
    # Given a server that takes connections and says nothing
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # Then
        assert not was_sent(f"https://127.0.0.1:{listening.getsockname()[1]}", timeout=0.2)


def test_a_body_was_not_sent_where_the_proxy_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with serving(answer(407, "")) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        assert not was_sent("https://cirqll.invalid")
    assert proxy.received[0].startswith(b"CONNECT cirqll.invalid:443 ")


def test_one_connection_serves_many_requests_whatever_their_status() -> None:
    error = answer(503, "busy")
    with serving(PAGE, error, PAGE) as server, closing(transport(server.url)) as one:
        statuses = [one.send("GET", "/customer").status for _ in range(5)]
    assert statuses == [200, 503, 200, 200, 200]
    assert server.connections == 1


def test_a_body_may_be_compressed_in_chunks_empty_or_large() -> None:
    body = gzip.compress(b"[1]" * 100_000)
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
    large = answer(200, b"x" * 3_000_000)
    replies = (head + chunks, answer(200, b""), large, answer(204, b""))
    with serving(*replies) as server, closing(transport(server.url)) as one:
        bodies = [one.send("GET", "/customer").body for _ in replies]
    assert [len(each) for each in bodies] == [300_000, 0, 3_000_000, 0]
    assert server.connections == 1


BROKE = "the connection broke"
BROKE_OFF = "the answer broke off"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        pytest.param(reset, BROKE, id="reset"),
        pytest.param(lambda _connection: None, BROKE, id="closed"),
        pytest.param(
            lambda connection: connection.sendall(b"nonsense\r\n\r\n"), BROKE, id="no HTTP"
        ),
        pytest.param(lambda connection: connection.sendall(HALF), BROKE_OFF, id="half"),
        pytest.param(reset_in_the_body, BROKE_OFF, id="reset in the body"),
        pytest.param(answer(200, b"no", "Content-Encoding: gzip"), BROKE_OFF, id="no gzip"),
    ],
)
def test_a_connection_that_breaks_may_be_tried_again(reply: Reply, words: str) -> None:
    with serving(reply) as server:
        assert failure(server.url) == Failure(words)


@pytest.mark.parametrize("reply", [stay_silent, drip])
def test_no_answer_is_waited_for_longer_than_the_timeout(reply: Reply) -> None:
    begin = time.monotonic()
    with serving(reply) as server:
        assert failure(server.url, timeout=0.3) == Failure(
            "no whole answer within request_timeout, 0.3 s"
        )
    assert time.monotonic() - begin < 2


def test_a_refused_connection_may_pass_and_a_host_that_is_none_may_be_a_setting() -> None:
    assert failure("http://127.0.0.1:1") == Failure("the connection was refused")
    assert failure("http://no-such-host.invalid") == Failure(
        "there is no host of that name", may_be_a_setting=True
    )


@pytest.mark.parametrize(
    "url",
    ["", "api.cirqll.nl", "ftp://host", "http://", "http://host:99999", "http://host:port",
     "http://[::1", "http://a b", "http://host?x=1", "http://host#x"],
)  # fmt: skip
def test_a_url_that_cannot_be_called_is_a_setting(url: str) -> None:
    shown = "" if set("?#") & set(url) else f" ({url.rstrip('/')})"
    assert sentence(url) == (
        f"The setting api_url{shown} is not a URL that can be called; write it like "
        "https://api.cirqll.nl, without user, password or parameters."
    )


@pytest.mark.parametrize("host", [".example.com", "a" * 64 + ".example.com", "*.example.com"])
def test_a_host_that_no_name_server_could_know_is_a_setting(host: str) -> None:
    assert sentence(f"http://{host}").startswith("The setting api_url (http")


def test_a_user_and_a_password_in_the_url_are_refused_and_not_repeated() -> None:
    assert "canary" not in sentence("https://user:canary@api.cirqll.nl")


def test_a_server_that_cannot_prove_who_it_is_gets_nothing() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
    with serving(PAGE, tls=tls) as server:
        assert sentence(server.url) == (
            f"The server at {server.url}/api could not prove who it is (its TLS certificate was "
            "refused), so nothing was sent; check the setting api_url, or REQUESTS_CA_BUNDLE "
            "behind a proxy."
        )
    assert not server.received


def test_a_certificate_that_the_environment_vouches_for_is_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pem = Path(__file__).with_name("self_signed.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with serving(PAGE, tls=tls) as server, closing(transport(server.url)) as one:
        assert one.send("GET", "/customer").status == 200


def test_a_bundle_of_certificates_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    assert sentence("https://127.0.0.1:1") == (
        "The file of certificates that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names cannot be read; "
        "correct or remove the variable."
    )


def test_a_server_that_speaks_no_tls_may_be_a_setting() -> None:
    with Sandbox(size=0).running() as url:
        assert failure(url.replace("http:", "https:")) == Failure(
            "no encrypted connection could be made", may_be_a_setting=True
        )


def test_a_netrc_file_does_not_take_the_place_of_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(PAGE) as server, closing(transport(server.url)) as one:
        one.send("GET", "/customer", signature=StaticToken(TOKEN).token())
    assert f"Authorization: Bearer {TOKEN}".encode() in server.received[0]


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with serving(PAGE) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//user:word@"))
        with closing(transport("http://cirqll.invalid")) as one:
            token = StaticToken(TOKEN).token()
            assert one.send("GET", "/customer", signature=token).status == 200
    lines = proxy.received[0].decode().split("\r\n")
    assert lines[0] == "GET http://cirqll.invalid/api/customer HTTP/1.1"
    assert {f"Authorization: Bearer {TOKEN}", "Proxy-Authorization: Basic dXNlcjp3b3Jk"} <= set(
        lines
    )


def test_a_proxy_that_is_not_there_may_be_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", "http://user:word@127.0.0.1:1")
    assert failure("http://cirqll.invalid") == Failure(
        "the proxy could not be reached", may_be_a_setting=True
    )


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "curly\u201dquote", " \n"])
def test_a_token_that_cannot_be_one_is_a_setting_and_is_not_repeated(token: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        StaticToken(token)
    assert caught.value.sentence == (
        "The setting access_token holds a space, a line break or another character that no token "
        "has; copy the token again and put it there alone."
    )


def test_a_token_that_was_pasted_with_a_line_break_behind_it_is_used_without() -> None:
    token = StaticToken(f"{TOKEN}\n").token()
    assert TOKEN not in repr(token)
    with serving(PAGE) as server, closing(transport(server.url)) as one:
        one.send("GET", "/customer", signature=token)
    assert f"Authorization: Bearer {TOKEN}\r\n".encode() in server.received[0]


def test_an_answer_that_is_longer_than_was_agreed_is_left() -> None:
    long = answer(200, "x" * 2000)
    with (
        serving(long, long) as server,
        closing(
            Transport(
                server.url, setting="x", timeout_seconds=5, most_bytes=1999, user_agent="test"
            )
        ) as one,
        pytest.raises(TryAgain) as caught,
    ):
        one.send("GET")
    assert caught.value.failure.words == "the answer is longer than any that is meant"
