"""The command ``cirqll verify``: its options, and what it does in which order."""

from __future__ import annotations

import json
import random
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from cirqll_client.cli.command_settings import variable, with_settings
from cirqll_client.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cirqll_client.cli.command_settings import CommandSettings
    from cirqll_client.cli.verify.outcome import StreamOutcome
    from cirqll_client.cli.verify.warehouse import Table, Warehouse
    from cirqll_client.resources import Resource
    from cirqll_client.settings import ConnectionSettings

DEFAULT_SCHEMA = "cirqll"
_SHORT_SECONDS = 2.0


@click.command()
@click.option(
    "--against",
    "url",
    metavar="URL",
    envvar="DATABASE_URL",
    help="The warehouse; DATABASE_URL. A password belongs there, as options can be seen by others.",
)
@click.option(
    "--schema",
    metavar="NAME",
    default=DEFAULT_SCHEMA,
    show_default=True,
    help="The schema with the tables; SQLite has none.",
)
@click.option(
    "--stream",
    "names",
    metavar="NAME",
    multiple=True,
    help="Verify this stream only; may be given several times.",
)
@click.option(
    "--start-date",
    metavar="DATE",
    help="Leave out what changed before; CIRQLL_START_DATE, as the tap has it.",
)
@click.option("--every-row", is_flag=True, help="Compare every row, a request for each page.")
@click.option("--ids", "shows_all_ids", is_flag=True, help="Show all ids, not only 20 of a kind.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with names that stay.")
@with_settings
def verify(  # noqa: PLR0913 - an option each
    settings: CommandSettings,
    *,
    url: str | None,
    schema: str,
    names: tuple[str, ...],
    start_date: str | None,
    every_row: bool,
    shows_all_ids: bool,
    as_json: bool,
) -> None:
    """Compare a warehouse with the account: which rows are missing, stale or too many.

    It changes nothing on either side. A table that agrees costs one request, or two if it has more
    rows than a page. What changed after the newest loaded change is no difference: the next run
    brings it. The exit code is 0 if all tables agree, and 1 if one differs or could not be
    compared.

    \b
    Example:
      cirqll verify --stream customers --stream contacts
    """  # noqa: D301 - click's mark for a paragraph that is not to be wrapped
    from cirqll_client.cli.verify.warehouse import Warehouse  # noqa: PLC0415 - help stays quick

    if not url:
        msg = "Name the warehouse, best by the variable DATABASE_URL, else by --against."
        raise click.UsageError(msg)
    resources = _resources(names)
    since = _moment(start_date or variable("start_date"))
    connection = _as_the_tap(settings.connection)
    with closing(Warehouse(url, schema=schema)) as warehouse:
        tables = _tables(warehouse, resources, schema=schema, are_named=bool(names))
        _announce(connection, warehouse, tables)
        outcomes, requests = _outcomes(
            connection, warehouse, tables, since=since, every_row=every_row
        )
        place = warehouse.place
    if as_json:
        about = {"account": connection.account, "api_url": connection.api_url}
        where = {**about, "database": place, "schema": schema}
        _print_json(where, outcomes, requests=requests, shows_all_ids=shows_all_ids)
    else:
        _print(outcomes, requests=requests, shows_all_ids=shows_all_ids)
    if any(one.result != "equal" for one in outcomes):
        raise click.exceptions.Exit(1)


Tables = dict["Resource", "Table | None"]


def _tables(
    warehouse: Warehouse, resources: Sequence[Resource], *, schema: str, are_named: bool
) -> Tables:
    """Find the tables of streams. Raises ``SettingInvalid`` where one that is wanted is missing."""
    there = warehouse.tables({one.stream: one.bookmark_field for one in resources})
    found = {one: there[one.stream] for one in resources if one.stream in there}
    missing = [one.stream for one in resources if one not in found]
    if found and not (are_named and missing):
        return found
    what = f"no table {missing[0]}" if are_named else "no table of a stream of tap-cirqll"
    msg = (
        f"There is {what} in the database {warehouse.place}, schema {schema}: name the schema with "
        "--schema and the database with --against, or run the pipeline first."
    )
    raise SettingInvalid(msg)


