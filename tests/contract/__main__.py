"""Record the exchanges with Cirqll for the contract tests: `make record`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cirqll_client.cli.command_settings import with_settings
from cirqll_client.settings import load_env_file
from tests.contract.account_stage import plan, record_account
from tests.contract.judgement import judge
from tests.contract.recordings import FOLDER, SANDBOX, folders
from tests.contract.sandbox_stage import record_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.cli.command_settings import CommandSettings


@click.command()
@click.option("--sandbox", "is_sandbox", is_flag=True, help="Record the sandbox, anew.")
@click.option("--judge", "is_judge", is_flag=True, help="Record nothing; say what recordings say.")
@click.option("--writes", "has_writes", is_flag=True, help="Create, change and delete records too.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask whether to write.")
@click.option(
    "--into",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=FOLDER / "account",
    help="Where the files will be; tests/contract/recordings/account if not given.",
)
@with_settings
def main(  # noqa: PLR0913 - an option each
    settings: CommandSettings,
    *,
    is_sandbox: bool,
    is_judge: bool,
    has_writes: bool,
    is_sure: bool,
    folder: Path,
) -> None:
    """Record how Cirqll answers, free of secrets and personal data.

    The account is the one of the settings (CIRQLL_API_URL, CIRQLL_ACCOUNT or CIRQLL_ACCESS_TOKEN).
    It is only read, unless --writes is given. In the end it is said what contradicts that which is
    known or guessed about the API.
    """
    if is_judge:
        for each in folders():
            _say_judgement(each)
        return
    if is_sandbox:
        folder = SANDBOX
        _put_in_place(record_sandbox, folder)
    else:
        connection = settings.connection
        click.echo(plan(connection, folder, has_writes=has_writes))
        if has_writes and not is_sure:
            click.confirm("Write to this account?", abort=True)
        _put_in_place(
            lambda new: record_account(connection, new, has_writes=has_writes, say=click.echo),
            folder,
        )
        click.echo("Read the files through before you hand them on.")
    _say_judgement(folder)


def _put_in_place(record: Callable[[Path], object], folder: Path) -> None:
    """Replace the recordings of a folder, once all are there."""
    with tempfile.TemporaryDirectory() as new:
        record(Path(new))
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.yaml"):
            old.unlink()
        for file in Path(new).glob("*.yaml"):
            shutil.copy(file, folder)


def _say_judgement(folder: Path) -> None:
    lines = judge(folder).lines() or ["nothing is otherwise than expected"]
    click.echo("\n".join([f"What {folder.name} says:", *(f"  {line}" for line in lines)]))


if __name__ == "__main__":
    load_env_file()
    main(prog_name="make record")
