"""Keeping secrets out of every text that leaves the process.

Most texts cannot hold one: this package logs no headers, no parameters and no settings. Words of
others can, since a server may echo what it was sent: they pass by here.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "***"

_LONGEST_LINE = 200

_SHORTEST_SECRET = 6
"""Shorter values are not replaced: they would hide ordinary words and numbers."""

_BEARER = re.compile(r"(?i)(bearer\s+)[^\s\"',]+")
_NAMED = re.compile(
    r"(?i)((?:access_token|refresh_token|client_secret|password|code)[\"']?\s*[=:]\s*[\"']?)"
    r"[^\s\"'&,}]+"
)
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+(@)")


class Redaction:
    """Replaces known secrets, and whatever is written where a secret stands, by ``***``."""

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        """Remember the secrets, also as a URL writes them; longer ones are replaced first."""
        self._secrets: list[str] = []
        self.learn(secrets)

    def learn(self, secrets: Iterable[str | None]) -> None:
        """Remember more secrets, such as the tokens that a renewal brought."""
        long_enough = [one for one in secrets if one and len(one) >= _SHORTEST_SECRET]
        known = {written(one) for one in long_enough for written in (str, quote, _quoted)}
        self._secrets = sorted(known.union(self._secrets), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Give the text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        text = _BEARER.sub(rf"\1{HIDDEN}", text)
        text = _NAMED.sub(rf"\1{HIDDEN}", text)
        return _URL_PASSWORD.sub(rf"\1{HIDDEN}\2", text)

    def __repr__(self) -> str:
        """Tell how many secrets are known, never which."""
        return f"Redaction({len(self._secrets)} secrets)"


def one_line(words: str) -> str:
    """Make others' words fit to be shown: of some length, and nothing that steers a terminal.

    Secrets are to be taken out before: of one that is cut, the rest would not be known again.
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in words)
    return " ".join(plain.split())[:_LONGEST_LINE]


def _quoted(secret: str) -> str:
    return quote_plus(secret, safe="")


class RedactingFilter(logging.Filter):
    """Lets every record of a logger pass, without secrets."""

    def __init__(self, redact: Redaction) -> None:
        """Redact with this."""
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the message and the traceback."""
        record.msg, record.args = self._redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        if record.exc_text:
            # Another filter, which knows other secrets, may have been here before.
            record.exc_text = self._redact(record.exc_text)
        return True
