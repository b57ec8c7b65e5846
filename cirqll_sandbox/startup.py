"""Starting the sandbox from the command line, and telling how to use it."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from cirqll_sandbox.app import build_app
from cirqll_sandbox.behaviour import Behaviour
from cirqll_sandbox.changes import UnknownBehaviourError, changed, is_timezone
from cirqll_sandbox.drift import Drift
from cirqll_sandbox.exact_json import dumps
from cirqll_sandbox.faults import FAULT_KINDS, UnknownFaultError
from cirqll_sandbox.sandbox import Sandbox
from cirqll_sandbox.scopes import refuse_unknown
from cirqll_sandbox.server import PortInUseError, Server, listen, url_of
from cirqll_sandbox.token_services import TOKEN_SERVICES

if TYPE_CHECKING:
    from collections.abc import Mapping


def serve(*, host: str, port: int, faults: tuple[str, ...], options: Mapping[str, Any]) -> None:
    """Run until Ctrl-C or SIGTERM; a `ClickException` says in a sentence what is wrong."""
    _check_host(host)
    sandbox = _sandbox(options)
    for fault in faults:
        _add_fault(sandbox, fault)
    try:
        listening = listen(host, port)
    except PortInUseError as error:
        message = (
            f"The sandbox cannot listen on {host} port {port}: {error}. "
            "Stop the program that uses it, or choose another with --port (0 takes a free one)."
        )
        raise click.ClickException(message) from error
    listening.listen()
    click.echo(welcome(sandbox, url_of(listening)))
    Server(build_app(sandbox)).run(sockets=[listening])
    click.echo("The sandbox has stopped.")


def welcome(sandbox: Sandbox, url: str) -> str:
    """What a user needs to know to use it."""
    counts = sandbox.row_counts()
    rows = "\n".join(f"  {name:<12} {number:>8,}" for name, number in counts.items())
    budget = sandbox.behaviour.rate_limit
    limit = f"{budget} requests a minute" if budget else "no rate limit"
    return f"""\
The sandbox is running: a local Cirqll with invented data ({limit}).

  {url}

Put this into the file .env, and sign in with `cirqll login`:

  CIRQLL_API_URL={url}
  CIRQLL_CLIENT_ID={sandbox.client.id}
  CIRQLL_CLIENT_SECRET={sandbox.client.secret}

To do without signing in, put a fixed access token there in place of the client:

  CIRQLL_ACCESS_TOKEN={sandbox.access_token}

It holds {sum(counts.values()):,} rows:

{rows}

Look at a row:

  curl -g -H 'Authorization: Bearer {sandbox.access_token}' '{url}/api/customer?limit=1'

Change a row, as somebody in the company would:

  curl -X PATCH {url}/_sandbox/rows/customer/1 -d '{{"name": "A new name"}}'

Delete a customer, and bring it back:

  curl -X POST {url}/_sandbox/delete -d '{{"resource": "customer", "ids": [2]}}'
  curl -X POST {url}/_sandbox/restore -d '{{"resource": "customer", "ids": [2]}}'

Let something go wrong, and let it go well again:

  curl -X POST {url}/_sandbox/faults -d '{{"kind": "503", "probability": 0.1}}'
  curl -X DELETE {url}/_sandbox/faults

Stop it with Ctrl-C.
"""


def fault_list() -> str:
    """The kinds of faults, each with what it does."""
    return "\n".join(f"  {kind:<26} {text}" for kind, text in FAULT_KINDS.items())


def behaviour_list() -> str:
    """The options of the behaviour, each with its default as JSON."""
    defaults = asdict(Behaviour())
    return "\n".join(f"  {name:<30} {dumps(value)}" for name, value in defaults.items())


def _sandbox(options: Mapping[str, Any]) -> Sandbox:
    seconds = options["access_token_seconds"]
    behaviour = Behaviour(
        **{
            **TOKEN_SERVICES[options["token_service"]],
            **({} if seconds is None else {"access_token_seconds": seconds}),
        },
        rate_limit=options["rate_limit"],
        page_maximum=options["page_maximum"],
        page_maximum_mode=options["page_maximum_mode"],
        timezone=_zone(options["timezone"]),
        latency_seconds=options["latency"] / 1000,
        filter_mode="ignore" if options["ignore_filter"] else "honour",
        order_mode="ignore" if options["ignore_order"] else "honour",
        edits_per_second=options["edit_rate"],
    )
    for text in options["behaviours"]:
        behaviour = _changed(behaviour, text)
    sandbox = Sandbox(
        seed=options["seed"],
        size=options["size"],
        behaviour=behaviour,
        scopes=_scopes(options["scopes"]),
        undocumented_fields=options["undocumented_fields"],
        drift=Drift() if options["drift"] else None,
    )
    client = sandbox.client
    sandbox.add_client(
        client.id,
        secret=client.secret,
        redirect_uris=(*client.redirect_uris, *options["redirect_uris"]),
        name=client.name,
    )
    return sandbox


def _changed(behaviour: Behaviour, text: str) -> Behaviour:
    """The behaviour with an option written `name=value`; a value is JSON, or a text as it is."""
    name, _, value = text.partition("=")
    try:
        return changed(behaviour, **{name: _value(value)})
    except UnknownBehaviourError as error:
        raise click.BadParameter(str(error), param_hint="--behaviour") from error


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _scopes(text: str | None) -> list[str] | None:
    if text is None:
        return None
    scopes = text.replace(",", " ").split()
    try:
        refuse_unknown(scopes)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--scopes") from error
    return scopes


def _zone(name: str) -> str:
    if not is_timezone(name):
        message = f"{name!r} is no time zone. One looks like Europe/Amsterdam."
        raise click.BadParameter(message, param_hint="--timezone")
    return name


def _check_host(host: str) -> None:
    if not _is_loopback(host):
        message = f"{host} is no loopback address. The sandbox has no locks: it stays on 127.0.0.1."
        raise click.BadParameter(message, param_hint="--host")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _add_fault(sandbox: Sandbox, text: str) -> None:
    kind, _, probability = text.partition(":")
    try:
        sandbox.faults.add(kind, probability=float(probability or 1))
    except UnknownFaultError as error:
        raise click.BadParameter(str(error), param_hint="--fault") from error
    except ValueError:
        message = f"The probability of the fault {kind!r} is a number such as 0.1."
        raise click.BadParameter(message, param_hint="--fault") from None
