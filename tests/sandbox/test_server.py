"""The sandbox starts and stops quickly, from Python and from the command line."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest
import requests
from click.testing import CliRunner

from cirqll_sandbox import LUCA, Behaviour, Sandbox
from cirqll_sandbox.changes import changed
from cirqll_sandbox.cli import sandbox as command
from cirqll_sandbox.faults import FAULT_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, "-m", "cirqll_sandbox"]


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """The command, running on a free port."""
    options = ["--port", "0", "--size", "0.01", "--rate-limit", "5", "--fault", "no-date"]
    with subprocess.Popen(
        [*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        yield running
        running.kill()


def test_it_stops_at_once_even_while_it_answers() -> None:
    sandbox = Sandbox(size=0)
    sandbox.faults.add("slow", seconds=30)
    with sandbox.running() as url:
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{url}/api/user", timeout=0.05)
        started = time.monotonic()
    assert time.monotonic() - started < 10
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/api/user", timeout=1)


@pytest.mark.parametrize("path", ["/oauth/token", "/api/user"])
def test_a_client_that_dies_in_the_middle_of_its_request_is_no_mistake(path: str) -> None:
    sandbox = Sandbox(size=0)
    with sandbox.running() as url:
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as dying:
            dying.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na".encode())
            time.sleep(0.05)
        assert requests.get(f"{url}/oauth/scopes", timeout=5).status_code == 200
    assert sandbox.requests + sandbox.token_requests == ()


def test_it_can_run_again_and_keeps_its_rows() -> None:
    sandbox = Sandbox(size=0)
    sandbox.rows("user").insert(name="a")
    for _ in range(2):
        with sandbox.running() as url:
            assert requests.get(f"{url}/_sandbox/", timeout=5).json()["rows"]["user"] == 1


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_tells_what_to_put_in_the_settings_and_stops_cleanly(
    process: subprocess.Popen[str], end: signal.Signals
) -> None:
    assert process.stdout
    told = ""
    while "Ctrl-C" not in told and (line := process.stdout.readline()):
        told += line
    (url,) = re.findall(r"  CIRQLL_API_URL=(http://127\.0\.0\.1:\d+)\n", told)
    (token,) = re.findall(r"  CIRQLL_ACCESS_TOKEN=(\S+-not-a-secret)\n", told)
    (id_,) = re.findall(r"  CIRQLL_CLIENT_ID=(\S+)\n", told)
    (secret,) = re.findall(r"  CIRQLL_CLIENT_SECRET=(\S+-not-a-secret)\n", told)
    ((changing, change),) = re.findall(r"curl -X PATCH (\S+) -d '(.*)'\n", told)

    answer = requests.get(
        f"{url}/api/customer", headers={"Authorization": f"Bearer {token}"}, timeout=5
    )
    assert (answer.status_code, answer.headers["X-RateLimit-Limit"]) == (200, "5")
    assert "Date" not in answer.headers
    assert re.search(rf"customer +{answer.json()['total']}\n", told)
    assert requests.patch(changing, data=change, timeout=5).json()["name"] == "A new name"

    client = {"client_id": id_, "client_secret": secret}
    refused = {"grant_type": "refresh_token", "refresh_token": "dead", **client}
    answer = requests.post(f"{url}/oauth/token", data=refused, timeout=5)
    assert answer.json()["error"] == "invalid_grant"

    process.send_signal(end)
    rest, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert rest.strip() == "The sandbox has stopped."


@contextmanager
def started(*options: str) -> Iterator[str]:
    """The URL of the command, running on a free port without rows."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0", "--size", "0", *options], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        told = "".join(iter(running.stdout.readline, "Stop it with Ctrl-C.\n"))
        yield re.findall(r"CIRQLL_API_URL=(\S+)\n", told)[0]
        running.kill()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--access-token-seconds", "20"], Behaviour(access_token_seconds=20)),
        (["--token-service", "luca"], LUCA),
        (
            ["--token-service", "luca", "--access-token-seconds", "20"],
            replace(LUCA, access_token_seconds=20),
        ),
        (
            ["--behaviour", "price_places=2", "--behaviour", "text_limit_mode=cut"],
            Behaviour(price_places=2, text_limit_mode="cut"),
        ),
        (
            ["--behaviour", 'forbidden_rows={"customer": [5]}'],
            Behaviour(forbidden_rows={"customer": (5,)}),
        ),
    ],
)
def test_options_choose_how_it_behaves(options: list[str], expected: Behaviour) -> None:
    back = "https://connect.voorbeeld.example/back"
    with started(*options, "--redirect-uri", back) as url:
        behaviour = requests.get(f"{url}/_sandbox/behaviour", timeout=5).json()
        (client,) = requests.get(f"{url}/_sandbox/oauth/clients", timeout=5).json()["data"]
    assert changed(Behaviour(), **behaviour) == expected
    assert client["redirect_uris"][0] == "http://127.0.0.1/callback"
    assert client["redirect_uris"][-1] == back


