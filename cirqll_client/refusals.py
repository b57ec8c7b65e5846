"""Which error an answer is that another try would not change, in a table by status."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from cirqll_client import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    _Refusal: TypeAlias = Callable[["Refused", str], errors.CirqllError]

_LONGEST_REASON = 300
_UNAUTHENTICATED = 401
_OWN_FAILURE = 500
_RETRIED_BELOW_500 = frozenset({408, 425})
_WRONG = frozenset({400, 409, 422})
"""A guess: 409 is a record that others stand in the way of."""
_TOO_LONG = frozenset({413, 414, 431})
_RECORD = re.compile(r"/(?P<resource>\w+)/(?P<id>\d+)")


class _Deed(NamedTuple):
    action: str
    """As the names of scopes have it [doc]."""
    words: str


_DEEDS = {
    "GET": _Deed("read", "read {path}"),
    "POST": _Deed("create", "create a record at {path}"),
    "PATCH": _Deed("update", "change {path}"),
    "DELETE": _Deed("delete", "delete {path}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A request that was refused, and the API's own words, free of secrets."""

    method: str
    path: str
    status: int
    reason: str
    fields: Mapping[str, str]
    """What is wrong with each field."""
    is_private: bool
    """The words may repeat the content of a record, so no sentence repeats them."""

    @property
    def said(self) -> str:
        """The words as a sentence goes on with them."""
        is_told = self.reason and not self.is_private
        return f' ("{_shortened(self.reason)}")' if is_told else ""

    @property
    def deed(self) -> str:
        """What was to be done, behind a *may not*."""
        return _DEEDS[self.method].words.format(path=self.path)


def is_retried(status: int) -> bool:
    """Tell whether another try may be answered better: the server or a proxy has a bad moment."""
    return status >= 500 or status in _RETRIED_BELOW_500  # noqa: PLR2004 - HTTP's own line


def is_own_failure(status: int, *, is_json_object: bool) -> bool:
    """Tell whether the API itself says that it failed, as Laravel does of what nobody foresaw.

    A guess, and only here: what answers 500 with a JSON object is the API, which has then ended
    what it did for the request. A proxy that gave up waiting says 502 or 504, or sends a page.
    """
    return status == _OWN_FAILURE and is_json_object


def is_too_long(status: int) -> bool:
    """Tell whether the request is too long, which nobody passes on who says so."""
    return status in _TOO_LONG


def is_surely_undone(status: int, *, is_json_object: bool) -> bool:
    """Tell whether it is certain of a request that it was not carried out.

    The API's own refusal says that. A web page is the word of a proxy, which may have passed the
    request on; what is no success and no refusal may have come after the deed.
    """
    is_refusal = status in range(400, 500) and not is_retried(status)
    return is_too_long(status) or (is_refusal and is_json_object)


def fails(refused: Refused, *, api_url: str) -> errors.RequestFails:
    """Give the error of a change that the API fails on whenever it is asked for."""
    return errors.RequestFails(
        f"Cirqll at {api_url} fails every time it is to {refused.deed} ({refused.status}). Correct "
        "the row at its source, or report it to the vendor, then write it again.",
        reason=_shortened(refused.reason),
    )


def refusal(refused: Refused, *, api_url: str, remedy: str) -> errors.CirqllError:
    """Give the error; ``remedy`` says how to come by a token that is accepted."""
    status, path, said = refused.status, refused.path, refused.said
    if status == _UNAUTHENTICATED:
        return errors.SignInRequired(
            f"Cirqll at {api_url} did not accept the access token for {path}{said}. It is wrong, "
            f"has expired or was revoked: {remedy}."
        )
    make = _moved if status in range(300, 400) else _REFUSALS.get(status, _unexpected)
    return make(refused, api_url)


def _wrong(refused: Refused, _api_url: str) -> errors.CirqllError:
    status, said = refused.status, refused.said
    words = f"{status}{said}, as too long" if is_too_long(status) else f"{status}{said}"
    sentence = (
        f"Cirqll refused a request to {refused.path} with {words}. If it stays so, "
        "report it with the version of this program."
        if refused.method == "GET"
        else f"Cirqll refused to {refused.deed} with {words}. Correct the row at its source, "
        "then write it again."
    )
    return errors.RequestRefused(
        sentence,
        status=status,
        reason=_shortened(refused.reason),
        fields={field: _shortened(words) for field, words in refused.fields.items()},
    )


def _scope(refused: Refused, _api_url: str) -> errors.CirqllError:
    resource = refused.path.split("/")[1].replace("auth", "user")
    return errors.ScopeMissing(
        f"The access token may not {refused.deed}{refused.said}. Grant it the scope "
        f"{resource}.{_DEEDS[refused.method].action}.all, or leave the stream out.",
        reason=_shortened(refused.reason),
    )


def _missing(refused: Refused, api_url: str) -> errors.CirqllError:
    if record := _RECORD.fullmatch(refused.path):
        return errors.NotFound(
            f"There is no {record['resource']} with the id {record['id']} any more at "
            f"{api_url}{refused.said}. It was deleted, or it never was of this account: correct "
            "the id, or leave it out."
        )
    return errors.NotFound(
        f"There is nothing at {refused.path} of {api_url}{refused.said}. Check the setting api_url "
        "(the root, without /api); if other streams can be read, this account does not have it."
    )


def _moved(refused: Refused, api_url: str) -> errors.CirqllError:
    return errors.SettingInvalid(
        f"Cirqll at {api_url} sends the request for {refused.path} elsewhere{refused.said}. Check "
        "the setting api_url: it must be the root of the API, with https."
    )


def _unexpected(refused: Refused, api_url: str) -> errors.CirqllError:
    return errors.AnswerUnexpected(
        f"Cirqll at {api_url} answered {refused.status} for {refused.path}{refused.said}, which is "
        "not known to happen there. Check the setting api_url; if it is right, report this."
    )


def _shortened(words: str) -> str:
    return words[:_LONGEST_REASON]


_REFUSALS: dict[int, _Refusal] = {
    403: _scope,
    404: _missing,
    **dict.fromkeys(_WRONG | _TOO_LONG, _wrong),
}
