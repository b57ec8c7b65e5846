"""The command ``cirqll login``, as a process, against the sandbox's pages."""

from __future__ import annotations

import os
import pty
import re
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from cirqll_client.scopes import read_scopes, read_write_scopes
from cirqll_sandbox import Behaviour, Sandbox
from tests.client.login_stage import (
    ADDRESS,
    COMMAND,
    PATIENCE_SECONDS,
    Stage,
    asked_scopes,
    catalog_of,
    command_lines,
    parameters,
)
from tests.client.raw_server import answer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

TRANSCRIPT = """\
Sign in to Cirqll in your browser. If none opens, open this on this machine:

  ADDRESS

The redirect URL http://127.0.0.1:PORT/callback
must be registered with the client in Cirqll under Settings > Marketplace.
Waiting for 5 minutes; Ctrl-C stops.

Signed in as Sandbox of Sandbox B.V.

Account    default
Scopes     read everything
Lasts      runs renew the tokens; if none runs until DAY, sign in again
Tokens in  STORE (readable by its owner only, not encrypted)

Next: `cirqll whoami`, or a run such as `meltano run cirqll-to-postgres`.
"""
OTHER_KEY = "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItMTI="
KEY = "c29tZS1zb21lLXNvbWUtc29tZS1zb21lLXNvbWUtMTI="


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=0))
    with sandbox.running() as url:
        stage = Stage(sandbox, url, tmp_path)
        yield stage
        stage.close()


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def free_port() -> int:
    with taken_port() as port:
        return port


def test_a_sign_in_opens_the_browser_and_tells_what_came_of_it(stage: Stage) -> None:
    # Given a browser in which somebody allows the access
    page = stage.folder / "page.html"
    script = stage.folder / "consenting"
    own = Path(__file__).with_name("consenting_browser.py")
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {own} {page} "$1" >/dev/null\n')
    script.chmod(0o700)
    # When
    ended = stage.run(BROWSER=str(script))
    # Then
    said = ADDRESS.sub("  ADDRESS", ended.stdout).replace(str(stage.store), "STORE")
    said = re.sub(r":\d+/callback", ":PORT/callback", re.sub(r"\d{4}-\d\d-\d\d", "DAY", said))
    assert (ended.exit_code, said, ended.stderr) == (0, TRANSCRIPT, "")
    shown = page.read_text(encoding="utf-8")
    assert "<h1>You are signed in</h1>" in shown
    assert "<dd>Sandbox B.V.</dd>" in shown
    assert "history.replaceState(null, '', location.pathname);" in shown
    account = stage.account()
    assert account is not None
    assert account.signed_in_as == "Sandbox of Sandbox B.V."
    assert account.pair is not None
    assert len(account.pair.secrets()) == 2


def test_the_address_is_printed_and_opened_and_asks_for_all_that_can_be_read(stage: Stage) -> None:
    # When
    running = stage.start()
    address = running.address()
    stage.person.sign_in(address)
    # Then
    assert running.end().exit_code == 0
    assert stage.opened == [address]
    assert asked_scopes(address) == set(read_scopes())
    assert address.startswith(f"{stage.url}/oauth/authorize?")


def test_without_a_browser_it_says_so_and_waits_for_one(stage: Stage) -> None:
    # Given a machine with nothing but a browser that would take the terminal
    programs = stage.folder / "programs"
    programs.mkdir()
    (programs / "www-browser").symlink_to(stage.folder / "browser")
    running = stage.start(BROWSER=None, TERM="xterm", PATH=f"{programs}:{os.environ['PATH']}")
    # When
    running.wait_for("No browser could be opened here.", in_stderr=True)
    page = stage.person.sign_in(running.address())
    # Then
    assert page.status_code == 200
    assert running.end().exit_code == 0
    assert stage.opened == []


