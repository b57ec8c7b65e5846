"""PKCE (RFC 7636): the proof that who brings a code is who asked for it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Literal

Method = Literal["plain", "S256"]
_FORM = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the authorize request said that the token request will prove."""

    text: str = field(repr=False)
    method: Method

    def is_met_by(self, verifier: str) -> bool:
        """Whether this is the verifier of the challenge."""
        if not _FORM.match(verifier):
            return False
        shown = _hashed(verifier) if self.method == "S256" else verifier
        return hmac.compare_digest(shown, self.text)


def challenge_read(text: str, method: str | None) -> Challenge:
    """The challenge; `ValueError` names the parameter that is wrong. Without a method: plain."""
    if not _FORM.match(text):
        wrong = "code_challenge"
        raise ValueError(wrong)
    if method not in {None, "plain", "S256"}:
        wrong = "code_challenge_method"
        raise ValueError(wrong)
    return Challenge(text, "S256" if method == "S256" else "plain")


def _hashed(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
