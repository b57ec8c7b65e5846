"""The settings that tap and target share, in the form the Singer SDK takes, and their checking."""

from __future__ import annotations

import json
from dataclasses import fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from singer_sdk import typing as th
from singer_sdk.configuration._dict_config import parse_environment_config

from cirqll_client.settings import DEFAULT_API_URL, ConnectionSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsonschema.exceptions import ValidationError

_DEFAULTS = {each.name: each.default for each in fields(ConnectionSettings)}

CONNECTION_SETTINGS: tuple[th.Property[Any], ...] = (
    th.Property(
        "api_url",
        th.StringType(pattern="^https?://[^/ ]+"),
        default=_DEFAULTS["api_url"],
        title="API URL",
        description="The root of the API; /api and /oauth lie below it.",
    ),
    th.Property(
        "client_id",
        th.StringType,
        title="Client ID",
        description=(
            "The OAuth client, made in Cirqll under Settings > Marketplace. If not set, the one "
            "that the account signed in with."
        ),
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client secret",
        description="The secret of the OAuth client.",
    ),
    th.Property(
        "account",
        th.StringType,
        default=_DEFAULTS["account"],
        title="Account",
        description="Which signed-in account of the store to use: `cirqll login --account NAME`.",
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        title="Refresh token",
        description=(
            "A refresh token to begin with, for those who do not sign in by `cirqll login`. Used "
            "once; from then on the store has newer ones."
        ),
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        title="Access token",
        description=(
            "An access token that is used as it is, in place of a sign-in, and never renewed."
        ),
    ),
    th.Property(
        "token_url",
        th.StringType(pattern="^https?://[^/ ]+"),
        title="Token URL",
        description=(
            "Where tokens are renewed. If not set, where the account signed in, else /oauth/token "
            "below api_url."
        ),
    ),
    th.Property(
        "store_url",
        th.StringType,
        secret=True,
        title="Store URL",
        description=(
            "Where tokens, the rate budget and what was learned about the API are kept: any "
            "SQLAlchemy URL. A SQLite file in the user's state folder if not set."
        ),
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=10_000),
        default=_DEFAULTS["page_size"],
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
        default=_DEFAULTS["api_timezone"],
        title="API time zone",
        description="The zone of the API's times, which carry none: UTC or Europe/Amsterdam.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0),
        default=_DEFAULTS["request_timeout"],
        title="Request timeout",
        description="Seconds to wait for an answer before the request is tried again.",
    ),
    th.Property(
        "give_up_after",
        th.NumberType(minimum=0),
        default=_DEFAULTS["give_up_after"],
        title="Give up after",
        description="Seconds of continuous failure after which a request gives up.",
    ),
)


def settings_given(config: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing: null, and the empty text of a variable that has no value."""
    return {
        name: value
        for name, value in config.items()
        if value is not None and not (isinstance(value, str) and not value.strip())
    }


def connection_settings(config: Mapping[str, Any]) -> ConnectionSettings:
    """Take the settings of the connection out of a plugin's configuration.

    A line break behind a secret that was read from a file is none of the secret.
    """
    names = {each.name for each in fields(ConnectionSettings)}
    chosen: dict[str, Any] = {
        name: value.strip() if isinstance(value, str) else value
        for name, value in settings_given(config).items()
        if name in names
    }
    chosen["api_url"] = str(chosen.get("api_url", DEFAULT_API_URL)).rstrip("/")
    return ConnectionSettings(**chosen)


def environment_settings(schema: Mapping[str, Any], *, prefix: str) -> dict[str, Any]:
    """Take settings from environment variables (and ``.env``), in the types of the schema.

    What cannot be of its type stays text, for ``setting_errors`` to name.
    """
    properties = schema["properties"]
    texts = {"properties": {name: {"type": "string"} for name in properties}}
    return typed_settings(parse_environment_config(texts, prefix), schema)


def typed_settings(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read texts in the types that the schema has for them; what cannot be stays text."""
    types = {name: each.get("type") for name, each in schema["properties"].items()}
    return {
        name: _typed(value, types.get(name)) if isinstance(value, str) else value
        for name, value in config.items()
    }


def setting_errors(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Give a sentence for each setting that cannot be right; values are not repeated."""
    known = schema.get("properties", {})
    errors = [_unknown(name, list(known)) for name in config if name not in known]
    validator = Draft202012Validator(json.loads(json.dumps(schema), object_hook=_mended))
    given = settings_given(config)
    wrong = [best_match([error]) for error in validator.iter_errors(given)]
    return errors + [_wrong(error, schema) for error in wrong]


def _typed(text: str, types: str | list[str] | None) -> object:
    for name in types if isinstance(types, list) else [types]:
        try:
            return _READERS[name](text)
        except (KeyError, ValueError):
            continue
    return text


_TRUTHS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(
    ("false", "0", "no", "off"), False
)
_READERS: dict[str | None, Callable[[str], object]] = {
    "integer": int,
    "number": float,
    "boolean": lambda text: _TRUTHS[text.lower()],
    "object": json.loads,
    "array": json.loads,
}


def _mended(schema: dict[str, Any]) -> dict[str, Any]:
    """Write a type as a schema: that of stream maps in singer-sdk 0.54.9 has a bare "null"."""
    if "anyOf" not in schema:
        return schema
    rules = {"anyOf": [{"type": one} if isinstance(one, str) else one for one in schema["anyOf"]]}
    return schema | rules


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"There is no setting {name}; did you mean {close[0]}?"
    return f"There is no setting {name}: remove it. Known are: {', '.join(known)}."


def _wrong(error: ValidationError, schema: Mapping[str, Any]) -> str:
    if error.validator == "required":
        return f"A setting is missing: {error.message}."
    name = ".".join(map(str, error.absolute_path))
    rule = error.validator_value
    if error.validator == "pattern":
        example = schema["properties"][name].get("default", _EXAMPLE_URL)
        return f"The setting {name} is wrong: write it like {example}."
    words = _words(rule, types={} if error.validator == "enum" else _TYPES)
    allowed = _ALLOWED.get(str(error.validator), "{0}").format(words)
    return f"The setting {name} is wrong: it must be {allowed}."


def _words(rule: object, *, types: Mapping[str, str]) -> str:
    """Name types in these words, and values; null is only for those who leave a setting out."""
    rules = [name for one in (rule if isinstance(rule, list) else [rule]) for name in _names(one)]
    return " or ".join(types.get(one, one) for one in rules if one not in {"null", "None"})


def _names(rule: object) -> list[str]:
    """Name what a rule allows; one of several rules has a rule of its own inside."""
    inner = rule.get("const", rule.get("type")) if isinstance(rule, dict) else rule
    return [str(one) for one in (inner if isinstance(inner, list) else [inner])]


_EXAMPLE_URL = f"{DEFAULT_API_URL}/oauth/token"
_ALLOWED = {
    "minimum": "at least {0}",
    "exclusiveMinimum": "more than {0}",
    "maximum": "at most {0}",
    "format": "a {0}",
}
_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a JSON object",
    "array": "a JSON list",
}