def test_a_sign_in_is_good_also_if_cirqll_does_not_say_whose(stage: Stage) -> None:
    # Given
    stage.sandbox.faults.add("404", path="/auth/me")
    running = stage.start()
    # When
    page = stage.person.sign_in(running.address())
    # Then
    ended = running.end()
    assert ended.exit_code == 0
    assert "Signed in; Cirqll did not say who.\n" in ended.stdout
    assert "<h1>You are signed in</h1>" in page.text
    assert stage.account() is not None


def test_the_page_waits_until_the_tokens_are_saved(stage: Stage) -> None:
    # Given a token service that takes its time
    stage.sandbox.faults.add("slow", seconds=0.5, path="/oauth/token")
    running = stage.start()
    # When
    page = stage.person.sign_in(running.address())
    # Then
    assert "The tokens are saved" in page.text
    assert stage.account() is not None
    running.end()


def test_what_was_not_granted_is_named(stage: Stage) -> None:
    # Given somebody who may not give everything
    withheld = tuple(one for one in read_scopes() if not one.startswith(("user.", "customer.")))
    stage.behave(withheld_scopes=withheld)
    running = stage.start("--scopes", "read")
    # When
    stage.person.sign_in(running.address())
    # Then
    said = running.end().stdout
    assert "Scopes       read user, customer" in said
    assert f"Not granted  {', '.join(withheld)}\n" in said


def test_scopes_that_cirqll_does_not_tell_are_not_made_up(stage: Stage) -> None:
    # Given
    stage.behave(access_tokens="opaque")
    running = stage.start()
    # When
    stage.person.sign_in(running.address())
    # Then
    assert "Scopes     not told by Cirqll; 16 were asked for" in running.end().stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--scopes", "read"], set(read_scopes())),
        (["--scopes", "read-write"], set(read_write_scopes())),
        (["--scopes", "customer.read.all, note.create.all"],
         {"customer.read.all", "note.create.all"}),
        (["--catalog", "catalog.json"], {"customer.read.all", "user.read.all"}),
    ],
)  # fmt: skip
def test_scopes_are_chosen(stage: Stage, arguments: list[str], expected: set[str]) -> None:
    # Given
    (stage.work / "catalog.json").write_text(catalog_of("customers"), encoding="utf-8")
    # When
    running = stage.start(*arguments)
    # Then
    assert asked_scopes(running.address()) == expected


def test_scopes_that_cirqll_does_not_have_are_left_out_and_named(stage: Stage) -> None:
    # Given
    known = '{"data": [{"id": "customer.read.all"}, {"id": "user.read.all"}, {"id": 7}, null]}'
    with serving(answer(200, known)) as service:
        # When
        running = stage.start(
            "--scopes", "customer.read.all todo.read.all", CIRQLL_SCOPES_URL=service.url
        )
        address = running.address()
    # Then
    assert asked_scopes(address) == {"customer.read.all"}
    assert (
        "Cirqll does not have these scopes, so they are not asked for: todo.read.all.\n"
        in running.said
    )


def test_a_list_of_scopes_that_is_not_there_is_passed_over(stage: Stage) -> None:
    # Given
    stage.sandbox.faults.add("404", path="/oauth/scopes")
    # When
    running = stage.start()
    # Then
    assert asked_scopes(running.address()) == set(read_scopes())


def test_a_list_of_scopes_is_waited_for_a_few_seconds_at_most(stage: Stage) -> None:
    # Given
    def silence(connection: socket.socket) -> None:
        connection.recv(1)

    with serving(silence) as service:
        began = time.monotonic()
        # When
        running = stage.start(CIRQLL_SCOPES_URL=service.url)
        running.address()
        # Then
        assert 3 < time.monotonic() - began < 12
        running.close()


def test_denial_is_said_in_both_places(stage: Stage) -> None:
    # Given
    running = stage.start()
    # When
    page = stage.person.sign_in(running.address(), "deny")
    # Then
    ended = running.end()
    assert ended.exit_code == 1
    assert ended.stderr.startswith("Error: Access was denied on Cirqll's page")
    assert "The redirect URL was" not in ended.stderr
    assert page.status_code == 400
    assert "<h1>Access was denied</h1>" in page.text
    assert stage.account() is None
    assert stage.sandbox.token_requests == ()


