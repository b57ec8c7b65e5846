"""Opening a warehouse for reading only, and saying why it cannot be opened."""

from __future__ import annotations

from contextlib import suppress

import sqlalchemy as sql
from sqlalchemy import pool
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from cirqll_client.errors import SettingInvalid
from cirqll_client.redaction import Redaction, one_line

_SECONDS_TO_CONNECT = 15
_POSTGRES = frozenset({"postgres", "postgresql", "postgresql+psycopg2"})
"""Ways to name what the one driver that comes along can read."""
_SECRETS = ("password", "sslpassword", "passfile", "token")


def engine_of(url_text: str) -> sql.Engine:
    """Make an engine that does not write; nothing is opened yet. Raises ``SettingInvalid``."""
    try:
        url = sql.make_url(url_text)
        if url.drivername in _POSTGRES:
            url = url.set(drivername="postgresql+psycopg")
        return sql.create_engine(
            _only_read(url),
            connect_args=_patience(url),
            poolclass=pool.NullPool,
            hide_parameters=True,
            execution_options={"postgresql_readonly": True}
            if url.get_backend_name() == "postgresql"
            else {},
        )
    except (NoSuchModuleError, ImportError):
        msg = (
            "The database driver that DATABASE_URL (or --against) names is not installed; for "
            "PostgreSQL, install the extra: `pip install '.[postgres]'`."
        )
    except (ArgumentError, ValueError):
        msg = (
            "What --against (or DATABASE_URL) says is not a database URL; write it like "
            "postgresql://user@host:5432/database, a password with %40 in place of @."
        )
    raise SettingInvalid(msg)


def words_of(error: Exception, url_text: str) -> str:
    """Give a driver's words on one line, and none at all where they hold the password."""
    cause = getattr(error, "orig", None) or error
    secrets = _secrets(url_text)
    words = one_line(Redaction(secrets)(" ".join(str(cause).split())))
    has_secret = any(secret in words for secret in secrets)
    return type(cause).__name__ if has_secret or not words else f"{type(cause).__name__}: {words}"


def cannot_be_opened(error: Exception, url_text: str) -> SettingInvalid:
    """Say that nothing can be read there."""
    return SettingInvalid(
        f"The database of --against could not be read ({words_of(error, url_text)}); check its "
        "URL, that it runs, and that its user may read the tables."
    )


def place_of(url_text: str) -> str:
    """Name the database for people: neither user nor password."""
    url = sql.make_url(url_text)
    return f"{url.database or '?'}" + (f" on {url.host}" if url.host else "")


def _secrets(url_text: str) -> list[str]:
    with suppress(ArgumentError, ValueError):
        url = sql.make_url(url_text)
        found = [url.password, *(url.query.get(name) for name in _SECRETS)]
        return [str(one) for one in found if one]
    return []


def _only_read(url: sql.URL) -> sql.URL:
    """Let SQLite make no file, and write in none."""
    is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    if not is_file or "uri" in url.query:
        return url
    name = str(url.database).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return url.set(database=f"file:{name}", query={**url.query, "mode": "ro", "uri": "true"})


def _patience(url: sql.URL) -> dict[str, int]:
    is_ours = url.get_driver_name() == "psycopg" and "connect_timeout" not in url.query
    return {"connect_timeout": _SECONDS_TO_CONNECT} if is_ours else {}
