"""Scrubbing of exchanges with the API: who was asked, secrets and the values of records.

Kept is what a contract is about: paths, parameters, statuses, the names of fields, JSON types, the
forms of values, counts of a page, and the words of an error that are the API's own. All else gets a
stand-in before anything reaches the disk.
"""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from cirqll_client import responses
from cirqll_client.resources import RESOURCES
from tests.contract.messages import masked
from tests.contract.stand_ins import StandIns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = "https://cirqll.invalid"
"""Stands for the root of the API, whatever that was."""
WEB_PAGE = b"<!DOCTYPE html>\n<html><body>stand-in</body></html>"
HEADERS = frozenset(
    {
        "accept", "content-type", "date", "retry-after", "x-eager-loading-weight",
        "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset",
    }
)  # fmt: skip
"""The headers that are kept; besides, that there was an ``Authorization``."""

_SECRETS = frozenset({"access_token", "client_secret", "id_token", "password", "refresh_token"})
_SECRETS_OF_FORMS = _SECRETS | {"client_id", "code", "code_verifier", "redirect_uri", "state"}
_PROTOCOL = {
    "expires_in": re.compile(r"\d+"),
    "grant_type": re.compile("authorization_code|refresh_token"),
    "token_type": re.compile("bearer", re.IGNORECASE),
}
"""What OAuth says of tokens in general."""
_COUNTS = frozenset({"limit", "offset", "total"})
_DOCUMENTED = frozenset(name for one in RESOURCES for name in one.schema["properties"])
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
_VENDORS = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
"""How the vendor writes the names of fields [doc]; of others, in objects, nobody knows."""
_MAPS = frozenset({"field_values", "value"})
"""Objects under these names are of the user's making."""
_CONDITION = re.compile(r"([\w.]+):((?:not:)?\w+):((?:\"[^\"]*\"|[^,()\"])*)")
"""A field, an operator and the values, each in quotes or not."""
_MARKED = re.compile(r"[^;\"]+|\"[^\"]*\"")
_ERROR = 400


