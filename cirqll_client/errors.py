"""The one tree of errors.

A class exists only where a caller reacts differently::

    CirqllError
    ├── Unavailable        wait, then run again: the network or the server failed for too long
    ├── SignInRequired     sign in again: the token is missing, expired or revoked
    ├── SignInFailed       start the sign-in anew: it was denied, came late, or was not ours
    ├── ScopeMissing       grant the scope, or leave the resource out
    ├── SettingInvalid     correct the setting
    ├── RequestRefused     ask in another way, or correct the row: the API refuses it as it is
    ├── RequestFails       leave the row out: the API fails on it whenever it is sent
    ├── NotFound           the record or the resource is not there
    ├── OutcomeUnknown     look whether it happened before anything is sent again
    └── AnswerUnexpected   tell us: the API answers in a way that this software does not know

The first argument is the whole sentence for the user: what happened, to what, what to do next. It
holds neither a secret nor the content of a record; facts that code needs are attributes.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO_FIELDS: Mapping[str, str] = MappingProxyType({})


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

    def __init__(self, sentence: str, *, reason: str = "") -> None:
        """Keep the API's own words, which may repeat what a record says."""
        super().__init__(sentence)
        self.reason = reason


class SettingInvalid(CirqllError):
    """A setting is missing or cannot be right."""


class RequestRefused(CirqllError):
    """Cirqll refuses the request as it is: wrong (400, 409, 422) or too long (413, 414, 431)."""

    def __init__(
        self, sentence: str, *, status: int, reason: str, fields: Mapping[str, str] = _NO_FIELDS
    ) -> None:
        """Keep the status and the API's own words, all of them and by field, as it names fields."""
        super().__init__(sentence)
        self.status = status
        self.reason = reason
        self.fields = fields


class RequestFails(CirqllError):
    """The API answered a change with an error of its own (500), several times in a row."""

    def __init__(self, sentence: str, *, reason: str) -> None:
        """Keep the API's own words, which may repeat what a record says."""
        super().__init__(sentence)
        self.reason = reason


class NotFound(CirqllError):
    """There is no such record, or no such resource (404)."""


class OutcomeUnknown(CirqllError):
    """A record may have been created or not: no answer came that tells."""

    def __init__(
        self, sentence: str, *, came: str, is_over: bool = False, reason: str = ""
    ) -> None:
        """Keep what came in place of an answer, in words for the user.

        ``is_over``: it came from the API itself, so what it did for this request it has done.
        ``reason`` has the API's own words then, which may repeat what a record says.
        """
        super().__init__(sentence)
        self.came = came
        self.is_over = is_over
        self.reason = reason


class AnswerUnexpected(CirqllError):
    """The answer has a shape that this software does not know."""


OF_ONE_THING = (AnswerUnexpected, NotFound, RequestRefused, ScopeMissing)
"""What was asked for cannot be had, which says nothing of the rest: a run may go on without it."""

OF_A_LOOK = (*OF_ONE_THING, RequestFails, Unavailable)
"""A question that no row hangs on was not answered: it may be left to the next run. If the server
is down, the questions that rows do hang on say so."""