def test_a_wrong_state_ends_nothing(stage: Stage) -> None:
    # Given
    running = stage.start()
    back = stage.person.decide(running.address())
    stranger = re.sub(r"state=[^&]+", "state=somebody-elses", back)
    # When
    pages = [stage.person.go(url) for url in (stranger, stranger, back.partition("?")[0])]
    running.wait_for("still waiting for this one", in_stderr=True)
    # Then
    assert {page.status_code for page in pages} == {400}
    assert "<h1>This is not the sign-in that was started</h1>" in pages[0].text
    assert stage.sandbox.token_requests == ()
    assert stage.person.go(back).status_code == 200
    ended = running.end()
    assert ended.exit_code == 0
    assert ended.stderr.count("still waiting") == 1


def test_the_wait_ends(stage: Stage) -> None:
    # When
    ended = stage.run("--timeout", "0.3")
    # Then
    assert ended.exit_code == 1
    assert "Error: No browser came back within 0.3 seconds, so nothing was signed in." in (
        ended.stderr
    )
    assert re.search(
        r"http://127\.0\.0\.1:\d+/callback is registered as a redirect URL with the client in "
        r"Cirqll under Settings > Marketplace",
        ended.stderr,
    )


def test_a_busy_port_is_named_with_the_way_out(stage: Stage) -> None:
    # Given
    with taken_port() as port:
        # When
        ended = stage.run(port=port)
    # Then
    assert ended.exit_code == 1
    assert f"Port {port} of this machine is in use" in ended.stderr
    assert "--port" in ended.stderr
    assert stage.opened == []


def test_a_port_is_chosen(stage: Stage) -> None:
    # Given
    port = free_port()
    running = stage.start(port=port)
    # When
    stage.person.sign_in(running.address())
    # Then
    assert f"The redirect URL http://127.0.0.1:{port}/callback\n" in running.end().stdout


def test_only_loopback_is_listened_on(stage: Stage) -> None:
    # Given
    running = stage.start()
    port = urlsplit(parameters(running.address())["redirect_uri"]).port
    # When
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    # Then
    own = re.findall(rf" ([0-9A-F]+):{port:04X} [0-9A-F]+:0000 0A ", listening)
    assert own == ["0100007F"]


def test_an_expired_code_is_said_in_both_places(stage: Stage) -> None:
    # Given
    running = stage.start()
    back = stage.person.decide(running.address())
    stage.sandbox.clock.move(601)
    # When
    page = stage.person.go(back)
    # Then
    ended = running.end()
    assert ended.exit_code == 1
    assert "it is older than ten minutes" in ended.stderr
    assert "<h1>The code is no longer good</h1>" in page.text
    assert stage.account() is None


def test_a_reload_gets_the_page_again_and_exchanges_nothing(stage: Stage) -> None:
    # Given a browser that asks twice while the tokens are being taken
    stage.sandbox.faults.add("slow", seconds=0.5, path="/oauth/token")
    running = stage.start()
    back = stage.person.decide(running.address())
    # When
    with ThreadPoolExecutor() as threads:
        pages = list(threads.map(stage.person.go, [back, back, back]))
    # Then
    assert running.end().exit_code == 0
    assert {page.status_code for page in pages} == {200}
    assert len(stage.sandbox.token_requests) == 1


def test_a_wrong_secret_is_said_and_nothing_saved(stage: Stage) -> None:
    # Given
    running = stage.start(CIRQLL_CLIENT_SECRET="another-secret-altogether")
    # When
    page = stage.person.sign_in(running.address())
    # Then
    ended = running.end()
    assert ended.exit_code == 1
    assert "check the settings client_id and client_secret" in ended.stderr
    assert "another-secret-altogether" not in ended.stderr + page.text
    assert "<h1>Signing in did not work</h1>" in page.text
    assert stage.account() is None


