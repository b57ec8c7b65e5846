"""The command `cirqll sandbox`: options in, a running server and plain words out."""

from __future__ import annotations

import click


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Loopback address to listen on."
)
@click.option(
    "--port",
    default=8765,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option("--seed", default=1, show_default=True, help="Another seed, another company.")
@click.option(
    "--size",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="How many rows: 1 is some 6,000 in all, 0 is none.",
)
@click.option(
    "--rate-limit",
    default=60,
    show_default=True,
    type=click.IntRange(min=0),
    help="Requests a minute; 0 is no limit.",
)
@click.option(
    "--page-maximum",
    default=1000,
    show_default=True,
    type=click.IntRange(min=1),
    help="Largest page.",
)
@click.option(
    "--page-maximum-mode",
    default="cap",
    show_default=True,
    type=click.Choice(["cap", "cap_silently", "refuse", "obey"]),
    help="What a request for a larger page gets.",
)
@click.option(
    "--timezone",
    default="UTC",
    show_default=True,
    help="Zone that times are written in, such as Europe/Amsterdam.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND[:PROBABILITY]",
    help="Let something go wrong, e.g. 503:0.1. Repeatable.",
)
@click.option(
    "--behaviour",
    "behaviours",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set any option of the behaviour, e.g. price_places=2. Repeatable.",
)
@click.option("--latency", default=0.0, metavar="MS", help="Milliseconds before each answer.")
@click.option("--ignore-filter", is_flag=True, help="Ignore the filter.")
@click.option("--ignore-order", is_flag=True, help="Ignore the order.")
@click.option("--undocumented-fields", is_flag=True, help="Add fields that nobody documented.")
@click.option("--drift", is_flag=True, help="Add fields that change over time, of all kinds.")
@click.option("--edit-rate", default=0.0, metavar="ROWS", help="Rows that change each second.")
@click.option("--scopes", help="What the token may do, e.g. 'customer.read.all user.read.all'.")
@click.option(
    "--token-service",
    default="cirqll",
    show_default=True,
    type=click.Choice(["cirqll", "luca"]),
    help="Whose habits the sign-in has.",
)
@click.option(
    "--access-token-seconds",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long an access token lives.  [default: as the service does]",
)
@click.option(
    "--redirect-uri",
    "redirect_uris",
    multiple=True,
    metavar="URL",
    help="Where the browser may go after signing in, besides loopback. Repeatable.",
)
@click.option("--list-faults", is_flag=True, help="List the kinds of faults.")
@click.option("--list-behaviour", is_flag=True, help="List the options of the behaviour.")
def sandbox(
    *, host: str, port: int, faults: tuple[str, ...], list_faults: bool, list_behaviour: bool,
    **options: object,
) -> None:  # fmt: skip
    """Run a local Cirqll with invented data.

    It needs no account and leaves no trace. Ctrl-C stops it.
    """
    try:
        from cirqll_sandbox import startup  # noqa: PLC0415 - help and completion stay quick
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        if missing not in {"starlette", "uvicorn"}:
            raise
        message = (
            f"The sandbox needs {missing}, which is not installed. "
            "Install the extra: pip install 'tap-cirqll[sandbox]'."
        )
        raise click.ClickException(message) from error

    if list_faults:
        click.echo(startup.fault_list())
        return
    if list_behaviour:
        click.echo(startup.behaviour_list())
        return
    startup.serve(host=host, port=port, faults=faults, options=options)
