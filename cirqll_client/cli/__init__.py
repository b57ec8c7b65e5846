"""The command ``cirqll``: what a person does around tap and target."""

from __future__ import annotations

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tap-cirqll", prog_name="cirqll")
def main() -> None:
    """Everything around moving data between Cirqll and other systems."""