class Scrubber:
    """Scrubs the exchanges of one recording, so that they still fit each other."""

    def __init__(self, key: bytes, *, api_url: str) -> None:
        """Derive all stand-ins from this key; an exchange with another server is not kept."""
        self._stand_ins = StandIns(key)
        self._root = api_url.rstrip("/")
        self._secrets: dict[str, dict[str, int]] = defaultdict(dict)
        self._names: frozenset[str] = frozenset()

    def learn_names(self, names: Iterable[object]) -> None:
        """Scrub these names of custom fields also where they are names of fields."""
        self._names |= {_slug(name) for name in names if isinstance(name, str)} - {""}

    def uri(self, uri: str) -> str | None:
        """Scrub a URL; ``None`` for one of another server."""
        if not f"{uri}/".startswith((f"{self._root}/", f"{self._root}?")):
            return None
        url = urlsplit(uri.removeprefix(self._root))
        path = "/".join(map(self._segment, url.path.split("/")))
        query = [(name, self._parameter(name, text)) for name, text in parse_qsl(url.query)]
        return f"{ROOT}{path}{'?' if query else ''}{urlencode(query, safe=':,;()')}"

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Keep those that tell of the contract."""
        kept = {name.lower(): text for name, text in headers.items() if name.lower() in HEADERS}
        if "date" in kept:
            kept["date"] = self._stand_ins.http_date(kept["date"])
        if any(name.lower() == "authorization" for name in headers):
            kept["authorization"] = "Bearer stand-in"
        return dict(sorted(kept.items()))

    def sent(self, body: bytes, *, is_form: bool) -> bytes:
        """Scrub what was sent."""
        if not is_form:
            return self.answered(body, status=200)
        fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        return urlencode([(name, self._form_field(name, text)) for name, text in fields]).encode()

    def answered(self, body: bytes, *, status: int) -> bytes:
        """Scrub the body of an answer, JSON or not."""
        if responses.is_empty(body):
            return b""
        if responses.is_web_page(body):
            return WEB_PAGE
        try:
            said = responses.decoded(body)
        except responses.Unreadable:
            return self._stand_ins.text(body.decode("utf-8", "replace")).encode()
        scrubbed = self._error(said) if status >= _ERROR else self._value(said, name="")
        return msgspec.json.format(responses.encoded(scrubbed), indent=1)

    def _segment(self, segment: str) -> str:
        if segment.isascii() and segment.isdecimal():
            return str(self._stand_ins.identity(int(segment)))
        return segment

    def _parameter(self, name: str, text: str) -> str:
        return _CONDITION.sub(self._condition, text) if name == "filter" else text

    def _form_field(self, name: str, text: str) -> str:
        if name in _SECRETS_OF_FORMS:
            return self._secret(name, text)
        return str(self._member(name, text))

    def _condition(self, found: re.Match[str]) -> str:
        path, operator, values = found.groups()
        field = path.rpartition(".")[2]
        scrubbed = _MARKED.sub(lambda each: self._operand(field, each[0]), values)
        return f"{path}:{operator}:{scrubbed}"

    def _operand(self, field: str, text: str) -> str:
        if text.startswith('"'):
            return f'"{self._operand(field, text[1:-1])}"'
        if text.isascii() and text.isdecimal():
            return str(self._number(int(text), name=field))
        return self._stand_ins.text(text)

    def _error(self, said: Any) -> Any:
        """Keep what an error says in the API's own words."""
        if isinstance(said, dict):
            return {self._key(name): self._error(one) for name, one in said.items()}
        if isinstance(said, list):
            return [self._error(one) for one in said]
        return masked(said) if isinstance(said, str) else self._value(said, name="")

    def _value(self, value: Any, *, name: str) -> Any:
        if isinstance(value, dict):
            return self._object(value, name=name)
        if isinstance(value, list):
            return [self._value(one, name=name) for one in value]
        if isinstance(value, bool):
            return self._stand_ins.flag(value, name=name)
        if isinstance(value, int):
            return self._number(value, name=name)
        if isinstance(value, Decimal):
            return self._stand_ins.decimal(value)
        return self._stand_ins.text(value) if isinstance(value, str) else value

    def _number(self, number: int, *, name: str) -> int:
        is_id = name == "id" or name.endswith("_id")
        return self._stand_ins.identity(number) if is_id else self._stand_ins.integer(number)

    def _object(self, value: dict[str, Any], *, name: str) -> dict[str, Any]:
        if isinstance(value.get("data"), list) and value.keys() <= {"data", *_COUNTS}:
            counts = {each: value[each] for each in value if type(value[each]) is int}
            return {**value, "data": self._value(value["data"], name=name), **counts}
        if _is_map(value, name=name):
            # Whatever lies below is of the user's making as well.
            return {
                self._map_key(each): self._value(one, name="value") for each, one in value.items()
            }
        return {self._key(each): self._member(each, one) for each, one in value.items()}

    def _member(self, name: str, value: Any) -> Any:
        if name in _SECRETS and isinstance(value, str):
            return self._secret(name, value)
        if name in _PROTOCOL and _PROTOCOL[name].fullmatch(str(value)):
            return value
        return self._value(value, name=name)

    def _key(self, name: str) -> str:
        """Keep the name of a field, unless the user gave it."""
        if name in _DOCUMENTED or (_PLAIN.fullmatch(name) and _slug(name) not in self._names):
            return name
        return self._map_key(name)

    def _map_key(self, name: str) -> str:
        if name.isascii() and name.isdecimal():
            return str(self._stand_ins.identity(int(name)))
        return self._stand_ins.name(name)

    def _secret(self, name: str, value: str) -> str:
        """Number them as they come, so that a new token can be told from the one before."""
        known = self._secrets[name]
        return f"stand-in-{name.replace('_', '-')}-{known.setdefault(value, len(known) + 1)}"


def _is_map(value: dict[str, Any], *, name: str) -> bool:
    """Tell whether the keys are values too: of the user's making, or no names of fields."""
    if name in _MAPS and not value.keys() >= {"field_id", "value"}:
        return True
    return "id" not in value and not all(map(_VENDORS.fullmatch, value))


def _slug(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")
