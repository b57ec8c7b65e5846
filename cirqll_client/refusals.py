"""Which error an answer is that another try would not change, in a table by status."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from cirqll_client import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    _Refusal: TypeAlias = Callable[[str, str, str], errors.CirqllError]

_LONGEST_REASON = 300
_UNAUTHENTICATED = 401
_RETRIED_BELOW_500 = frozenset({408, 425})


def is_retried(status: int) -> bool:
    """Tell whether another try may be answered better: the server or a proxy has a bad moment."""
    return status >= 500 or status in _RETRIED_BELOW_500  # noqa: PLR2004 - HTTP's own line


def refusal(
    status: int, reason: str, *, path: str, api_url: str, remedy: str
) -> errors.CirqllError:
    """Give the error for a status; ``reason`` are the API's own words, free of secrets.

    ``remedy`` says how to come by a token that is accepted.
    """
    reason = reason[:_LONGEST_REASON]
    said = f' ("{reason}")' if reason else ""
    if status == _UNAUTHENTICATED:
        return errors.SignInRequired(
            f"Cirqll at {api_url} did not accept the access token for {path}{said}. It is wrong, "
            f"has expired or was revoked: {remedy}."
        )
    make = _moved if status in range(300, 400) else _REFUSALS.get(status)
    if make is not None:
        return make(path, said, api_url)
    if status in {400, 422}:
        return errors.RequestRefused(
            f"Cirqll refused a request to {path} with {status}{said}. If it stays so, "
            "report it with the version of this program.",
            status=status,
            reason=reason,
        )
    return errors.AnswerUnexpected(
        f"Cirqll at {api_url} answered {status} for {path}{said}, which is not known to "
        "happen there. Check the setting api_url; if it is right, report this."
    )


def _scope(path: str, said: str, _api_url: str) -> errors.CirqllError:
    resource = path.split("/")[1].replace("auth", "user")
    return errors.ScopeMissing(
        f"The access token may not read {path}{said}. Grant it the scope {resource}.read.all, or "
        "leave the stream out."
    )


def _missing(path: str, said: str, api_url: str) -> errors.CirqllError:
    return errors.NotFound(
        f"There is nothing at {path} of {api_url}{said}. Check the setting api_url (the root, "
        "without /api); if other streams can be read, this account does not have it."
    )


def _moved(path: str, said: str, api_url: str) -> errors.CirqllError:
    return errors.SettingInvalid(
        f"Cirqll at {api_url} sends the request for {path} elsewhere{said}. Check the setting "
        "api_url: it must be the root of the API, with https."
    )


_REFUSALS: dict[int, _Refusal] = {403: _scope, 404: _missing}
