"""Recording of an account: what is asked of it, and what is said about that before."""

from __future__ import annotations

import secrets
import time
from contextlib import closing
from typing import TYPE_CHECKING

from cirqll_client.connection import connect
from cirqll_client.errors import NotFound, RequestRefused, ScopeMissing
from cirqll_client.query import IndexQuery
from cirqll_client.resources import resource_of_stream
from tests.contract.interview import interview
from tests.contract.questions import (
    WRITABLE,
    most_requests,
    reading_suites,
    writing_suites,
)
from tests.contract.recorder import recording
from tests.contract.scrubbing import Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cirqll_client.settings import ConnectionSettings
    from tests.contract.questions import Suite


def suites_of(*, has_writes: bool) -> tuple[Suite, ...]:
    """Give what is asked of an account."""
    return (*reading_suites(), *(writing_suites() if has_writes else ()))


def plan(settings: ConnectionSettings, folder: Path, *, has_writes: bool) -> str:
    """Say what will be done, what will not, and where the files will be."""
    # One more for the names of custom fields, one for a page that a server finds too large.
    count = most_requests(suites_of(has_writes=has_writes)) + 2
    written = (
        f"One record each is created, changed and deleted: {', '.join(WRITABLE)}."
        if has_writes
        else "Nothing is created, changed or deleted."
    )
    return (
        f"Cirqll at {settings.api_url}, account {settings.account}, is asked at most {count} "
        f"questions within its rate budget, so this takes some {-(-count // 60)} minutes. "
        f"{written} One question comes with a wrong token, on purpose. "
        "Nobody is signed in or out, no limit is exceeded.\n"
        "Secrets and the values of records get stand-ins before anything is written down. "
        "Names of fields and the numbers of records stay.\n"
        f"The files will be in {folder}."
    )


def record_account(
    settings: ConnectionSettings,
    folder: Path,
    *,
    has_writes: bool,
    say: Callable[[str], object],
) -> None:
    """Record all suites. Raises any ``CirqllError`` that asking on would not change."""
    scrubber = Scrubber(secrets.token_bytes(32), api_url=settings.api_url)
    scrubber.learn_names(_names_of_custom_fields(settings, say))
    for suite in suites_of(has_writes=has_writes):
        with recording(folder / f"{suite.name}.yaml", scrubber) as tape:
            _, seen = interview(suite, settings, tape, pause=time.sleep)
        say(f"{suite.name}: {tape.length} exchanges")
        for resource, key in seen.created.items():
            say(f"The {resource} {key} was created and could not be deleted: delete it in Cirqll.")


def _names_of_custom_fields(
    settings: ConnectionSettings, say: Callable[[str], object]
) -> list[object]:
    field = resource_of_stream("fields")
    assert field
    with closing(connect(settings)) as connection:
        try:
            rows = connection.client.index(field, IndexQuery()).rows.rows
        except (NotFound, RequestRefused, ScopeMissing) as error:
            say(f"The names of custom fields are not known: {error.sentence}")
            return []
    return [row.get("name") for row in rows]
