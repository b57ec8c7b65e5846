"""What ``cirqll runs`` prints for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sql

from cirqll_client.amounts import counted
from cirqll_client.cli.layout import pairs, printable, table
from cirqll_client.cli.runs import run_words
from cirqll_client.databases import place_of
from cirqll_client.moments import minute
from cirqll_client.run_history import KEPT_DAYS
from cirqll_client.settings import default_store_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cirqll_client.run_history import Run
    from cirqll_client.settings import ConnectionSettings

_NOT_FINISHED = (
    "It is still going on, or its process was killed before it could tell how it ended. The next "
    "run goes on from the last state that was kept."
)


def listed(runs: Sequence[Run]) -> str:
    """List runs, and say how to see more of one."""
    rows = [run_words.run_cells(one) for one in runs]
    return f"{table(run_words.HEAD, rows)}\n\nOne run, stream by stream: cirqll runs RUN"


def run_in_full(run: Run, *, account: str, api_url: str) -> str:
    """Tell of one run all that is known."""
    return "\n\n".join(_parts(run, account=account, api_url=api_url))


def _parts(run: Run, *, account: str, api_url: str) -> Iterator[str]:
    rows, requests, waited = run_words.totals(run)
    yield pairs(
        [
            ("Run", run.id),
            ("Program", f"{run.program} {run.version}"),
            ("Account", f"{account} at {api_url}"),
            ("Began", minute(run.started_at.timestamp())),
            ("Outcome", run_words.outcome_words(run)),
            ("Rows", rows),
            ("Requests", requests),
            ("Waited", waited),
        ]
    )
    if run.error:
        yield printable(run.error)
    if run.ended_at is None:
        yield _NOT_FINISHED
    if run.streams:
        yield table(run_words.STREAM_HEAD, [run_words.stream_cells(one) for one in run.streams])
    if found := run_words.sentences(run.streams):
        yield table(("Stream", "Its certificate in words"), found)
    if warned := run_words.warnings(run.streams):
        yield table(("Stream", "Warning"), warned)


def none_incomplete(number: int) -> str:
    """Say that there is nothing to look at; ``number`` runs are known."""
    return f"No run is incomplete; the store knows {counted(number, 'run')} of this account."


def nothing_yet(settings: ConnectionSettings) -> str:
    """Say where runs would be, and how they come there."""
    return (
        f"The store knows no run of the account {settings.account} at {settings.api_url}.\n"
        f"Each run of tap-cirqll is noted there, and kept for {KEPT_DAYS} days. The store is\n"
        f"{printable(_place(settings.store_url or default_store_url()))}\n"
        "If there were runs, they are another account's, or in another store: give\n"
        "--account, --api-url and the variable CIRQLL_STORE_URL as the tap has them."
    )


def _place(store_url: str) -> str:
    """Name the file or the database; neither user nor password."""
    url = sql.make_url(store_url)
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory, so that it is empty each time"
    return place_of(url)
