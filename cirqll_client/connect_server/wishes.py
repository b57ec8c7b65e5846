"""What a link is made for: the fields of an operator, read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirqll_client.connect_server.addresses import origin_of
from cirqll_client.errors import SettingInvalid
from cirqll_client.scopes import wanted_scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_SECONDS = 300
LONGEST_SECONDS = 30 * 86_400
LONGEST_MESSAGE = 4096
MOST_ORIGINS = 20

_FIELDS = ("account", "target_origin", "callback_message", "expires_in", "scopes")
_LONGEST_NAME = 255
_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhd]?)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWish:
    """What a link is made for; all of it is checked."""

    account: str
    target_origins: tuple[str, ...]
    """Where the person may go back to; the first one, if the link names none."""
    callback_message: str | None = None
    """Given to the page that opened the window; ``None`` leads to the origin instead."""
    seconds: int = DEFAULT_SECONDS
    scopes: tuple[str, ...] = ()


def wish_of(
    *,
    account: str,
    target_origins: Iterable[str],
    callback_message: str | None = None,
    expires_in: str | int | None = None,
    scopes: str | None = None,
) -> LinkWish:
    """Read the fields of a link. Raises ``SettingInvalid``."""
    return LinkWish(
        account=_account(account),
        target_origins=_origins(target_origins),
        callback_message=_message(callback_message),
        seconds=_seconds_of(expires_in),
        scopes=wanted_scopes("read" if scopes is None else scopes),
    )


def wish_from_json(value: object) -> LinkWish:
    """Read the body of a call. Raises ``SettingInvalid``; values are not repeated."""
    if not isinstance(value, dict):
        msg = (
            'The body must be a JSON object like {"account": "acme", "target_origin": "https://…"}.'
        )
        raise SettingInvalid(msg)
    unknown = [name for name in value if name not in _FIELDS]
    if unknown:
        msg = f"There is a field that links do not have. Known are: {', '.join(_FIELDS)}."
        raise SettingInvalid(msg)
    origins = value.get("target_origin")
    origins = [origins] if isinstance(origins, str) else origins
    if not isinstance(origins, list) or not all(isinstance(one, str) for one in origins):
        msg = "The field target_origin must be a text, or a list of texts."
        raise SettingInvalid(msg)
    return wish_of(
        account=_text(value, "account") or "",
        target_origins=origins,
        callback_message=_text(value, "callback_message"),
        expires_in=_number_or_text(value, "expires_in"),
        scopes=_text(value, "scopes"),
    )


def _account(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        msg = f"A link needs the account it is for: a name of at most {_LONGEST_NAME} characters."
        raise SettingInvalid(msg)
    return name


def _origins(texts: Iterable[str]) -> tuple[str, ...]:
    origins = tuple(dict.fromkeys(origin_of(text) for text in texts))
    if not 0 < len(origins) <= MOST_ORIGINS:
        msg = (
            "A link needs the target_origin that the person goes back to, like "
            f"https://app.example.com; at most {MOST_ORIGINS} of them."
        )
        raise SettingInvalid(msg)
    return origins


def _message(text: str | None) -> str | None:
    if text is None:
        return None
    is_writable = "\0" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)
    if not text or len(text) > LONGEST_MESSAGE or not is_writable:
        msg = f"The callback_message must be a text of 1 to {LONGEST_MESSAGE} characters."
        raise SettingInvalid(msg)
    return text


def _seconds_of(duration: str | int | None) -> int:
    if duration is None:
        return DEFAULT_SECONDS
    found = _DURATION.fullmatch(str(duration))
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= LONGEST_SECONDS:
        msg = "The expires_in of a link must be like 90s, 5m, 2h or 3d, and at most 30d."
        raise SettingInvalid(msg)
    return seconds


def _text(value: Mapping[str, object], name: str) -> str | None:
    text = value.get(name)
    if text is not None and not isinstance(text, str):
        msg = f"The field {name} must be a text."
        raise SettingInvalid(msg)
    return text


def _number_or_text(value: Mapping[str, object], name: str) -> str | int | None:
    given = value.get(name)
    if isinstance(given, bool) or not isinstance(given, (str, int, type(None))):
        msg = f'The field {name} must be a whole number of seconds, or a text like "3d".'
        raise SettingInvalid(msg)
    return given
