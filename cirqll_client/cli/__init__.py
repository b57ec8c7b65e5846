"""The command ``cirqll``: what a person does around a pipeline."""

from __future__ import annotations

import io
import sys
from importlib import import_module
from typing import Any

import click

from cirqll_client.errors import SettingInvalid
from cirqll_client.settings import load_env_file

_COMMANDS = {
    "connect": "cirqll_client.cli.connect:connect",
    "doctor": "cirqll_client.cli.doctor.command:doctor",
    "ledger": "cirqll_client.cli.ledger:ledger",
    "login": "cirqll_client.cli.login.command:login",
    "logout": "cirqll_client.cli.logout:logout",
    "runs": "cirqll_client.cli.runs.command:runs",
    "sandbox": "cirqll_sandbox.cli:sandbox",
    "tokens": "cirqll_client.cli.tokens.commands:tokens",
    "verify": "cirqll_client.cli.verify.command:verify",
    "whoami": "cirqll_client.cli.whoami:whoami",
}
"""Where each command stands. It is imported when it is asked for, so that the others stay quick."""
_INTERRUPTED = 130


class _Commands(click.Group):
    """A group whose commands are imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the alphabet."""
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        module, _, name = _COMMANDS.get(cmd_name, "").partition(":")
        command: click.Command | None = getattr(import_module(module), name) if module else None
        return command

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - a command's own
        """Run a command; Ctrl-C ends it without a word, and with the exit code of a shell."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tap-cirqll", prog_name="cirqll")
def main() -> None:
    """Sign in to Cirqll, look after the tokens, and try things on a local Cirqll.

    Settings come from the environment or a file .env beside you: CIRQLL_CLIENT_ID and so on.
    """
    _print_everywhere()
    try:
        load_env_file()
    except SettingInvalid as error:
        sentence = error.sentence
    else:
        return
    raise click.ClickException(sentence)


def _print_everywhere() -> None:
    """Let a name that a terminal's encoding does not have show as ``?``, and stop nothing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
