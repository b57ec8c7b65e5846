"""The command ``cirqll doctor``: its options, and what it does in which order."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cirqll_client.cli.command_settings import variable, with_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cirqll_client.cli.command_settings import CommandSettings
    from cirqll_client.cli.doctor.diagnosis import Diagnosis
    from cirqll_client.resources import Resource
    from cirqll_client.settings import ConnectionSettings

MOST_REQUESTS = 60
LEAST_REQUESTS = 4
"""Two for the user, one for a stream, and one in reserve."""
REPORT_FILE = "cirqll-report.json"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with names that stay.")
@click.option(
    "--report",
    metavar="[FILE]",
    is_flag=False,
    flag_value=REPORT_FILE,
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Write a report without personal data for the maintainers; to {REPORT_FILE}.",
)
@click.option(
    "--stream",
    "names",
    metavar="NAME",
    multiple=True,
    help="Check this stream only; may be given several times. It must be readable then.",
)
@click.option(
    "--requests",
    "most_requests",
    type=click.IntRange(min=LEAST_REQUESTS),
    default=MOST_REQUESTS,
    show_default=True,
    help="The most requests to send.",
)
@with_settings
def doctor(
    settings: CommandSettings,
    *,
    as_json: bool,
    report: Path | None,
    names: tuple[str, ...],
    most_requests: int,
) -> None:
    """Check a connection, and say in plain words what works.

    It only reads, and what it finds is kept for 30 days: runs begin with the questions that work.
    The exit code is 0 if the account can be read, also if some things make that slower, and 1 if
    something stops it.

    \b
    Example:
      cirqll doctor --stream customers --report
    """  # noqa: D301 - click's mark for a paragraph that is not to be wrapped
    from cirqll_client.cli.doctor.printed import printed  # noqa: PLC0415 - help stays quick

    resources = _resources(names)
    connection = _with_zone(settings.connection)
    click.echo(
        f"Checking the account {connection.account} at {connection.api_url}: at most "
        f"{most_requests} requests, which only read.",
        err=True,
    )
    found = _diagnosis(connection, resources, most_requests=most_requests, is_limited=bool(names))
    _print_json(found) if as_json else click.echo(printed(found))
    if report:
        _report(found, report)
    if found.stops:
        raise click.exceptions.Exit(1)


def _diagnosis(
    settings: ConnectionSettings,
    resources: Sequence[Resource],
    *,
    most_requests: int,
    is_limited: bool,
) -> Diagnosis:
    """Ask, judge, and keep what was found. Raises ``SettingInvalid``, ``Unavailable``."""
    from cirqll_client.cli.doctor.asking import Asker, Meter  # noqa: PLC0415 - help stays quick
    from cirqll_client.cli.doctor.diagnosis import diagnosis  # noqa: PLC0415
    from cirqll_client.cli.doctor.evidence import Evidence  # noqa: PLC0415
    from cirqll_client.cli.doctor.examination import Examination  # noqa: PLC0415
    from cirqll_client.cli.doctor.learning import learn  # noqa: PLC0415
    from cirqll_client.connection import connect, timestamps_in  # noqa: PLC0415
    from cirqll_client.errors import SignInRequired  # noqa: PLC0415
    from cirqll_client.learned_columns import LearnedColumns  # noqa: PLC0415
    from cirqll_client.token_owner import hasty  # noqa: PLC0415

    evidence = Evidence(
        settings.api_url,
        settings.account,
        settings.api_timezone,
        is_limited_to_streams=is_limited,
        most_requests=most_requests,
        unasked=list(resources),
    )
    zones = {
        zone: timestamps_in(zone)
        for zone in dict.fromkeys((settings.api_timezone, "UTC", "Europe/Amsterdam"))
    }
    meter = Meter(most_requests)
    try:
        connection = connect(
            hasty(settings), on_sent=meter.sent, on_wait=_tell_of_wait, pause=meter.pause
        )
    except SignInRequired as error:
        evidence.ended, evidence.dead = error.sentence, "token"
        return diagnosis(evidence, zones=zones)
    with closing(connection):
        asker = Asker(connection.client, meter)
        examination = Examination(asker, evidence, timestamps=connection.timestamps)
        examination.examine(resources)
        evidence.scopes = connection.scopes()
        learned = LearnedColumns(connection.store, account=connection.account)
        evidence.columns = {one.stream: learned.of(one.stream) for one in resources}
        evidence.requests, evidence.seconds = meter.spent, meter.seconds
        found = diagnosis(evidence, zones=zones)
        learn(connection.client.findings, found)
    return found


def _resources(names: tuple[str, ...]) -> tuple[Resource, ...]:
    """Give the resources that are named, or all. Raises ``click.UsageError``."""
    from cirqll_client.resources import RESOURCES, resource_of_stream  # noqa: PLC0415

    named = {name: resource_of_stream(name) for name in names}
    unknown = [name for name, resource in named.items() if resource is None]
    if unknown:
        streams = ", ".join(one.stream for one in RESOURCES)
        msg = f"There is no stream {unknown[0]!r}. The streams are {streams}."
        raise click.UsageError(msg)
    return tuple(dict.fromkeys(filter(None, named.values()))) or RESOURCES


def _with_zone(settings: ConnectionSettings) -> ConnectionSettings:
    zone = variable("api_timezone")
    return replace(settings, api_timezone=zone) if zone else settings


_SHORT_SECONDS = 2.0


def _tell_of_wait(seconds: float) -> None:
    if seconds >= _SHORT_SECONDS:
        click.echo(f"Waiting {seconds:.0f} s for the rate limit or the server.", err=True)


def _print_json(found: Diagnosis) -> None:
    from cirqll_client.cli.doctor.as_json import as_json  # noqa: PLC0415

    click.echo(json.dumps(as_json(found), indent=2))


def _report(found: Diagnosis, path: Path) -> None:
    """Write the report, and show what is in it."""
    from cirqll_client.cli.doctor.report import report_text, write_report  # noqa: PLC0415

    text = report_text(found)
    write_report(path, text)
    click.echo(f"\n{text}", err=True, nl=False)
    click.echo(
        f"This is what stands in {path}: what the API does, and the names, types and lengths of "
        "fields; no value, no name of a person or a company. Read it before you send it to the "
        "maintainers.",
        err=True,
    )
