"""The command ``cirqll``: what a person does around tap and target."""

from __future__ import annotations

from importlib import import_module

import click

_COMMANDS = {"sandbox": "cirqll_sandbox.cli:sandbox"}
"""Where each command stands. It is imported when it is asked for, so that the others stay quick."""


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


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tap-cirqll", prog_name="cirqll")
def main() -> None:
    """Tools around the tap: so far, a local Cirqll to try it on."""
