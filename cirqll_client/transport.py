"""The net: one request out, one answer in, each failure named.

``requests`` does the work; its many errors become two: a failure that may pass, or a setting that
cannot be right.
"""

from __future__ import annotations

import logging
import re
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from ssl import SSLCertVerificationError
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import requests
from requests import exceptions
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, LocationValueError, NameResolutionError, ReadTimeoutError
from urllib3.util import Timeout

from cirqll_client.errors import SettingInvalid
from cirqll_client.redaction import HIDDEN, RedactingFilter, Redaction
from cirqll_client.retry import Failure, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from requests.auth import AuthBase

_URL = re.compile(r"https?://[^/@?#\s]+(/[^@?#\s]*)?")
_AS_DOCUMENTED = ":,;()"
"""A filter stands in a URL as the documentation writes it, so that long lists fit."""
_PIECE_BYTES = 1 << 18
_QUERY = re.compile(r"\?\S*")
_LOGGERS = [logging.getLogger(f"urllib3.{name}") for name in ("connection", "connectionpool")]
"""They repeat URLs, whose filters may name persons, and headers that cannot be read, in which a
server may echo what it was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Body:
    """The body of a request, which knows whether any of it was asked for to be sent.

    Until then a connection is made, through proxies and TLS: whatever fails there, the server never
    saw what the body says. No error of the libraries tells that for certain.
    """

    def __init__(self, content: bytes, *, media_type: str) -> None:
        self._content = content
        self.was_begun = False
        self.headers = {"Content-Type": media_type, "Content-Length": str(len(content))}

    def __iter__(self) -> Iterator[bytes]:
        self.was_begun = True
        yield self._content


class Transport:
    """Connections to one server, kept open between requests. Threads may share it."""

    def __init__(  # noqa: PLR0913 - what each request needs, and the seam of a clock
        self,
        root: str,
        *,
        setting: str,
        below: str = "",
        timeout_seconds: float,
        most_bytes: int | None = None,
        user_agent: str,
        redact: Redaction | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare connections below this root; proxies and certificates of the environment hold.

        The root is the value of a setting, by whose name mistakes are reported. An answer has so
        many seconds from the sending to its last byte; what is redacted is what urllib3 logs
        meanwhile. Raises ``SettingInvalid``.
        """
        self._setting = setting
        self._root = _checked(root.rstrip("/") if below else root, setting) + below
        self._timeout = timeout_seconds
        self._most_bytes = most_bytes
        self._clock = clock
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        self._session.mount("http://", HTTPAdapter(pool_maxsize=32))
        self._session.mount("https://", HTTPAdapter(pool_maxsize=32))
        # The environment is read once here; requests would read it anew for every request, and
        # would let a .netrc file take the place of the token.
        settings = self._session.merge_environment_settings(self._root, {}, None, None, None)
        self._session.verify = settings["verify"]
        self._session.proxies.update(get_environ_proxies(self._root))
        self._session.trust_env = False
        self._template = _template(self._session, self._root, setting)
        self._filter = _ConnectionFilter(redact or Redaction())
        for logger in _LOGGERS:
            logger.addFilter(self._filter)

    def send(  # noqa: PLR0913 - what a request is made of
        self,
        method: str,
        path: str = "",
        *,
        signature: AuthBase | None = None,
        parameters: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: bytes | None = None,
    ) -> Answer:
        """Send once. Raises ``TryAgain``, or ``SettingInvalid`` for what no try can change.

        A form or JSON text goes along, not both. Of one that was not sent for certain, the failure
        says so; where it is a setting, nothing was sent.
        """
        body = _body(form, json)
        try:
            return self._sent(self._prepared(method, path, signature, parameters, body))
        except TryAgain:
            raise
        except (OSError, HTTPError) as error:
            complaint = self._complaint(error, was_sent=body is None or body.was_begun)
        # Raised outside of the handler: the cause says nothing that the words do not say.
        raise complaint

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        for logger in _LOGGERS:
            logger.removeFilter(self._filter)

    def _sent(self, request: requests.PreparedRequest) -> Answer:
        deadline = self._clock() + self._timeout
        with self._session.send(
            request,
            proxies=self._session.proxies,
            # The stubs of requests do not know that it takes this, which bounds both together.
            timeout=Timeout(total=self._timeout),  # type: ignore[arg-type]
            allow_redirects=False,
            stream=True,
        ) as response:
            content = b"".join(self._pieces(response, deadline))
        return Answer(response.status_code, response.headers, content)

    def _prepared(
        self,
        method: str,
        path: str,
        signature: AuthBase | None,
        parameters: Mapping[str, str] | None,
        body: _Body | None,
    ) -> requests.PreparedRequest:
        """Make a request from the template: requests would quote and check each URL anew."""
        request = self._template.copy()
        request.method = method
        query = f"?{urlencode(parameters, safe=_AS_DOCUMENTED)}" if parameters else ""
        request.url = f"{self._root}{path}{query}"
        if body is not None:
            request.body = body  # type: ignore[assignment] # its stubs know no iterable
            request.headers.update(body.headers)
        return request if signature is None else signature(request)

    def _pieces(self, response: requests.Response, deadline: float) -> Iterator[bytes]:
        """Give the body as it comes: a server that sends a byte now and then is not waited for.

        In pieces as large as they come, and past the decoder of urllib3 where nothing is to be
        decoded: ``response.content`` costs a microsecond a record more.
        """
        is_coded = "Content-Encoding" in response.headers
        size = 0
        while piece := response.raw.read1(_PIECE_BYTES, decode_content=is_coded):
            if self._clock() > deadline:
                raise TryAgain(_too_slow(self._timeout))
            size += len(piece)
            if self._most_bytes is not None and size > self._most_bytes:
                raise TryAgain(Failure("the answer is longer than any that is meant"))
            yield piece

    def _complaint(self, error: OSError | HTTPError, *, was_sent: bool) -> Exception:
        """Name an error of requests, of urllib3 or of the system."""
        causes = list(_causes(error))
        if any(isinstance(one, SSLCertVerificationError) for one in causes):
            return SettingInvalid(_certificate_sentence(self._root, self._setting))
        if isinstance(error, LocationValueError):
            return SettingInvalid(_url_sentence(self._root, self._setting))
        if isinstance(error, HTTPError) and not isinstance(error, ReadTimeoutError):
            return TryAgain(Failure("the answer broke off"))
        if not isinstance(error, (exceptions.RequestException, HTTPError)):
            return SettingInvalid(_bundle_sentence())
        failure = _failure(error, causes, self._timeout)
        return TryAgain(replace(failure, was_sent=was_sent))


