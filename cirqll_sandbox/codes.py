"""Authorization codes: good for one exchange, for ten minutes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cirqll_sandbox.clock import Clock
    from cirqll_sandbox.grants import Grant
    from cirqll_sandbox.pkce import Challenge


@dataclass(frozen=True, slots=True)
class Code:
    """What a code stands for."""

    grant: Grant
    redirect_uri: str
    challenge: Challenge | None
    expires_at: datetime
    used: bool = False


class Codes:
    """Every code given so far; used by one thread at a time, under the sandbox's lock."""

    def __init__(
        self, clock: Clock, *, random_text: Callable[[int], str] = secrets.token_hex
    ) -> None:
        self._clock, self._random_text = clock, random_text
        self._codes: dict[str, Code] = {}

    def issue(
        self, grant: Grant, *, redirect_uri: str, challenge: Challenge | None, seconds: float
    ) -> str:
        """A new code."""
        text = f"def50200{self._random_text(200)}"
        expires_at = self._clock.now() + timedelta(seconds=seconds)
        self._codes[text] = Code(grant, redirect_uri, challenge, expires_at)
        return text

    def find(self, text: str) -> Code | None:
        """What a code stands for, be it used or expired."""
        return self._codes.get(text)

    def expired(self, code: Code) -> bool:
        """Whether its time is over."""
        return code.expires_at <= self._clock.now()

    def use(self, text: str) -> None:
        """From now on it has been used."""
        self._codes[text] = replace(self._codes[text], used=True)

    def clear(self) -> None:
        """Forget every code."""
        self._codes.clear()
