"""The command ``cirqll ledger``: which rows target-cirqll wrote, and creates whose fate is open."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import click

from cirqll_client.cli.command_settings import with_settings
from cirqll_client.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cirqll_client.cli.command_settings import CommandSettings
    from cirqll_client.ledger import Entry, Ledger
    from cirqll_client.resources import Resource

    Open = tuple[str, str, Entry]
    """Of which resource, the identity of the row, and what the ledger knows of it."""

_WHAT_TO_DO = """
Leave them to a run that is still going on; the next one looks them up. A row of which it cannot
tell is a reject of the kind unknown: look in Cirqll yourself. If its record is there, run
`cirqll ledger settle ENTRY ID`, if it is not, `cirqll ledger forget ENTRY`; then run again."""


@click.group()
def ledger() -> None:
    """Look into what target-cirqll remembers of the rows that it wrote.

    The ledger keeps which record a row became, and each create that was sent and of which nobody
    knows what became of it. Such a row is a reject of the kind unknown until it is looked up.
    """


def _resource_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a user tell entries of one name apart: rows of several resources may have one key."""
    words = "Of which resource it is, if entries of several begin alike."
    return click.option("--resource", "of", metavar="NAME", help=words)(command)


@ledger.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with names that stay.")
@with_settings
def list_(settings: CommandSettings, *, as_json: bool) -> None:
    """Show how many rows are known, and which creates are open.

    Nothing is sent.
    """
    with _opened(settings) as known:
        counts, entries = known.counts(), known.open_entries()
    where = settings.connection
    if as_json:
        about = {"account": where.account, "api_url": where.api_url}
        click.echo(json.dumps({**about, **_as_json(counts, entries)}, indent=2))
    elif counts or entries:
        click.echo("\n\n".join(_parts(counts, entries)))
    else:
        click.echo(
            f"The store knows no row that was written for the account {where.account} at "
            f"{where.api_url}.\nIf there are some, they are known by another name or in another "
            "store: give --account,\n--api-url and the variable CIRQLL_STORE_URL as "
            "target-cirqll has them."
        )


@ledger.command()
@click.argument("entry")
@_resource_option
@with_settings
def forget(settings: CommandSettings, *, entry: str, of: str | None) -> None:
    """Forget a create that, as you know, did not happen.

    The next run that reads the row sends it again. If the record is there after all, it will be
    there twice.

    \b
    Example:
      cirqll ledger forget 3f9a01c2b7d4
    """  # noqa: D301 - click's mark for a paragraph that is not to be wrapped
    with _opened(settings) as known:
        resource, identity, found = _named(known, entry, of=of)
        known.forget(resource, identity, found)
    click.echo(f"Forgotten. The next run that reads the row creates the {resource.name}.")


@ledger.command()
@click.argument("entry")
@click.argument("record_id", metavar="ID", type=click.IntRange(min=1))
@_resource_option
@with_settings
def settle(settings: CommandSettings, *, entry: str, record_id: int, of: str | None) -> None:
    """Say which record in Cirqll a create made whose answer was lost.

    The next run that reads the row updates that record, where the row says something else.

    \b
    Example:
      cirqll ledger settle 3f9a01c2b7d4 5120
    """  # noqa: D301 - click's mark for a paragraph that is not to be wrapped
    with _opened(settings) as known:
        resource, identity, found = _named(known, entry, of=of)
        _check_made(known, resource, found, record_id=record_id)
        known.remember(resource, {identity: record_id})
    click.echo(
        f"Settled: the row is {resource.name} {record_id}. The next run that reads it goes on "
        "from there."
    )


@ledger.command()
@click.argument("resource")
@click.argument("record_id", metavar="[ID]", required=False, type=click.IntRange(min=1))
@with_settings
def release(settings: CommandSettings, *, resource: str, record_id: int | None) -> None:
    """Forget which rows became a record, or all of a resource.

    Its next row is matched anew: by match_on, or it is created. For a record whose row is gone for
    good and has a new key, or for records that were deleted in Cirqll and are to be there again.

    \b
    Example:
      cirqll ledger release customer 5120
    """  # noqa: D301 - click's mark for a paragraph that is not to be wrapped
    from cirqll_client.resources import resource_of_stream  # noqa: PLC0415 - help stays quick

    found = resource_of_stream(resource)
    if found is None:
        msg = f"There is no resource {resource} in Cirqll: name one such as customer."
        raise SettingInvalid(msg)
    with _opened(settings) as known:
        if record_id is None:
            number = known.release_all(found)
        else:
            rows = known.claims(found, [record_id]).get(record_id, set())
            known.release(found, rows)
            number = len(rows)
    what = found.stream if record_id is None else f"{found.name} {record_id}"
    click.echo(f"Forgot which rows are {what}: {number:,} {'row' if number == 1 else 'rows'}.")