def test_a_refusal_names_the_redirect_url(stage: Stage) -> None:
    # Given a service that refuses the request
    stage.behave(pkce="refused")
    running = stage.start()
    # When
    stage.person.sign_in(running.address())
    # Then
    ended = running.end()
    assert "Cirqll refused the sign-in" in ended.stderr
    assert re.search(
        r"The redirect URL was http://127\.0\.0\.1:\d+/callback\. If this service refuses PKCE, "
        r"CIRQLL_PKCE=false switches it off\.\n$",
        ended.stderr,
    )


def test_another_company_is_refused_unless_it_may_replace(stage: Stage) -> None:
    # Given
    other = stage.sandbox.add_account("Noor de Boer", company="Andere Zaak B.V.")
    first = stage.start()
    stage.person.sign_in(first.address())
    first.end()
    before = stage.account()
    # When
    refused = stage.start()
    page = stage.person.sign_in(refused.address(), user=str(other.user_id))
    # Then
    ended = refused.end()
    assert ended.exit_code == 1
    assert ended.stderr.endswith("`--replace` lets it take over this account.\n")
    assert "<h1>This is another company</h1>" in page.text
    assert stage.account() == before
    # And
    allowed = stage.start("--replace")
    stage.person.sign_in(allowed.address(), user=str(other.user_id))
    assert "Signed in as Noor de Boer of Andere Zaak B.V." in allowed.end().stdout
    after = stage.account()
    assert after is not None
    assert after.signed_in_as == "Noor de Boer of Andere Zaak B.V."


def test_accounts_lie_side_by_side(stage: Stage) -> None:
    # When
    running = stage.start("--account", "acme b.v.")
    stage.person.sign_in(running.address())
    # Then
    said = running.end().stdout
    assert "Account    acme b.v.\n" in said
    assert (
        "Next: `cirqll whoami --account 'acme b.v.'`, or a run such as "
        "`meltano run --state-id-suffix 'acme b.v.' cirqll-to-postgres` with "
        "CIRQLL_ACCOUNT='acme b.v.'.\n"
    ) in said
    assert stage.account("acme b.v.") is not None
    assert stage.account() is None


def test_ctrl_c_ends_it_quietly(stage: Stage) -> None:
    # Given
    running = stage.start()
    running.address()
    # When
    running.interrupt()
    # Then
    ended = running.end()
    assert (ended.exit_code, ended.stderr) == (130, "")
    assert stage.account() is None


def test_ctrl_c_while_the_tokens_are_taken_tells_the_browser(stage: Stage) -> None:
    # Given
    stage.sandbox.faults.add("slow", seconds=3, path="/oauth/token")
    running = stage.start()
    back = stage.person.decide(running.address())
    with ThreadPoolExecutor() as threads:
        page = threads.submit(stage.person.go, back)
        while not stage.sandbox.token_requests:
            time.sleep(0.02)
        # When
        running.interrupt()
        # Then
        assert "<h1>The sign-in was stopped</h1>" in page.result().text
    assert running.end().exit_code == 130
    assert stage.account() is None


def test_settings_come_from_the_file_env(stage: Stage) -> None:
    # Given
    names = ("CIRQLL_API_URL", "CIRQLL_CLIENT_ID", "CIRQLL_CLIENT_SECRET")
    lines = [f"{name}={stage.environment[name]}" for name in names]
    (stage.work / ".env").write_text("\n".join(lines), encoding="utf-8")
    # When
    running = stage.start(**dict.fromkeys(names))
    stage.person.sign_in(running.address())
    # Then
    assert running.end().exit_code == 0
    assert stage.account() is not None


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_a_token_in_the_settings_is_noted_since_runs_would_use_it(stage: Stage, name: str) -> None:
    # Given
    running = stage.start(port=0, **{f"CIRQLL_{name.upper()}": "a-token-from-long-ago"})
    # When
    stage.person.sign_in(running.address())
    # Then
    ended = running.end()
    assert ended.stderr == (
        f"Note: the setting {name} is set, so runs and `cirqll whoami` use that token and not "
        f"those of the store: remove CIRQLL_{name.upper()} (or TAP_CIRQLL_{name.upper()}) from the "
        "environment and from .env.\n"
    )


