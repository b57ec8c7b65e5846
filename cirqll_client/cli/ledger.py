"""The command ``cirqll ledger``: which rows target-cirqll wrote, and creates whose fate is open."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click

from cirqll_client.cli.command_settings import with_settings
from cirqll_client.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.cli.command_settings import CommandSettings
    from cirqll_client.ledger import Entry, Ledger
    from cirqll_client.resources import Resource


@click.group()
def ledger() -> None:
    """Look into what target-cirqll remembers of the rows that it wrote.

    The ledger keeps which record a row became, and each create that was sent and of which nobody
    knows what became of it. Such a row is a reject of the kind unknown until it is looked up.
    """


@ledger.command("list")
@with_settings
def list_(settings: CommandSettings) -> None:
    """Show the rows that are known, by resource, and the creates whose fate is open.

    Nothing is sent.
    """
    from cirqll_client.cli.layout import table  # noqa: PLC0415 - help stays quick
    from cirqll_client.ledger import ENTRY_LENGTH  # noqa: PLC0415
    from cirqll_client.moments import minute  # noqa: PLC0415

    with _opened(settings) as known:
        counts, opened = known.counts(), known.open_entries()
    name = settings.connection.account
    if not counts and not opened:
        click.echo(f"No row was written for the account {name} yet.")
        return
    if counts:
        rows = [(resource, f"{number:,}") for resource, number in sorted(counts.items())]
        click.echo(table(("Resource", "Known rows"), rows))
    if opened:
        lines = [
            (identity[:ENTRY_LENGTH], resource, minute(entry.sent_at))
            for resource, identity, entry in opened
        ]
        click.echo("\nSent, with an answer that was lost:")
        click.echo(table(("Entry", "Resource", "Sent"), lines))
        click.echo(
            "\nThe next run looks them up. Where it cannot tell, look in Cirqll yourself: if the "
            "record\nis there, `cirqll ledger settle ENTRY ID`, else `cirqll ledger forget ENTRY`."
        )


@ledger.command()
@click.argument("entry")
@with_settings
def forget(settings: CommandSettings, *, entry: str) -> None:
    """Forget a create of which you know that the record is not in Cirqll.

    The next run sends it again. If the record is there after all, it will be there twice.

    \b
    Example:
      cirqll ledger forget 3f9a01c2b7d4
    """  # noqa: D301 - click's mark for a paragraph that is not to be wrapped
    with _opened(settings) as known:
        resource, identity, found = _named(known, entry)
        known.forget(resource, identity, found)
    click.echo(f"Forgotten. The next run creates the {resource.name}.")


@ledger.command()
@click.argument("entry")
@click.argument("record_id", metavar="ID", type=click.IntRange(min=1))
@with_settings
def settle(settings: CommandSettings, *, entry: str, record_id: int) -> None:
    """Say which record in Cirqll a create made whose answer was lost.

    The next run updates it, where the row says something else.

    \b
    Example:
      cirqll ledger settle 3f9a01c2b7d4 5120
    """  # noqa: D301 - click's mark for a paragraph that is not to be wrapped
    with _opened(settings) as known:
        resource, identity, _ = _named(known, entry)
        known.remember(resource, {identity: record_id})
    click.echo(f"Noted: the row is {resource.name} {record_id}.")


@contextmanager
def _opened(settings: CommandSettings) -> Iterator[Ledger]:
    from cirqll_client.connection import account_key, open_store  # noqa: PLC0415
    from cirqll_client.ledger import Ledger  # noqa: PLC0415

    with closing(open_store(settings.connection)) as store:
        yield Ledger(store, account=account_key(settings.connection))


def _named(known: Ledger, beginning: str) -> tuple[Resource, str, Entry]:
    """Give the open entry whose name begins so. Raises ``SettingInvalid``."""
    from cirqll_client.resources import resource_of_stream  # noqa: PLC0415

    found = [one for one in known.open_entries() if one[1].startswith(beginning.strip().lower())]
    if len(found) != 1:
        which = f"{len(found)} entries begin" if found else "No open entry begins"
        msg = f"{which} with {beginning}: see `cirqll ledger list`."
        raise SettingInvalid(msg)
    name, identity, entry = found[0]
    resource = resource_of_stream(name)
    if resource is None:
        msg = f"The entry is of {name}, a resource that this version does not know: update it."
        raise SettingInvalid(msg)
    return resource, identity, entry
