"""The net: one request out, one answer in, each failure named.

``requests`` does the work; its many errors become two: a failure that may pass, or a setting that
cannot be right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from requests import exceptions
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, ReadTimeoutError

from cirqll_client.errors import SettingInvalid
from cirqll_client.retry import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests.auth import AuthBase

_HOST_UNKNOWN = ("NameResolutionError", "getaddrinfo", "Name or service not known")


class ConnectionFailed(Exception):
    """No whole answer came; another try may succeed."""

    def __init__(self, failure: Failure) -> None:
        """Carry the words for the user."""
        super().__init__(failure.words)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Connections to one server, kept open between requests. Threads may share it."""

    def __init__(
        self, *, api_url: str, auth: AuthBase, timeout_seconds: float, user_agent: str
    ) -> None:
        """Prepare connections below this root; proxies and certificates of the environment hold."""
        self._root = api_url.rstrip("/") + "/api"
        self._timeout = timeout_seconds
        self._session = requests.Session()
        self._session.auth = auth
        self._session.headers.update({"Accept": "application/json", "User-Agent": user_agent})
        self._session.mount("http://", HTTPAdapter(pool_maxsize=32))
        self._session.mount("https://", HTTPAdapter(pool_maxsize=32))
        # The environment is read once here; requests would read it anew for every request.
        settings = self._session.merge_environment_settings(self._root, {}, None, None, None)
        self._session.verify = settings["verify"]
        self._session.proxies.update(get_environ_proxies(self._root))
        self._session.trust_env = False

    def send(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: Any = None,  # noqa: ANN401 - any JSON
    ) -> Answer:
        """Send once. Raises ``ConnectionFailed``, or ``SettingInvalid`` for an impossible URL."""
        try:
            response = self._session.request(
                method,
                self._root + path,
                params=parameters,
                json=body,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
            # Read in one go: ``response.content`` joins pieces of 10 kB, at a microsecond a record.
            content = response.raw.read(decode_content=True)
        except exceptions.SSLError as error:
            raise SettingInvalid(_certificate_sentence(self._root)) from error
        except (exceptions.InvalidURL, exceptions.MissingSchema, exceptions.InvalidSchema) as error:
            msg = (
                f"The setting api_url ({self._root}) is not a URL that can be called; "
                "write it like https://api.cirqll.nl."
            )
            raise SettingInvalid(msg) from error
        except exceptions.RequestException as error:
            raise ConnectionFailed(_failure(error, self._timeout)) from None
        except ReadTimeoutError:
            raise ConnectionFailed(_too_slow(self._timeout)) from None
        except HTTPError:
            raise ConnectionFailed(Failure("the answer broke off")) from None
        return Answer(response.status_code, response.headers, content)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def _failure(error: exceptions.RequestException, timeout_seconds: float) -> Failure:
    if isinstance(error, exceptions.Timeout):
        return _too_slow(timeout_seconds)
    if isinstance(error, exceptions.ProxyError):
        return Failure("the proxy could not be reached", may_be_a_setting=True)
    if any(sign in str(error) for sign in _HOST_UNKNOWN):
        return Failure("there is no host of that name", may_be_a_setting=True)
    if "refused" in str(error):
        return Failure("the connection was refused")
    return Failure("the connection broke")


def _too_slow(timeout_seconds: float) -> Failure:
    return Failure(f"no answer within {timeout_seconds:g} s")


def _certificate_sentence(root: str) -> str:
    return (
        f"The server at {root} could not prove who it is (its TLS certificate was refused), so "
        "nothing was sent; check the setting api_url, or REQUESTS_CA_BUNDLE behind a proxy."
    )
