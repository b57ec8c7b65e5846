"""The settings that tap and target share, in the form the Singer SDK takes, and their checking."""

from __future__ import annotations

from dataclasses import fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from singer_sdk import typing as th

from cirqll_client.settings import DEFAULT_API_URL, ConnectionSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsonschema.exceptions import ValidationError

CONNECTION_SETTINGS: tuple[th.Property[Any], ...] = (
    th.Property(
        "api_url",
        th.StringType(pattern="^https?://[^/ ]+"),
        default=DEFAULT_API_URL,
        title="API URL",
        description="The root of the API; /api lies below it.",
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        title="Access token",
        description="An access token of the account, used as it is.",
    ),
    th.Property(
        "account",
        th.StringType,
        default="default",
        title="Account",
        description="A name for the account, under which the store keeps what belongs to it.",
    ),
    th.Property(
        "store_url",
        th.StringType,
        secret=True,
        title="Store URL",
        description=(
            "Where the rate budget and what was learned about the API are kept: any SQLAlchemy "
            "URL. A SQLite file in the user's state folder if not set."
        ),
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=10_000),
        default=1000,
        title="Page size",
        description="The largest page to ask for; the server's own maximum is found out.",
    ),
    th.Property(
        "requests_per_minute",
        th.IntegerType(minimum=1),
        title="Requests per minute",
        description=(
            "The rate budget of the API client, for all processes that share the store. If not "
            "set, 60 until the server tells another limit."
        ),
    ),
    th.Property(
        "api_timezone",
        th.StringType,
        default="UTC",
        title="API time zone",
        description="The zone of the API's times, which carry none: UTC or Europe/Amsterdam.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0),
        default=60,
        title="Request timeout",
        description="Seconds to wait for an answer before the request is tried again.",
    ),
    th.Property(
        "give_up_after",
        th.NumberType(minimum=0),
        default=900,
        title="Give up after",
        description="Seconds of continuous failure after which a request gives up.",
    ),
)


def connection_settings(config: Mapping[str, Any]) -> ConnectionSettings:
    """Take the settings of the connection out of a plugin's configuration."""
    names = {each.name for each in fields(ConnectionSettings)}
    chosen = {name: value for name, value in config.items() if name in names and value is not None}
    chosen["api_url"] = str(chosen.get("api_url", DEFAULT_API_URL)).rstrip("/")
    return ConnectionSettings(**{"access_token": "", **chosen})


def setting_errors(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Give a sentence for each setting that cannot be right; values are not repeated."""
    known = schema.get("properties", {})
    errors = [_unknown(name, list(known)) for name in config if name not in known]
    validator = Draft202012Validator(dict(schema))
    return errors + [_wrong(error) for error in validator.iter_errors(dict(config))]


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    remedy = f"did you mean {close[0]}?" if close else f"remove it. Known are: {', '.join(known)}."
    return f"There is no setting {name}; {remedy}"


def _wrong(error: ValidationError) -> str:
    name = ".".join(map(str, error.absolute_path))
    if error.validator == "required":
        return f"A setting is missing: {error.message}."
    allowed = _ALLOWED.get(str(error.validator), "{0}").format(_words(error.validator_value))
    return f"The setting {name} is wrong: it must be {allowed}."


def _words(value: object) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) else str(value)


_ALLOWED = {
    "type": "of the type {0}",
    "enum": "one of {0}",
    "minimum": "at least {0}",
    "exclusiveMinimum": "more than {0}",
    "maximum": "at most {0}",
    "pattern": "of the form {0}",
    "format": "a {0}",
}