class _ConnectionFilter(RedactingFilter):
    """Lets every record of urllib3 pass, without queries, others' words and secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Name errors by their kind only: their words repeat what came."""
        record.exc_info = record.exc_text = None
        if isinstance(record.args, tuple):
            record.args = tuple(map(_kind_if_error, record.args))
        record.msg, record.args = _QUERY.sub(f"?{HIDDEN}", record.getMessage()), None
        return super().filter(record)


def _kind_if_error(argument: object) -> object:
    return type(argument).__name__ if isinstance(argument, BaseException) else argument


def _body(form: Mapping[str, str] | None, json: bytes | None) -> _Body | None:
    if form is not None and json is not None:
        msg = "a request has one body"
        raise ValueError(msg)
    if form is not None:
        return _Body(urlencode(form).encode(), media_type="application/x-www-form-urlencoded")
    return None if json is None else _Body(json, media_type="application/json")


def _checked(url: str, setting: str) -> str:
    """Give the URL, if it is one that can be called. Raises ``SettingInvalid``."""
    try:
        is_url = bool(_URL.fullmatch(url) and urlsplit(url).port != 0)
    except ValueError:
        is_url = False
    if not is_url:
        raise SettingInvalid(_url_sentence(url, setting))
    return url


def _template(session: requests.Session, root: str, setting: str) -> requests.PreparedRequest:
    """Prepare what all requests have in common. Raises ``SettingInvalid``."""
    with suppress(exceptions.InvalidURL):
        return session.prepare_request(requests.Request("GET", root))
    raise SettingInvalid(_url_sentence(root, setting))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error and what it came from, as requests and urllib3 wrap one in the other."""
    while error is not None:
        yield error
        wrapped = getattr(error, "reason", None) or (error.args[0] if error.args else None)
        error = wrapped if isinstance(wrapped, BaseException) else error.__cause__


def _failure(error: Exception, causes: list[BaseException], timeout_seconds: float) -> Failure:
    if isinstance(error, (exceptions.Timeout, ReadTimeoutError)):
        return _too_slow(timeout_seconds)
    if isinstance(error, exceptions.ProxyError):
        return Failure("the proxy could not be reached", may_be_a_setting=True)
    if isinstance(error, exceptions.SSLError):
        return Failure("no encrypted connection could be made", may_be_a_setting=True)
    if any(isinstance(one, NameResolutionError) for one in causes):
        return Failure("there is no host of that name", may_be_a_setting=True)
    if any(isinstance(one, ConnectionRefusedError) for one in causes) or "refused" in str(error):
        return Failure("the connection was refused")
    return Failure("the connection broke")


def _too_slow(timeout_seconds: float) -> Failure:
    return Failure(f"no whole answer within request_timeout, {timeout_seconds:g} s")


def _url_sentence(root: str, setting: str) -> str:
    shown = "" if re.search("[@?#]", root) else f" ({root})"
    return (
        f"The setting {setting}{shown} is not a URL that can be called; write it like "
        "https://api.cirqll.nl, without user, password or parameters."
    )


def _certificate_sentence(root: str, setting: str) -> str:
    return (
        f"The server at {root} could not prove who it is (its TLS certificate was refused), so "
        f"nothing was sent; check the setting {setting}, or REQUESTS_CA_BUNDLE behind a proxy."
    )


def _bundle_sentence() -> str:
    return (
        "The file of certificates that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names cannot be read; "
        "correct or remove the variable."
    )