@contextmanager
def _opened(settings: CommandSettings) -> Iterator[Ledger]:
    from cirqll_client.connection import account_key, open_store  # noqa: PLC0415 - help stays quick
    from cirqll_client.ledger import Ledger  # noqa: PLC0415

    with closing(open_store(settings.connection)) as store:
        yield Ledger(store, account=account_key(settings.connection))


def _parts(counts: Mapping[str, int], entries: list[Open]) -> Iterator[str]:
    from cirqll_client.cli.layout import table  # noqa: PLC0415 - help stays quick
    from cirqll_client.moments import minute  # noqa: PLC0415

    if counts:
        rows = [(resource, f"{number:,}") for resource, number in sorted(counts.items())]
        yield table(("Resource", "Known rows"), rows)
    if entries:
        lines = [
            (_name(identity), resource, minute(entry.sent_at), _place(entry))
            for resource, identity, entry in entries
        ]
        head = ("Entry", "Resource", "Sent", "Its ID, if it is there")
        yield "Sent, and no answer is noted:\n" + table(head, lines) + "\n" + _WHAT_TO_DO


def _as_json(counts: Mapping[str, int], entries: list[Open]) -> dict[str, Any]:
    from cirqll_client.moments import iso  # noqa: PLC0415 - help stays quick

    return {
        "known_rows": dict(sorted(counts.items())),
        "open_entries": [
            {
                "entry": _name(identity),
                "resource": resource,
                "sent_at": iso(entry.sent_at),
                "id_above": entry.floor_id,
            }
            for resource, identity, entry in entries
        ],
    }


def _name(identity: str) -> str:
    from cirqll_client.ledger import ENTRY_LENGTH  # noqa: PLC0415 - help stays quick

    return identity[:ENTRY_LENGTH]


def _place(entry: Entry) -> str:
    return "any" if entry.floor_id is None else f"above {entry.floor_id}"


def _named(known: Ledger, beginning: str, *, of: str | None) -> tuple[Resource, str, Entry]:
    """Give the open entry whose name begins so. Raises ``SettingInvalid``."""
    from cirqll_client.resources import resource_of_stream  # noqa: PLC0415 - help stays quick

    start = beginning.strip().lower()
    wanted = resource_of_stream(of) if of else None
    found = [
        (resource, identity, entry)
        for name, identity, entry in known.open_entries()
        if start and identity.startswith(start) and (resource := resource_of_stream(name))
        if not of or resource == wanted
    ]
    if len(found) != 1:
        names = [resource.name for resource, *_ in found]
        raise SettingInvalid(_not_one(f"'{beginning}'" + (f" of {of}" if of else ""), names))
    return found[0]


def _not_one(beginning: str, resources: list[str]) -> str:
    if not resources:
        return (
            f"No open entry begins with {beginning}: `cirqll ledger list` shows those that there "
            "are. It may be settled already, or be another account's: see --account."
        )
    if len(set(resources)) == len(resources):
        names = " and ".join(f"one of {name}" for name in sorted(resources))
        return f"Several open entries begin with {beginning}, {names}: add --resource."
    return (
        f"{len(resources)} open entries begin with {beginning}: give more of the name that "
        "`cirqll ledger list` shows."
    )


def _check_made(known: Ledger, resource: Resource, entry: Entry, *, record_id: int) -> None:
    """Refuse a record that the create cannot have made. Raises ``SettingInvalid``."""
    what = f"{resource.name} {record_id}"
    if record_id <= (entry.floor_id or 0):
        msg = (
            f"The row did not become {what}, which was there before it was sent: the ID is above "
            f"{entry.floor_id}. If you want the row to update {what}, forget the entry and let "
            "match_on find the record."
        )
        raise SettingInvalid(msg)
    if known.claims(resource, [record_id]):
        msg = f"The row did not become {what}, for another row did. Check the ID in Cirqll."
        raise SettingInvalid(msg)
