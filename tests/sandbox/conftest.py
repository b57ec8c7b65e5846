"""A sandbox on loopback, and the plainest client there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests

from cirqll_sandbox import Behaviour, Sandbox
from tests.sandbox.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Client:
    """Sends requests with the sandbox's token and nothing clever around them."""

    url: str
    session: requests.Session

    def get(self, path: str, **parameters: Any) -> requests.Response:
        """`with_` is the parameter `with`."""
        if "with_" in parameters:
            parameters["with"] = parameters.pop("with_")
        return self.send("GET", path, params=parameters)

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """A redirect is not followed."""
        options.setdefault("allow_redirects", False)
        return self.session.request(method, self.url + path, timeout=10, **options)

    def rows(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """The data of an Index that must succeed."""
        answer = self.get(path, **parameters)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows

    def ids(self, path: str, **parameters: Any) -> list[int]:
        """The ids on a page."""
        return [row["id"] for row in self.rows(path, **parameters)]


def _client(url: str, sandbox: Sandbox) -> Client:
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {sandbox.access_token}"
    return Client(url, session)


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox without rows and without a rate limit."""
    return Sandbox(size=0, behaviour=Behaviour(rate_limit=0))


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Client]:
    """A client of `sandbox`, which runs."""
    with sandbox.running() as url:
        client = _client(url, sandbox)
        with client.session:
            yield client


@pytest.fixture
def program(sandbox: Sandbox, api: Client) -> Iterator[Program]:
    """A program that signs in to `sandbox`, which runs."""
    signing_in = Program(sandbox, api.url)
    yield signing_in
    signing_in.browser.session.close()


@pytest.fixture(scope="module")
def company() -> Sandbox:
    """A small company that no test changes."""
    return Sandbox(size=0.1, behaviour=Behaviour(rate_limit=0))


@pytest.fixture(scope="module")
def company_api(company: Sandbox) -> Iterator[Client]:
    """A client of `company`, which runs."""
    with company.running() as url:
        client = _client(url, company)
        with client.session:
            yield client
