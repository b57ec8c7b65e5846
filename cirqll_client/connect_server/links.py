"""The links in the store: made, found, started, finished. Their tokens and states are hashes."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql

from cirqll_client.connect_server.link_life import (
    START_SECONDS,
    Link,
    Reason,
    Refused,
    Start,
    require_returning,
    require_startable,
)
from cirqll_client.store import CONNECT_LINKS
from cirqll_client.tokens import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.engine import Connection

    from cirqll_client.connect_server.wishes import LinkWish
    from cirqll_client.sealing import Sealing
    from cirqll_client.store import Store

_TABLE = CONNECT_LINKS
_KEPT_SECONDS = 7 * 86_400.0
"""How long a link that is over is remembered, so that people are told what became of it."""
_OVER: dict[str, Any] = {"stage_until": 0.0, "secret": None}


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that was just made: the only moment in which its token is known."""

    id: str
    token: str = field(repr=False)
    expires_at: float


class Links:
    """The links of one API. Threads and processes may share them."""

    def __init__(self, store: Store, *, api_url: str, sealing: Sealing) -> None:
        """Keep the links in the store, what is secret of a start sealed."""
        self._store = store
        self._api_url = api_url
        self._sealing = sealing

    def make(self, wish: LinkWish) -> NewLink:
        """Make a link with a token that nobody can guess."""
        token, link_id = secrets.token_urlsafe(32), secrets.token_hex(8)
        self._remove_old()
        with self._store.transaction() as connection:
            now = self._store.time_in(connection)
            row = {
                "token_hash": fingerprint(token),
                "id": link_id,
                "api_url": self._api_url,
                "account": wish.account,
                "target_origins": " ".join(wish.target_origins),
                "callback_message": wish.callback_message,
                "scopes": " ".join(wish.scopes),
                "made_at": now,
                "expires_at": now + wish.seconds,
                "stage": "open",
                "stage_until": 0.0,
            }
            connection.execute(sql.insert(_TABLE).values(row))
        return NewLink(link_id, token, now + wish.seconds)

    def startable(self, *, token: str = "", link_id: str = "", browser: str | None = None) -> Link:
        """Give a link by its token, or by its id to the browser that started it before.

        Raises ``Refused``.
        """
        if token:
            where = [_TABLE.c.token_hash == fingerprint(token)]
        elif link_id.isalnum() and browser:
            where = [_TABLE.c.id == link_id, _TABLE.c.browser_hash == fingerprint(browser)]
        else:
            raise Refused(Reason.UNKNOWN_LINK)
        with self._store.transaction() as connection:
            link = self._found(connection, *where)
            return require_startable(link, now=self._store.time_in(connection))

    def startable_again(self, browser: str) -> str | None:
        """Name the link that this browser started last, if it may be started again."""
        where = [
            _TABLE.c.browser_hash == fingerprint(browser),
            _TABLE.c.stage.in_(("open", "started")),
        ]
        with self._store.transaction() as connection:
            where.append(_TABLE.c.expires_at > self._store.time_in(connection))
            question = self._question(*where).order_by(_TABLE.c.stage_until.desc())
            row = connection.execute(question).mappings().first()
        return _link(row).id if row else None

    def start(self, link: Link, start: Start, *, state: str, browser: str) -> None:
        """Note that a person was sent to Cirqll; an earlier start ends. Raises ``Refused``."""
        self._remove_old()
        sealed = self._sealing.seal(json.dumps(asdict(start)))
        with self._store.transaction() as connection:
            now = self._store.time_in(connection)
            require_startable(self._locked(connection, _TABLE.c.id == link.id), now=now)
            change = {
                "stage": "started",
                "stage_until": now + START_SECONDS,
                "state_hash": fingerprint(state),
                "browser_hash": fingerprint(browser),
                "secret": sealed,
            }
            self._update(connection, change, _TABLE.c.id == link.id)

    def returning(self, state: str) -> Link:
        """Give the link whose latest start has this state. Raises ``Refused``."""
        with self._store.transaction() as connection:
            link = self._found(connection, _TABLE.c.state_hash == fingerprint(state))
            return require_returning(link, now=self._store.time_in(connection))

    def claim(self, state: str, *, seconds: float) -> Start:
        """Take a start for finishing; of all who try, one gets it. Raises ``Refused``.

        Nobody may start the link again before the seconds are over, or ``release``.
        """
        ours = _TABLE.c.state_hash == fingerprint(state)
        with self._store.transaction(is_durable=True) as connection:
            now = self._store.time_in(connection)
            require_returning(self._locked(connection, ours), now=now)
            sealed = connection.execute(sql.select(_TABLE.c.secret).where(ours)).scalar_one()
            start = json.loads(self._sealing.open(sealed))
            change = {"stage": "finishing", "stage_until": now + seconds, "secret": None}
            self._update(connection, change, ours)
        return Start(**{**start, "scopes": tuple(start["scopes"])})

    def complete(self, state: str) -> None:
        """Note that the consent was completed: the link is used up."""
        with self._store.transaction(is_durable=True) as connection:
            ours = _TABLE.c.state_hash == fingerprint(state)
            self._update(connection, {**_OVER, "stage": "used"}, ours)

    def release(self, state: str) -> None:
        """Note that the consent was not completed: the link may be started again."""
        with self._store.transaction() as connection:
            ours = _TABLE.c.state_hash == fingerprint(state)
            self._update(connection, {**_OVER, "stage": "open", "state_hash": None}, ours)

    def living(self) -> list[Link]:
        """Give the links that are neither used nor expired, those that expire first first."""
        with self._store.transaction() as connection:
            is_living = [
                _TABLE.c.stage != "used",
                _TABLE.c.expires_at > self._store.time_in(connection),
            ]
            question = self._question(*is_living).order_by(_TABLE.c.expires_at)
            return [_link(row) for row in connection.execute(question).mappings()]

    def remove(self, link_id: str) -> bool:
        """Make a link unknown, with a start that is under way; tell whether there was one."""
        with self._store.transaction(is_durable=True) as connection:
            ours = [_TABLE.c.api_url == self._api_url, _TABLE.c.id == link_id]
            return connection.execute(sql.delete(_TABLE).where(*ours)).rowcount > 0

    def _question(self, *where: sql.ColumnElement[bool]) -> sql.Select[Any]:
        return sql.select(_TABLE).where(_TABLE.c.api_url == self._api_url, *where)

    def _found(self, connection: Connection, *where: sql.ColumnElement[bool]) -> Link | None:
        row = connection.execute(self._question(*where)).mappings().first()
        return _link(row) if row else None

    def _locked(self, connection: Connection, where: sql.ColumnElement[bool]) -> Link | None:
        """Find a link of which nobody else may say anything until the transaction ends."""
        row = connection.execute(self._question(where).with_for_update()).mappings().first()
        return _link(row) if row else None

    def _update(
        self, connection: Connection, change: Mapping[str, Any], *where: sql.ColumnElement[bool]
    ) -> None:
        ours = sql.update(_TABLE).where(_TABLE.c.api_url == self._api_url, *where)
        connection.execute(ours.values(dict(change)))

    def _remove_old(self) -> None:
        """Remove links that are long over, and the secrets of starts that nobody came back from."""
        with self._store.transaction() as connection:
            now = self._store.time_in(connection)
            old = _TABLE.c.expires_at < now - _KEPT_SECONDS
            connection.execute(sql.delete(_TABLE).where(old))
            left = [_TABLE.c.secret.is_not(None), _TABLE.c.stage_until < now]
            connection.execute(sql.update(_TABLE).where(*left).values(secret=None))


def _link(row: Mapping[Any, Any]) -> Link:
    values = {each.name: row[each.name] for each in fields(Link)}
    lists: Iterable[str] = ("target_origins", "scopes")
    return Link(**{**values, **{name: tuple(row[name].split()) for name in lists}})