def test_records_drift_from_the_start_on_request() -> None:
    with started("--drift", "--size", "0.01") as url:
        rows = requests.get(f"{url}/_sandbox/rows/customer", timeout=5).json()["data"]
        step = requests.post(f"{url}/_sandbox/drift", timeout=5).json()
    assert rows
    assert all("score" in row for row in rows)
    assert step == {"epoch": 1}


def test_a_busy_port_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        result = CliRunner().invoke(command, ["--port", str(port), "--size", "0"])
    assert result.exit_code != 0
    assert result.output.startswith(f"Error: The sandbox cannot listen on 127.0.0.1 port {port}: ")
    assert "--port" in result.output
    assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--host", "0.0.0.0"], "loopback"),  # noqa: S104 - it must be refused
        (["--host", "example.nl"], "loopback"),
        (["--timezone", "Mars/Base"], "time zone"),
        (["--fault", "nonsense"], "There is no fault"),
        (["--fault", "503:often"], "probability"),
        (["--scopes", "customer.read.all nonsense"], "There is no scope nonsense"),
        (["--token-service", "nonsense"], "luca"),
        (["--access-token-seconds", "0"], "access-token-seconds"),
        (["--behaviour", "nonsense=1"], "There is no behaviour 'nonsense'"),
        (["--behaviour", "price_places=two"], "cannot be 'two'"),
        (["--behaviour", "price_places"], "cannot be ''"),
    ],
)
def test_a_wrong_option_is_refused_in_words(options: list[str], word: str) -> None:
    result = CliRunner().invoke(command, [*options, "--size", "0"])
    assert result.exit_code == 2
    assert word in result.output


def test_without_the_extra_one_sentence_tells_what_to_install() -> None:
    hide = "import sys; sys.modules['starlette'] = None"
    code = f"{hide}\nfrom cirqll_sandbox.cli import sandbox\nsandbox()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'tap-cirqll[sandbox]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mistake_in_a_callback_is_raised_at_the_end() -> None:
    sandbox = Sandbox(size=0)
    sandbox.before_request(lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError), sandbox.running() as url:
        assert requests.get(f"{url}/api/user", timeout=5).status_code == 500


def test_the_kinds_of_faults_can_be_listed() -> None:
    result = CliRunner().invoke(command, ["--list-faults"])
    assert result.exit_code == 0
    assert all(f"  {kind} " in result.output for kind in FAULT_KINDS)


def test_the_options_of_the_behaviour_can_be_listed_with_their_defaults() -> None:
    result = CliRunner().invoke(command, ["--list-behaviour"])
    assert result.exit_code == 0
    listed = dict(line.split(maxsplit=1) for line in result.output.splitlines())
    assert listed.keys() == asdict(Behaviour()).keys()
    assert (listed["price_places"], listed["text_comparison"]) == ("null", '"mysql"')


def test_importing_the_package_imports_no_server() -> None:
    code = "import cirqll_sandbox, cirqll_sandbox.cli, sys; print('starlette' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
