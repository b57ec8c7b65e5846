"""A fact about the API, and how an exchange shows that it is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.contract.recordings import Exchange

Certainty = Literal["doc", "likely", "guess"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement of cirqll-api.md that can be seen in an exchange."""

    name: str
    certainty: Certainty
    words: str
    contradictions: Callable[[Exchange], Iterable[str]]
    """What in an exchange contradicts it, in words without any value of a record."""
