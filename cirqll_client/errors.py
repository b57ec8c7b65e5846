"""The one tree of errors.

A class exists only where a caller reacts differently::

    CirqllError
    ├── Unavailable        wait, then run again: the network or the server failed for too long
    ├── SignInRequired     sign in again: the token is missing, expired or revoked
    ├── SignInFailed       start the sign-in anew: it was denied, came late, or was not ours
    ├── ScopeMissing       grant the scope, or leave the resource out
    ├── SettingInvalid     correct the setting
    ├── RequestRefused     ask in another way: the API refuses this order, filter or page size
    ├── NotFound           the record or the resource is not there
    └── AnswerUnexpected   tell us: the API answers in a way that this software does not know

The first argument is the whole sentence for the user: what happened, to what, what to do next. It
holds neither a secret nor the content of a record; facts that code needs are attributes.
"""

from __future__ import annotations

from typing import Literal


class CirqllError(Exception):
    """Any failure that this package reports on purpose."""

    def __init__(self, sentence: str) -> None:
        """Carry the whole sentence for the user."""
        super().__init__(sentence)
        self.sentence = sentence


class Unavailable(CirqllError):
    """The network or the server failed for longer than ``give_up_after``."""


class SignInRequired(CirqllError):
    """No token that Cirqll accepts is at hand."""


class SignInFailed(CirqllError):
    """A sign-in did not come to its end; no token was changed."""

    def __init__(
        self,
        sentence: str,
        *,
        title: str,
        kind: Literal["denied", "other_company", "unknown_company", "late_code", "other"] = "other",
    ) -> None:
        """Keep a few words for the head of a page, and the kind for those who react to it."""
        super().__init__(sentence)
        self.title = title
        self.kind = kind


class ScopeMissing(CirqllError):
    """The token is good, but its scopes do not allow this (403)."""


class SettingInvalid(CirqllError):
    """A setting is missing or cannot be right."""


class RequestRefused(CirqllError):
    """Cirqll refuses the question as it was put (400 or 422)."""

    def __init__(self, sentence: str, *, status: int, reason: str) -> None:
        """Keep the status and the API's own words next to the sentence."""
        super().__init__(sentence)
        self.status = status
        self.reason = reason


class NotFound(CirqllError):
    """There is no such record, or no such resource (404)."""


class AnswerUnexpected(CirqllError):
    """The answer has a shape that this software does not know."""