def test_no_secret_is_seen_anywhere(stage: Stage) -> None:
    # Given a sign-in on its way
    stage.sandbox.faults.add("slow", seconds=0.7, path="/oauth/token")
    running = stage.start()
    address = running.address()
    waiting = command_lines()
    back = stage.person.decide(address)
    # When
    with ThreadPoolExecutor() as threads:
        page = threads.submit(stage.person.go, back)
        while not stage.sandbox.token_requests:
            time.sleep(0.02)
        exchanging = command_lines()
        shown = page.result()
    ended = running.end()
    # Then
    account = stage.account()
    assert account is not None
    assert account.pair is not None
    code = parameters(back)["code"]
    secrets = [stage.sandbox.client.secret, code, *account.pair.secrets()]
    places = [waiting, exchanging, shown.text, str(shown.headers), ended.stdout, ended.stderr]
    assert [one for one in secrets for place in places if one in place] == []
    assert COMMAND in exchanging
    assert stat.S_IMODE(stage.store.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"CIRQLL_CLIENT_ID": None}, "Signing in takes the OAuth client"),
        ({"CIRQLL_API_URL": "http://api.cirqll.example"}, "must be a URL with https"),
        ({"CIRQLL_AUTHORIZE_URL": "http://api.cirqll.example/a"}, "authorize_url must be a URL"),
        ({"CIRQLL_STORE_KEY": "short"}, "CIRQLL_STORE_KEY is no key"),
        ({"CIRQLL_STORE_URL": "nonsense"}, "The setting store_url is not a database URL"),
        ({"CIRQLL_SCOPES_URL": "nonsense"}, "The setting scopes_url"),
        ({"CIRQLL_REDIRECT_URI": "nonsense"}, "The setting redirect_uri is not a URL"),
    ],
)
def test_what_cannot_work_is_refused_before_a_browser_opens(
    stage: Stage, environment: dict[str, str | None], sentence: str
) -> None:
    # When
    ended = stage.run(**environment)
    # Then
    assert ended.exit_code == 1
    assert ended.stderr.startswith("Error: ")
    assert ended.stderr.count("\n") == 1
    assert sentence in ended.stderr
    assert (ended.stdout, stage.opened) == ("", [])


def test_tokens_of_another_key_are_not_written_over(stage: Stage) -> None:
    # Given
    running = stage.start(CIRQLL_STORE_KEY=KEY)
    stage.person.sign_in(running.address())
    assert "(readable by its owner only, encrypted)" in running.end().stdout
    # When
    ended = stage.run(CIRQLL_STORE_KEY=OTHER_KEY)
    # Then
    assert ended.exit_code == 1
    assert "holds another key" in ended.stderr
    assert len(stage.opened) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--scopes", "read", "--catalog", "c.json"], "--scopes and --catalog both say"),
        (["--no-browser", "--port", "0"], "there is no free port to take"),
        (["--timeout", "0"], "0.0 is not in the range"),
    ],
)
def test_options_that_contradict_are_refused(
    stage: Stage, arguments: list[str], sentence: str
) -> None:
    # When
    ended = stage.run(*arguments, port=None)
    # Then
    assert ended.exit_code == 2
    assert sentence in ended.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "The catalog c.json cannot be read: No such file or directory."),
        ("{", "The catalog c.json cannot be read: it is not JSON."),
        ("[]", "The catalog c.json cannot be read: it is not an object with streams."),
        ("{}", "The catalog selects no stream of tap-cirqll"),
    ],
)
def test_a_catalog_that_is_none_is_refused(stage: Stage, content: str | None, reason: str) -> None:
    # Given
    if content is not None:
        (stage.work / "c.json").write_text(content, encoding="utf-8")
    # When
    ended = stage.run("--catalog", "c.json")
    # Then
    assert ended.exit_code == 1
    assert reason in ended.stderr


