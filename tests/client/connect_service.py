"""`cirqll connect` on loopback in front of a sandbox, and the people who come by its links."""

from __future__ import annotations

import re
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests

from cirqll_client.connect_server import serving
from cirqll_client.connect_server.addresses import PublicUrl, public_url_of
from cirqll_client.connect_server.app import build_app
from cirqll_client.connect_server.consents import Consents
from cirqll_client.connect_server.link_calls import Key, link_url
from cirqll_client.connect_server.links import Links
from cirqll_client.connect_server.wishes import wish_of
from cirqll_client.sealing import sealing_of
from cirqll_client.settings import ConnectionSettings, SignInSettings
from cirqll_client.store import Store
from cirqll_client.token_store import TokenStore
from cirqll_sandbox import Behaviour, Sandbox
from cirqll_sandbox.server import Server as QuickServer
from tests.client.fake_time import FakeTime
from tests.sandbox.browser import form_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_client.token_life import StoredAccount

APP = "https://app.example.com"
KEY = "a-key-of-the-tests-that-is-long-enough"
REFRESH = re.compile(r"0; url=(.*)")


@dataclass
class Service:
    """A running server, its links, and what it stored."""

    sandbox: Sandbox
    sandbox_url: str
    store_url: str
    store: Store
    links: Links
    public_url: PublicUrl
    time: FakeTime
    url: str
    """Where it listens."""

    def link(self, **wish: Any) -> str:
        """A new link."""
        wish = {"account": "acme", "target_origins": [APP], "scopes": "user.read.all", **wish}
        return link_url(self.public_url, self.links.make(wish_of(**wish)))

    def token(self, **wish: Any) -> str:
        """The token of a new link."""
        return token_in(self.link(**wish))

    def account(self, name: str = "acme") -> StoredAccount | None:
        """What a pipeline finds in the store."""
        with closing(Store(self.store_url)) as store:
            tokens = TokenStore(store, api_url=self.sandbox_url, sealing=sealing_of())
            return tokens.read(name)

    @property
    def exchanges(self) -> int:
        """How many codes were brought to Cirqll."""
        return len(self.sandbox.token_requests)


@dataclass
class Person:
    """Somebody in front of a browser that keeps cookies."""

    service: Service
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def get(self, url: str, **options: Any) -> requests.Response:
        """Open a page, and go no further."""
        return self.session.get(url, allow_redirects=False, timeout=10, **options)

    def press(self, token: str = "", **fields: str) -> requests.Response:
        """Press the button on the page of a link."""
        return self.post({"token": token, "target_origin": "", "link": "", **fields})

    def post(self, data: Any, **options: Any) -> requests.Response:
        """Send the form of the page."""
        url = f"{self.service.url}/connect"
        return self.session.post(url, data=data, allow_redirects=False, timeout=10, **options)

    def decide(self, started: requests.Response, button: str = "allow", **changed: str) -> str:
        """Go to Cirqll and press a button there; where the browser is sent then."""
        assert started.status_code == 200, started.text
        page = self.get(leads_to(started))
        answer = self.session.post(
            f"{self.service.sandbox_url}/oauth/authorize",
            data={**form_of(page), "decision": button, **changed},
            allow_redirects=False,
            timeout=10,
        )
        return answer.headers["Location"]

    def consent(self, token: str, **fields: str) -> requests.Response:
        """Go the whole way of somebody who allows it."""
        return self.get(self.decide(self.press(token, **fields)))

    def press_again(self, page: requests.Response) -> requests.Response:
        """Press the button that offers to try again."""
        assert 'id="again"' in page.text, page.text
        return self.post(form_of(page))


def leads_to(answer: requests.Response) -> str:
    """Where a page sends the browser."""
    found = REFRESH.fullmatch(answer.headers["Refresh"])
    assert found
    return found[1]


def state_of(started: requests.Response) -> str:
    """The state that Cirqll is to bring back."""
    return dict(parse_qsl(urlsplit(leads_to(started)).query))["state"]


def token_in(link: str) -> str:
    """The token of a link."""
    return parse_qs(urlsplit(link).fragment)["token"][0]


def title_of(page: requests.Response) -> str:
    """The heading that a person reads."""
    found = re.search(r"<h1>(.*?)</h1>", page.text)
    assert found, page.text
    return found[1]


@contextmanager
def in_thread(app: Any, listening: Any) -> Iterator[None]:
    """Serve in a thread while the context lasts: as the real server does, with a quicker end."""
    server = QuickServer(app)
    server.config = serving.Server(app).config
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    server.ready.wait()
    try:
        yield
    finally:
        server.stop()
        thread.join()


@contextmanager
def connect_service(
    store_url: str,
    *,
    public_url: str | None = None,
    key: str | None = KEY,
    offered: Callable[[tuple[str, ...]], tuple[str, ...]] = lambda scopes: scopes,
    **settings: Any,
) -> Iterator[Service]:
    """Serve; without a public URL browsers come to where it listens."""
    time = FakeTime()
    sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=0))
    listening = serving.listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    public = public_url_of(public_url or url)
    client = sandbox.add_client("connect", redirect_uris=[public.redirect_uri])
    with sandbox.running() as sandbox_url, closing(Store(store_url, clock=time)) as store:
        usual = {"client_id": client.id, "client_secret": client.secret, "request_timeout": 5}
        connection = ConnectionSettings(
            api_url=sandbox_url, store_url=store_url, **{**usual, **settings}
        )
        links = Links(store, api_url=sandbox_url, sealing=sealing_of())
        consents = Consents(
            connection, SignInSettings(), store, links=links, public_url=public, offered=offered
        )
        app = build_app(
            consents, links, public_url=public, key=Key(key) if key is not None else None
        )
        with in_thread(app, listening):
            yield Service(sandbox, sandbox_url, store_url, store, links, public, time, url)
