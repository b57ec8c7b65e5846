"""The command ``cirqll runs``: its options, and which runs it looks up."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click

from cirqll_client.cli.command_settings import with_settings
from cirqll_client.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.cli.command_settings import CommandSettings
    from cirqll_client.run_history import Run, RunHistory
    from cirqll_client.settings import ConnectionSettings

_LAST = 20


@click.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option(
    "--last",
    "most",
    metavar="N",
    type=click.IntRange(min=1),
    default=_LAST,
    show_default=True,
    help="The most runs to show.",
)
@click.option(
    "--incomplete",
    "only_incomplete",
    is_flag=True,
    help="Only runs that did not end well, or have a certificate that is not complete.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with names that stay.")
@with_settings
def runs(
    settings: CommandSettings,
    *,
    run_id: str | None,
    most: int,
    only_incomplete: bool,
    as_json: bool,
) -> None:
    """Show what past runs did, and whether rows are missing.

    The last runs of tap-cirqll, or one of them stream by stream. A certificate says whether all
    rows came that Cirqll counts: complete, INCOMPLETE, or unknown where that cannot be told. Runs
    are kept in the store for 90 days. Nothing is sent.

    \b
    Example:
      cirqll runs --incomplete
      cirqll runs 3f9a01c2
    """  # noqa: D301 - click's mark for a paragraph that is not to be wrapped
    if run_id is not None and only_incomplete:
        msg = "--incomplete is for the list: leave it out, or leave the run out."
        raise click.UsageError(msg)
    connection = settings.connection
    if run_id is not None:
        _print_run(connection, run_id, as_json=as_json)
    else:
        _print_list(connection, most=most, only_incomplete=only_incomplete, as_json=as_json)


def _print_run(settings: ConnectionSettings, run_id: str, *, as_json: bool) -> None:
    """Print one run. Raises ``SettingInvalid`` if there is none of that id."""
    from cirqll_client.cli.runs import printed  # noqa: PLC0415 - help stays quick
    from cirqll_client.cli.runs.run_json import run_json  # noqa: PLC0415

    start = run_id.strip()
    with _opened(settings) as history:
        run = history.run(start)
        if run is None:
            raise SettingInvalid(_not_one(run_id, found=len(history.beginning_with(start))))
    if as_json:
        click.echo(json.dumps({**_about(settings), **run_json(run)}, indent=2))
    else:
        click.echo(printed.run_in_full(run, account=settings.account, api_url=settings.api_url))


def _print_list(
    settings: ConnectionSettings, *, most: int, only_incomplete: bool, as_json: bool
) -> None:
    from cirqll_client.cli.runs import printed  # noqa: PLC0415 - help stays quick
    from cirqll_client.cli.runs.run_json import run_json  # noqa: PLC0415
    from cirqll_client.run_history import MOST_RUNS  # noqa: PLC0415

    with _opened(settings) as history:
        known = history.last(most=MOST_RUNS if only_incomplete else most)
    shown = _chosen(known, most=most, only_incomplete=only_incomplete)
    if as_json:
        told = {**_about(settings), "runs": [run_json(one) for one in shown]}
        click.echo(json.dumps(told, indent=2))
    elif shown:
        click.echo(printed.listed(shown))
    elif known:
        click.echo(printed.none_incomplete(len(known)))
    else:
        click.echo(printed.nothing_yet(settings))


def _chosen(known: list[Run], *, most: int, only_incomplete: bool) -> list[Run]:
    wanted = [one for one in known if not (only_incomplete and one.is_complete)]
    return wanted[:most]


def _about(settings: ConnectionSettings) -> dict[str, str]:
    return {"account": settings.account, "api_url": settings.api_url}


@contextmanager
def _opened(settings: ConnectionSettings) -> Iterator[RunHistory]:
    from cirqll_client.connection import account_key, open_store  # noqa: PLC0415 - help stays quick
    from cirqll_client.run_history import RunHistory  # noqa: PLC0415

    with closing(open_store(settings)) as store:
        yield RunHistory(store, account=account_key(settings))


def _not_one(start: str, *, found: int) -> str:
    if found:
        return f"{found} runs begin with '{start}': give more of what `cirqll runs` shows."
    return (
        f"No run begins with '{start}': `cirqll runs` shows those that there are. It may be too "
        "long ago, or be another account's: see --account."
    )
