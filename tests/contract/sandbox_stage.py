"""Recording of the sandbox: each time the same company, at the same moment."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cirqll_client import oauth
from cirqll_client.connection import token_service
from cirqll_client.redaction import Redaction
from cirqll_client.scope_choice import known_scopes
from cirqll_client.settings import ConnectionSettings, SignInSettings
from cirqll_sandbox import Behaviour, Clock, Sandbox
from tests.client.login_stage import Person
from tests.contract.interview import interview, never_wait
from tests.contract.questions import fault_suite, reading_suites, writing_suites
from tests.contract.recorder import recording
from tests.contract.scrubbing import Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.contract.questions import Question

MOMENT = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY = b"of the sandbox, where nothing is secret"
REDIRECT_URI = "http://127.0.0.1/callback"
LIMIT = 60
FOREVER = 86_400.0
"""The window of the limit, so that what remains does not depend on the speed of a machine."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running sandbox, and what is recorded of it."""

    sandbox: Sandbox
    url: str
    scrubber: Scrubber

    def settings(self, token: str = Sandbox.access_token) -> ConnectionSettings:
        """The settings of a connection that knows nothing of an earlier one."""
        return ConnectionSettings(
            api_url=self.url,
            access_token=token,
            client_id=self.sandbox.client.id,
            client_secret=self.sandbox.client.secret,
            store_url="sqlite://",
            requests_per_minute=1_000_000,
        )


def record_sandbox(folder: Path) -> None:
    """Record all suites, each from the same beginning."""
    with _staged() as stage:
        for suite in (*reading_suites(), *writing_suites()):
            stage.sandbox.reset()
            with recording(folder / f"{suite.name}.yaml", stage.scrubber) as tape:
                interview(suite, stage.settings(), tape, pause=never_wait)
        _record_faults(stage, folder)
        _record_oauth(stage, folder)


@contextmanager
def _staged() -> Iterator[Stage]:
    behaviour = Behaviour(rate_limit=LIMIT, rate_window_seconds=FOREVER)
    sandbox = Sandbox(seed=1, size=0.02, behaviour=behaviour, clock=Clock.stopped_at(MOMENT))
    with sandbox.running() as url:
        scrubber = Scrubber(KEY, api_url=url)
        scrubber.learn_names(row["name"] for row in sandbox.rows("field").all())
        yield Stage(sandbox, url, scrubber)


def _record_faults(stage: Stage, folder: Path) -> None:
    sandbox = stage.sandbox
    token = sandbox.grant(["user.read.all"]).access_token

    def eat_the_budget() -> None:
        sandbox.foreign_requests(LIMIT - 1)
        sandbox.faults.add("429", times=1, seconds=60)

    arranged: Mapping[str, Callable[[], object]] = {
        "too many requests": eat_the_budget,
        "server error": lambda: sandbox.faults.add("500", times=1),
        "web page of a proxy": lambda: sandbox.faults.add("502-html", times=1),
    }

    def arrange(question: Question) -> None:
        sandbox.reset()
        arranged.get(question.words, int)()

    suite = fault_suite()
    with recording(folder / f"{suite.name}.yaml", stage.scrubber) as tape:
        for question in suite.questions:
            chosen = token if question.words == "forbidden" else sandbox.access_token
            one = type(suite)(suite.name, (question,))
            interview(one, stage.settings(chosen), tape, pause=never_wait, before=arrange)


def _record_oauth(stage: Stage, folder: Path) -> None:
    """Sign in, renew, and try again with a token that is spent and a client that is none."""
    settings = stage.settings()
    wish = oauth.AuthorizeWish(
        authorize_url=f"{stage.url}/oauth/authorize",
        redirect_uri=REDIRECT_URI,
        scopes=("customer.read.all", "user.read.all"),
    )
    pending = oauth.begin(stage.sandbox.client.id, wish)
    redirect = oauth.read_redirect(Person().decide(pending.authorize_url), state=pending.state)
    with recording(folder / "oauth.yaml", stage.scrubber, below="/oauth/"):
        known_scopes(settings, SignInSettings())
        with closing(token_service(settings, redact=Redaction())) as service:
            pair = service.exchange(pending, redirect)
            service.renew(pair)
            service.renew(pair)
            service.renew(replace(pair, refresh_token="never-given-to-anybody"))
