"""The sandbox as one object: its data, its behaviour, and the server that shows them."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

from cirqll_sandbox.accounts import FIRST_USER, Account
from cirqll_sandbox.api import Api
from cirqll_sandbox.behaviour import Behaviour
from cirqll_sandbox.clients import CLIENT_SECRET
from cirqll_sandbox.clock import Clock, stamp
from cirqll_sandbox.colleagues import Colleagues
from cirqll_sandbox.company import Company
from cirqll_sandbox.custom_fields import CustomFields
from cirqll_sandbox.drift import Drift
from cirqll_sandbox.drifting import Drifting
from cirqll_sandbox.edits import undocumented
from cirqll_sandbox.faults import Faults
from cirqll_sandbox.hiding import all_hidden, hidden, shown_again
from cirqll_sandbox.oauth import OAuth
from cirqll_sandbox.rate_limit import RateLimit
from cirqll_sandbox.request_log import RequestLog
from cirqll_sandbox.resources import ENDPOINTS
from cirqll_sandbox.scopes import refuse_unknown
from cirqll_sandbox.served import ServedRecords
from cirqll_sandbox.tables import Database
from cirqll_sandbox.tokens import ACCESS_TOKEN, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cirqll_sandbox.answers import Answer
    from cirqll_sandbox.clients import Client
    from cirqll_sandbox.faults import Fault
    from cirqll_sandbox.grants import Pair
    from cirqll_sandbox.oauth_log import AuthorizeRequestRecord, TokenRequestRecord
    from cirqll_sandbox.request_log import RequestRecord
    from cirqll_sandbox.served import Served
    from cirqll_sandbox.tables import Table

_LOGGER = logging.getLogger(__name__)


class Sandbox:
    """A local Cirqll. It may be changed from any thread while it runs."""

    access_token = ACCESS_TOKEN

    def __init__(  # noqa: PLR0913 - each is optional
        self,
        *,
        seed: int = 1,
        size: float = 1,
        behaviour: Behaviour | None = None,
        clock: Clock | None = None,
        scopes: Iterable[str] | None = None,
        undocumented_fields: bool = False,
        drift: Drift | None = None,
        keeps_served: bool = False,
    ) -> None:
        self.lock = RLock()
        self.clock = clock or Clock()
        self.behaviour = behaviour or Behaviour()
        self.tokens = Tokens(scopes, clock=self.clock, lock=self.lock)
        self.rate_limit = RateLimit()
        self.log: RequestLog[RequestRecord] = RequestLog()
        self.token_log: RequestLog[TokenRequestRecord] = RequestLog()
        self.authorize_log: RequestLog[AuthorizeRequestRecord] = RequestLog()
        self.faults = Faults(seed)
        self.database = Database(lock=self.lock, now=self._now)
        self.oauth = OAuth(self.database, self.tokens, self.clock)
        self.api = Api(self.database, self.tokens, self.oauth.accounts)
        self.custom_fields = CustomFields(self.database)
        self._seed, self._size = seed, size
        self._undocumented_fields, self._drift = undocumented_fields, drift
        self._first_behaviour = self.behaviour
        self._served = ServedRecords() if keeps_served else None
        self._errors: list[Exception] = []
        self.reset()

    # Data

    def rows(self, table: str) -> Table:
        """The table of a resource, or of what belongs to one; `KeyError` if there is none."""
        return self.database.tables[table]

    def row_counts(self) -> dict[str, int]:
        """How many rows each of the sixteen resources holds."""
        return {name: len(self.rows(name)) for name in ENDPOINTS}

    def delete(self, resource: str, *ids: int) -> None:
        """Somebody deletes rows, and references to them stay.

        All go or, with a `KeyError` for one that is not there, none.
        """
        self.rows(resource).delete_many(ids)

    def restore(self, resource: str, *ids: int, touches: bool = True) -> None:
        """Rows that were deleted, by whomever, are there again with what they held.

        That a restored record's `updated_at` becomes now is a guess, after Laravel's `restore`,
        which saves it; without it, it is as if a backup had been put back. All come or, with a
        `KeyError` for one that was not deleted, none.
        """
        self.rows(resource).restore(*ids, touches=touches)

    def hide(self, resource: str, *ids: int, counted: bool = True) -> None:
        """The Index skips these rows, and counts them or not; Show still gives them."""
        with self.lock:
            name = self.rows(resource).resource.name
            self.behaviour = hidden(self.behaviour, name, ids, counted=counted)

    def show_again(self, resource: str, *ids: int) -> None:
        """The Index gives these hidden rows again, or all of the resource if none is named."""
        with self.lock:
            name = self.rows(resource).resource.name
            going = ids or all_hidden(self.behaviour, name)
            self.behaviour = shown_again(self.behaviour, name, going)

    def edit_rows(self, resource: str, rows: int = 1) -> list[int]:
        """Somebody changes this many rows, chosen at random; their ids."""
        with self.lock:
            return self.colleagues.edit(resource, rows)

    def add_undocumented_fields(self) -> None:
        """Every row of the sixteen resources gets fields that nobody documented, and is touched."""
        with self.lock:
            for name in ENDPOINTS:
                for row in self.rows(name).all():
                    self.rows(name).update(row["id"], **undocumented(row["id"]))

    def drift(self, drift: Drift | None = None) -> int:
        """Undocumented fields move to their next epoch, in new rows and in some of the old ones.

        Without a `Drift` it is the sandbox's own, or the default one; the number of the epoch.
        """
        with self.lock:
            return self._drifting.step(drift or self._drift or Drift())

    def reset(self) -> None:
        """The data, behaviour, faults and records of the start; who may sign in, tokens and clock
        stay.
        """  # noqa: D205
        with self.lock:
            self.behaviour = self._first_behaviour
            self.colleagues = Colleagues(self.database, seed=self._seed)
            self.faults.clear()
            self.log.clear()
            self.token_log.clear()
            self.authorize_log.clear()
            self.rate_limit.reset()
            if self._served:
                self._served.clear()
            self.database.clear()
            if self._size:
                company = Company(
                    self.database, seed=self._seed, size=self._size,
                    timezone=self.behaviour.timezone,
                )  # fmt: skip
                company.move_in(undocumented_fields=self._undocumented_fields)
            self._drifting = Drifting(
                self.database, seed=self._seed, timezone=self.behaviour.timezone
            )
            if self._drift:
                self._drifting.begin(self._drift)

    # Requests

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The API requests so far, in order of arrival."""
        return self.log.all()

    def forget_requests(self) -> None:
        """Start every record anew."""
        self.log.forget()
        self.token_log.forget()
        self.authorize_log.forget()

    def most_in_any_window(self, seconds: float = 60) -> int:
        """The largest number of API requests, refused ones included, in any window."""
        return self.log.most_in_any_window(seconds)

    def served(self, resource: str) -> list[Served]:
        """Every version of every record that an Index or a Show ever handed out, each once.

        In the order in which they first went out, `"me"` being the signed-in users. An answer that
        was cut or truncated handed out nothing. `RuntimeError` without `keeps_served=True`.
        """
        if self._served is None:
            message = "This sandbox keeps no copies. Make it with Sandbox(keeps_served=True)."
            raise RuntimeError(message)
        with self.lock:
            return self._served.all(resource)

    def handed_out(self, answer: Answer) -> None:
        """Keep what an answer hands out, if that is wanted."""
        if self._served is not None:
            with self.lock:
                self._served.keep(answer)

    def foreign_requests(self, requests: int) -> None:
        """Other programs eat from the budget now."""
        with self.lock:
            self.rate_limit.eat(requests, self.behaviour)

    def before_request(self, callback: Callable[[RequestRecord], object]) -> Callable[[], None]:
        """Call this with every API request before it is answered; the result ends that."""
        return self.log.on_arrival(callback)

    def drawn(self, method: str, path: str) -> tuple[list[Fault], Behaviour]:
        """The faults that happen to a request, and the behaviour under them."""
        with self.lock:
            faults = self.faults.drawn(method, path)
            behaviour = self.behaviour
            for fault in faults:
                behaviour = fault.overriding(behaviour)
        return faults, behaviour

    # Signing in

    @property
    def client(self) -> Client:
        """The program that is registered from the start."""
        return self.oauth.clients.default

    def grant(
        self,
        scopes: Iterable[str] | None = None,
        *,
        user: Account | int | None = None,
        client: Client | None = None,
    ) -> Pair:
        """A pair of tokens, with these scopes or with all, as if somebody had just consented."""
        user_id = user.user_id if isinstance(user, Account) else user or FIRST_USER
        with self.lock:
            return self.oauth.grant(self.behaviour, scopes=scopes, user_id=user_id, client=client)

    def add_client(
        self,
        id_: str,
        *,
        secret: str = CLIENT_SECRET,
        redirect_uris: Iterable[str] | None = None,
        name: str | None = None,
    ) -> Client:
        """Register another program, or one anew; without redirect URIs it has the default ones."""
        uris = self.client.redirect_uris if redirect_uris is None else redirect_uris
        with self.lock:
            return self.oauth.clients.add(id_, secret=secret, redirect_uris=uris, name=name or id_)

    def add_account(self, name: str, *, company: str, email: str | None = None) -> Account:
        """Somebody else whom the consent page offers to sign in as."""
        with self.lock:
            return self.oauth.accounts.add(name=name, company=company, email=email)

    def take_scopes(self, *scopes: str, access_token: str | None = None) -> None:
        """Every living token loses these scopes, or one access token with its refresh token."""
        refuse_unknown(scopes)
        self.tokens.change_grants(
            lambda grant: grant.without_scopes(scopes), access_token=access_token
        )

    def give_scopes(self, *scopes: str, access_token: str | None = None) -> None:
        """Every living token has these scopes too, or one access token with its refresh token."""
        refuse_unknown(scopes)
        self.tokens.change_grants(
            lambda grant: grant.with_scopes(scopes), access_token=access_token
        )

    def expire_access_tokens(self) -> None:
        """Every access token of a pair expires now; the fixed ones do not."""
        self.tokens.expire_access_tokens()

    def expire_refresh_tokens(self) -> None:
        """Every refresh token expires now."""
        self.tokens.expire_refresh_tokens()

    def revoke(self, token: str) -> None:
        """Make an access token invalid, or a refresh token with its access token."""
        self.tokens.revoke(token)

    def revoke_everything(self) -> None:
        """Somebody withdraws the access: every pair and every code is dead; fixed tokens stay."""
        with self.lock:
            self.oauth.revoke_everything()

    def refresh_as_another_program(self, refresh_token: str) -> Pair:
        """Somebody else refreshes, which by default kills the pair; `DeadTokenError` if it cannot.

        It does not count among the token requests.
        """
        with self.lock:
            return self.tokens.refresh(refresh_token, self.behaviour)

    @property
    def token_requests(self) -> tuple[TokenRequestRecord, ...]:
        """The requests to `/oauth/token` so far, those whose answer was lost included."""
        return self.token_log.all()

    @property
    def authorize_requests(self) -> tuple[AuthorizeRequestRecord, ...]:
        """The requests to `/oauth/authorize` so far."""
        return self.authorize_log.all()

    def before_token_request(
        self, callback: Callable[[TokenRequestRecord], object]
    ) -> Callable[[], None]:
        """Call this with every token request before it is answered; the result ends that."""
        return self.token_log.on_arrival(callback)

    # Serving

    @contextmanager
    def running(self, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        """Serve in a thread while the context lasts; the URL is given.

        A mistake of the sandbox or of a `before_request` callback is raised at the end.
        """
        from cirqll_sandbox.app import build_app  # noqa: PLC0415 - uvicorn only when it serves
        from cirqll_sandbox.server import in_thread, listen  # noqa: PLC0415

        with in_thread(build_app(self), listen(host, port)) as url:
            yield url
        if self._errors:
            raise self._errors.pop(0)

    def failed(self, error: Exception) -> None:
        """Make known that a request could not be answered by the sandbox's own fault."""
        _LOGGER.error("The sandbox could not answer a request.", exc_info=error)
        self._errors.append(error)

    def _now(self) -> str:
        return stamp(self.clock.now(), self.behaviour.timezone)