@pytest.mark.parametrize("scopes", ["", " , ", 'customer.read.all "quoted"'])
def test_scopes_that_are_none_are_refused(stage: Stage, scopes: str) -> None:
    # When
    ended = stage.run("--scopes", scopes)
    # Then
    assert ended.exit_code == 1
    assert "Error: The scopes must be read, read-write, or names with spaces" in ended.stderr


# The address pasted


def test_the_address_may_be_pasted(stage: Stage) -> None:
    # Given
    running = stage.start("--no-browser", port=None)
    address = running.address()
    # When
    running.type(stage.person.decide(address))
    # Then
    ended = running.end()
    assert ended.exit_code == 0, ended
    assert parameters(address)["redirect_uri"] == "http://127.0.0.1:8910/callback"
    assert "The redirect URL http://127.0.0.1:8910/callback\n" in ended.stdout
    assert "Signed in as Sandbox of Sandbox B.V.\n" in ended.stdout
    assert stage.opened == []


def test_what_is_no_such_address_gets_a_sentence_and_another_chance(stage: Stage) -> None:
    # Given
    running = stage.start("--no-browser", port=8999)
    address = running.address()
    back = stage.person.decide(address)
    assert back.startswith("http://127.0.0.1:8999/callback?")
    code = parameters(back)["code"]
    stranger = back.replace("state=", "state=not-")
    # When
    running.type("", code, "hello there", "http://127.0.0.1:8999/callback", address)
    running.type(stranger, "http://[?code=1", f'  "{back}#" ')
    # Then
    ended = running.end()
    assert ended.exit_code == 0, ended
    assert [line[:40] for line in ended.stderr.splitlines() if line] == [
        "This looks like the code alone. The stat",
        "This is not the address that the browser",
        "This is not the address that the browser",
        "This is the address to open. Paste the o",
        "This address belongs to another sign-in ",
        "This address belongs to another sign-in ",
    ]
    assert "must be checked" in ended.stderr
    assert len(stage.sandbox.token_requests) == 1


def test_nothing_pasted_is_said(stage: Stage) -> None:
    # When
    ended = stage.run("--no-browser", port=None)
    # Then
    assert ended.exit_code == 1
    assert ended.stderr == (
        "Error: No address was pasted, so nothing was signed in. Run the command again when you "
        "have it.\n"
    )


def test_bytes_that_are_no_text_are_no_address(stage: Stage) -> None:
    # Given
    running = stage.start("--no-browser", port=None)
    back = stage.person.decide(running.address())
    # When
    assert running.process.stdin
    running.process.stdin.write(b"\xff\xfe?code=1&state=\xff\n")
    running.type(back)
    # Then
    assert running.end().exit_code == 0


def test_a_pasted_denial_is_a_denial(stage: Stage) -> None:
    # Given
    running = stage.start("--no-browser", port=None)
    # When
    running.type(stage.person.decide(running.address(), "deny"))
    # Then
    ended = running.end()
    assert ended.exit_code == 1
    assert "Access was denied" in ended.stderr


