"""The authorization-code flow of OAuth 2.0: what is asked and what answers mean. No I/O, no clock.

``oauthlib`` knows how requests are written. The answer of the token URL is read here, more kindly
than it does: an odd ``expires_in`` must not cost a token pair that the service has just made.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from hmac import compare_digest
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import SplitResult, parse_qs, parse_qsl, urlencode, urlsplit

from oauthlib.common import generate_token
from oauthlib.oauth2 import WebApplicationClient

from cirqll_client.errors import SettingInvalid, SignInFailed
from cirqll_client.redaction import one_line
from cirqll_client.tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Mapping

_STAND_IN = "https://sign-in.invalid/"
"""``oauthlib`` refuses URLs without TLS, also on loopback, which needs none (RFC 8252, 8.3)."""
_TOO_MANY = 429
_REFUSED = frozenset(range(400, 500)) - {408}
"""Statuses by which a server says that it does not act; a timeout may come in the midst of it."""
_CLIENT_ERRORS = frozenset({"invalid_client", "unauthorized_client", "unsupported_grant_type"})
_DEAD = frozenset({"invalid_grant", "invalid_request"})
"""How a service answers to a refresh token or a code that is spent, expired or revoked [likely]."""
_OURS = frozenset(
    {
        "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge",
        "code_challenge_method",
    }
)  # fmt: skip
"""The parameters of an authorize URL that no setting may write."""
_LINE_BREAK = re.compile(r"\s*[\r\n]\s*")
"""With what stands around it: a long URL is copied from a terminal or a mail in several lines."""
_ONE_LABEL = re.compile(r"[a-z][a-z0-9_-]*")
"""A host that only a private network knows; digits alone would be an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """An OAuth client, as it is made in Cirqll under Settings > Marketplace [doc]."""

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    token_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizeWish:
    """What a sign-in asks for."""

    authorize_url: str
    redirect_uri: str
    scopes: tuple[str, ...]
    extra: Mapping[str, str] = field(default_factory=dict)
    """More parameters for the authorize URL, such as ``locale``."""
    has_pkce: bool = True
    """A service that does not know PKCE ignores its parameters (RFC 6749, 3.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSignIn:
    """A sign-in on its way through a browser."""

    authorize_url: str = field(repr=False)
    """Where the browser is sent."""
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str = field(repr=False)
    code_verifier: str | None = field(repr=False)
    """PKCE's proof (RFC 7636) that who brings the code began the sign-in."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """What the browser brought back."""

    code: str = field(repr=False)
    scope: str | None
    """The scopes granted, where the service says so here."""


def begin(client_id: str, wish: AuthorizeWish) -> PendingSignIn:
    """Begin a sign-in, with a state and a PKCE verifier that nobody can guess.

    Raises ``SettingInvalid`` for extra parameters that would take the place of the sign-in's own.
    """
    url = urlsplit(wish.authorize_url)
    _refuse_parameters_of_ours({*wish.extra, *parse_qs(url.query, keep_blank_values=True)})
    library = WebApplicationClient(client_id)
    state = generate_token(48)
    verifier = library.create_code_verifier(64) if wish.has_pkce else None
    proof: dict[str, str] = {}
    if verifier:
        challenge = library.create_code_challenge(verifier, "S256")
        proof = {"code_challenge": challenge, "code_challenge_method": "S256"}
    written = library.prepare_request_uri(
        _STAND_IN, redirect_uri=wish.redirect_uri, scope=list(wish.scopes), state=state, **proof
    )
    queries = (url.query, urlsplit(written).query, urlencode(wish.extra))
    return PendingSignIn(
        authorize_url=url._replace(query="&".join(filter(None, queries)), fragment="").geturl(),
        redirect_uri=wish.redirect_uri,
        scopes=wish.scopes,
        state=state,
        code_verifier=verifier,
    )


def read_redirect(url: str, *, state: str) -> Redirect:
    """Read the URL that the browser was sent back to. Raises ``SignInFailed``.

    The state is checked before anything is taken: whoever sends another one did not begin this
    sign-in. A person may have copied the URL, with line breaks, or no more than its end.
    """
    given = _parameters(url)
    if not {"state", "code", "error"} & given.keys():
        raise _no_code()
    if not _is_same(given.get("state", ""), state):
        raise SignInFailed(_WRONG_STATE, title="This is not the sign-in that was started")
    if "error" in given:
        raise _refused(given)
    if not given.get("code"):
        raise _no_code()
    return Redirect(code=given["code"], scope=given.get("scope"))


def code_request(
    client: OAuthClient, *, code: str, redirect_uri: str, code_verifier: str | None
) -> dict[str, str]:
    """Give the form that exchanges a code for a token pair."""
    body = WebApplicationClient(client.client_id).prepare_request_body(
        code=code,
        redirect_uri=redirect_uri,
        code_verifier=code_verifier,
        client_secret=client.client_secret or None,
    )
    return dict(parse_qsl(body, keep_blank_values=True))


def refresh_request(client: OAuthClient, refresh_token: str) -> dict[str, str]:
    """Give the form that renews a token pair."""
    body = WebApplicationClient(client.client_id).prepare_refresh_body(
        refresh_token=refresh_token, client_id=client.client_id, **_secret(client)
    )
    return dict(parse_qsl(body, keep_blank_values=True))


