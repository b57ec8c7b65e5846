"""The answers that are no success, as Cirqll (a Laravel application) words them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Refusal(Exception):
    """An answer with this status and body ends the request."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, **more}


def bad_request(message: str) -> Refusal:
    """400: documented for a bad operator, order or count."""
    return Refusal(400, message)


def unauthenticated() -> Refusal:
    """401: no token, or one that is not known."""
    return Refusal(401, "Unauthenticated.")


def forbidden(scope: str) -> Refusal:
    """403: the token lacks a scope."""
    return Refusal(403, f"Invalid scope(s) provided. This needs {scope}.")


def forbidden_record() -> Refusal:
    """403: a policy on the record, whatever the scopes (likely: Laravel's words)."""
    return Refusal(403, "This action is unauthorized.")


def not_found(what: str) -> Refusal:
    """404: no such record or path."""
    return Refusal(404, what)


def invalid(errors: Mapping[str, Sequence[str]], *, status: int = 422) -> Refusal:
    """422: the body or a parameter does not pass validation."""
    messages = [message for field in errors.values() for message in field]
    more = len(messages) - 1
    also = f" (and {more} more error{'s' if more > 1 else ''})" if more else ""
    return Refusal(status, messages[0] + also, errors={k: list(v) for k, v in errors.items()})