def test_a_terminal_takes_an_address_that_is_longer_than_its_lines(stage: Stage) -> None:
    # Given a code as long as many scopes make it
    master, slave = pty.openpty()
    with subprocess.Popen(
        [COMMAND, "login", "--no-browser"],
        cwd=stage.work, env={**stage.environment, "TERM": "xterm"},
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(slave)
        said = _read_until(master, "Address: ")
        found = re.search(r"  (http\S+)\r\n", said)
        assert found
        back = stage.person.decide(found[1])
        # When
        os.write(master, f"{back.replace('?', '?padding=' + 'x' * 5000 + '&')}\r".encode())
        # Then
        assert "Signed in as Sandbox of Sandbox B.V." in _read_until(master, "Next: ")
        assert process.wait(PATIENCE_SECONDS) == 0
    os.close(master)


def _read_until(terminal: int, text: str) -> str:
    said = ""
    with suppress(OSError):
        while text not in said:
            said += os.read(terminal, 65536).decode(errors="replace")
    return said


# The redirect URL of the settings


def test_a_redirect_url_elsewhere_needs_the_pasted_address(stage: Stage) -> None:
    # Given
    own = "https://pijplijn.example/terug"
    stage.sandbox.add_client(stage.sandbox.client.id, redirect_uris=[own])
    # When
    ended = stage.run(port=None, CIRQLL_REDIRECT_URI=own)
    # Then
    assert ended.exit_code == 1
    assert "Use --no-browser" in ended.stderr
    # And
    running = stage.start("--no-browser", port=None, CIRQLL_REDIRECT_URI=own)
    back = stage.person.decide(running.address())
    assert back.startswith(f"{own}?")
    running.type(back)
    assert running.end().exit_code == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_url_on_this_machine_is_listened_at(stage: Stage, host: str) -> None:
    # Given
    own = f"http://{host}:{free_port()}/oauth/callback"
    running = stage.start(port=None, CIRQLL_REDIRECT_URI=own)
    address = running.address()
    # When
    stage.person.sign_in(address)
    # Then
    assert parameters(address)["redirect_uri"] == own
    assert running.end().exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "own", "sentence"),
    [
        (["--port", "8999"], "http://127.0.0.1:8910/callback", "names port 8910, and --port names"),
        (["--no-browser", "--port", "8999"], "https://a.example/b", "give one of them"),
        ([], "https://127.0.0.1:8910/callback", "Use --no-browser"),
        ([], "http://[::1]:8910/callback", "Use --no-browser"),
        ([], "http://127.0.0.1:99999/callback", "is not a URL to which a browser can be sent"),
        (["--no-browser"], "urn:ietf:wg:oauth:2.0:oob", "is not a URL to which a browser"),
    ],
)
def test_a_redirect_url_that_cannot_work_is_refused(
    stage: Stage, arguments: list[str], own: str, sentence: str
) -> None:
    # When
    ended = stage.run(*arguments, port=None, CIRQLL_REDIRECT_URI=own)
    # Then
    assert ended.exit_code == 1
    assert sentence in ended.stderr


def test_names_from_cirqll_cannot_write_over_the_screen(stage: Stage) -> None:
    # Given
    other = stage.sandbox.add_account("Eva\x1b[2J\r\x07", company="Zaak\u202e B.V.")
    running = stage.start()
    # When
    stage.person.sign_in(running.address(), user=str(other.user_id))
    # Then
    assert "Signed in as Eva" in running.end().stdout


def test_reasons_from_cirqll_cannot_write_over_the_screen(stage: Stage) -> None:
    # Given
    running = stage.start()
    back = stage.person.decide(running.address(), "deny")
    odd = back.replace("error=access_denied", "error=server_error")
    # When
    odd = re.sub("error_description=[^&]*", "error_description=Leeg%1b[2J%0a%07%e2%80%ae", odd)
    page = stage.person.go(f"{odd}&x=<script>")
    # Then
    assert "Leeg" in running.end().stderr
    assert "\x1b" not in page.text


def test_a_terminal_without_these_letters_stops_nothing(stage: Stage) -> None:
    # Given
    other = stage.sandbox.add_account("Łucja", company="Zaak B.V.")
    running = stage.start(PYTHONUTF8=None, PYTHONIOENCODING="latin-1")
    # When
    stage.person.sign_in(running.address(), user=str(other.user_id))
    # Then
    assert "Signed in as ?ucja of Zaak B.V." in running.end().stdout


def test_help_says_what_it_takes_with_examples() -> None:
    # When
    shown = subprocess.run([COMMAND, "login", "--help"], capture_output=True, text=True, check=True)
    # Then
    for words in (
        "Settings > Marketplace",
        "    http://127.0.0.1:8910/callback\n",
        "    cirqll login --no-browser  ",
        "CIRQLL_REDIRECT_URI",
    ):
        assert words in shown.stdout
    assert "--client-secret" not in shown.stdout