def revoke_request(
    client: OAuthClient, token: str, *, kind: Literal["access_token", "refresh_token"]
) -> dict[str, str]:
    """Give the form that revokes a token (RFC 7009)."""
    form = {"token": token, "client_id": client.client_id, **_secret(client)}
    return {**form, "token_type_hint": kind}


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What a whole answer of the token URL means."""

    kind: Literal["granted", "dead", "client", "later", "elsewhere", "refused", "unclear"]
    """``dead``: the code or refresh token is spent. ``client``: the client is not accepted.
    ``later``: too much at the moment. ``elsewhere``: there is no token service at this URL.
    ``refused``: the service itself refuses, for another reason. In these five nothing was granted,
    and only ``dead`` spends the token. ``unclear``: nobody can tell.
    """
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    words: str = ""
    """The service's own words or status, of any length; may repeat a secret that was sent."""


def read_token_answer(status: int, body: bytes) -> TokenAnswer:
    """Tell what an answer means, JSON or form-encoded, by its content before its status."""
    given = _fields(body)
    if is_token(given.get("access_token")) and not given.get("error"):
        return TokenAnswer("granted", given)
    return TokenAnswer(_kind(status, given), words=_words(given, status))


def require_safe(url: str, *, setting: str) -> str:
    """Give the URL if secrets may be sent there. Raises ``SettingInvalid``."""
    try:
        parts = urlsplit(url)
        is_safe = _is_safe(parts) and not re.search(r"\s", url)
    except ValueError:
        is_safe = False
    if is_safe:
        return url
    msg = (
        f"The setting {setting} must be a URL with https: secrets are sent there, and only a host "
        "of this machine's own network may do without."
    )
    raise SettingInvalid(msg)


_WRONG_STATE = (
    "The browser came back with a state that does not belong to this sign-in, so nothing was taken "
    "from it: the page may be an old one, or somebody else's. Start the sign-in again and use the "
    "newest page."
)
_NO_CODE = (
    "The browser came back without a code, so there is nothing to sign in with. Give the whole URL "
    "that the browser was sent to, or start the sign-in again."
)


def _no_code() -> SignInFailed:
    return SignInFailed(_NO_CODE, title="No code came back")


def _refused(given: Mapping[str, str]) -> SignInFailed:
    reason = one_line(given.get("error_description") or given["error"])
    if given["error"] == "access_denied":
        return SignInFailed(
            "Access was denied on Cirqll's page, so nothing was signed in. If that was a mistake, "
            "start the sign-in again and allow it.",
            title="Access was denied",
            kind="denied",
        )
    if given["error"] == "invalid_scope":
        return SignInFailed(
            f'Cirqll does not know one of the scopes that were asked for ("{reason}"). Start the '
            "sign-in again and name the scopes that your client has.",
            title="A scope is not known",
        )
    return SignInFailed(
        f'Cirqll refused the sign-in ("{reason}"). Check client_id and the redirect URL of the '
        "client in Cirqll (Settings > Marketplace), then start the sign-in again.",
        title="Cirqll refused the sign-in",
    )


def _refuse_parameters_of_ours(names: set[str]) -> None:
    ours = sorted(_OURS & names)
    if ours:
        msg = (
            f"The sign-in sets {', '.join(ours)} itself: remove it from the setting "
            "authorize_parameters or authorize_url."
        )
        raise SettingInvalid(msg)


def _parameters(url: str) -> dict[str, str]:
    """Read the query of a URL or what was copied of it; what comes twice, differently, is none."""
    text = _LINE_BREAK.sub("", url).strip(" \"'<>")
    query = (text.partition("?")[2] or text).partition("#")[0]
    found = parse_qs(query, keep_blank_values=True)
    return {name: values[0] for name, values in found.items() if len(set(values)) == 1}


def _is_same(one: str, other: str) -> bool:
    return bool(other) and compare_digest(one.encode(errors="replace"), other.encode())


def _is_safe(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if not host or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_private(host))


def _is_private(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.endswith(".localhost") or bool(_ONE_LABEL.fullmatch(host))


def _secret(client: OAuthClient) -> dict[str, str]:
    return {"client_secret": client.client_secret} if client.client_secret else {}


def _fields(body: bytes) -> dict[str, Any]:
    """Read what can be read: a byte that is no UTF-8, or a number of any length, costs no pair.

    A form must say what a token service says: any line of a proxy with a ``=`` looks like one.
    """
    text = body.decode("utf-8-sig", "replace").strip()
    try:
        value = json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        form = {} if text.startswith(("<", "{", "[")) else dict(parse_qsl(text))
        return form if {"access_token", "error"} & form.keys() else {}
    return value if isinstance(value, dict) else {}


def _kind(
    status: int, given: Mapping[str, Any]
) -> Literal["dead", "client", "later", "elsewhere", "refused", "unclear"]:
    error = given.get("error")
    error = error if isinstance(error, str) else ""
    if status == _TOO_MANY or error == "temporarily_unavailable":
        return "later"
    if error in _CLIENT_ERRORS or (
        error == "invalid_request" and "client_" in str(given.get("hint"))
    ):
        return "client"
    if error in _DEAD and status < 500:  # noqa: PLR2004 - HTTP's own line
        return "dead"
    if status in {404, 405} or status in range(300, 400):
        return "elsewhere"
    # A page of a proxy may stand where an answer was lost; JSON is the service's own word.
    return "refused" if status in _REFUSED and given else "unclear"


def _words(given: Mapping[str, Any], status: int) -> str:
    """Give what says most: Passport explains each error with three lines of RFC 6749 [likely]."""
    for name in ("hint", "error_description", "message", "error"):
        if isinstance(given.get(name), str) and given[name].strip():
            return str(given[name])
    return f"status {status}"