def _outcomes(
    settings: ConnectionSettings,
    warehouse: Warehouse,
    tables: Tables,
    *,
    since: datetime | None,
    every_row: bool,
) -> tuple[list[StreamOutcome], int]:
    from cirqll_client.cli.verify.stream_check import Sides  # noqa: PLC0415 - help stays quick
    from cirqll_client.cli.verify.verification import Meter, outcome_of  # noqa: PLC0415
    from cirqll_client.connection import connect  # noqa: PLC0415

    meter = Meter()
    with closing(connect(settings, on_sent=meter.sent, on_wait=_tell_of_wait)) as connection:
        sides = Sides(
            client=connection.client,
            timestamps=connection.timestamps,
            warehouse=warehouse,
            choose=random.randrange,
            since=since,
            reads_every_row=every_row,
        )
        outcomes = [
            outcome_of(one, table, sides=sides, meter=meter) for one, table in tables.items()
        ]
    return outcomes, meter.spent


def _resources(names: tuple[str, ...]) -> tuple[Resource, ...]:
    """Give the resources that are named, or all. Raises ``click.UsageError``."""
    from cirqll_client.resources import RESOURCES, resource_of_stream  # noqa: PLC0415

    found = []
    for name in names:
        resource = resource_of_stream(name)
        if resource is None:
            streams = ", ".join(one.stream for one in RESOURCES)
            msg = f"There is no stream {name!r}. The streams are {streams}."
            raise click.UsageError(msg)
        found.append(resource)
    return tuple(dict.fromkeys(found)) or RESOURCES


def _moment(text: str | None) -> datetime | None:
    """Read a date or a moment, in UTC if it has no zone. Raises ``click.UsageError``."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        msg = "The start date is not a date; write it like 2026-01-31 or 2026-01-31T00:00Z."
        raise click.UsageError(msg) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_the_tap(settings: ConnectionSettings) -> ConnectionSettings:
    """Take the settings that matter to whoever reads much. Raises ``SettingInvalid``."""
    return replace(
        settings,
        api_timezone=variable("api_timezone") or settings.api_timezone,
        page_size=_number("page_size") or settings.page_size,
        requests_per_minute=_number("requests_per_minute"),
    )


def _number(name: str) -> int | None:
    text = variable(name)
    if text is None:
        return None
    if text.isdecimal() and int(text) > 0:
        return int(text)
    msg = f"The variable CIRQLL_{name.upper()} must be a whole number above 0."
    raise SettingInvalid(msg)


def _announce(settings: ConnectionSettings, warehouse: Warehouse, tables: Tables) -> None:
    from cirqll_client.amounts import counted  # noqa: PLC0415 - help stays quick

    click.echo(
        f"Comparing {counted(len(tables), 'table')} of the database {warehouse.place} with the "
        f"account {settings.account} at {settings.api_url}; nothing is changed on either side.",
        err=True,
    )


def _tell_of_wait(seconds: float) -> None:
    if seconds >= _SHORT_SECONDS:
        click.echo(f"Waiting {seconds:.0f} s for the rate limit or the server.", err=True)


def _print(outcomes: Sequence[StreamOutcome], *, requests: int, shows_all_ids: bool) -> None:
    from cirqll_client.cli.verify.printed import printed  # noqa: PLC0415 - help stays quick

    click.echo(printed(outcomes, requests=requests, shows_all_ids=shows_all_ids))


def _print_json(
    where: dict[str, str],
    outcomes: Sequence[StreamOutcome],
    *,
    requests: int,
    shows_all_ids: bool,
) -> None:
    from cirqll_client.cli.verify.as_json import stream_json  # noqa: PLC0415 - help stays quick

    told = {
        **where,
        "agrees": all(one.result == "equal" for one in outcomes),
        "requests": requests,
        "streams": [stream_json(one, shows_all_ids=shows_all_ids) for one in outcomes],
    }
    click.echo(json.dumps(told, indent=2))
