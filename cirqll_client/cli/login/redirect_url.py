"""The redirect URL: where the browser is told to come back to, and which URLs came from there."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest
from urllib.parse import parse_qsl, urlsplit

from cirqll_client.errors import SettingInvalid

DEFAULT_PORT = 8910
"""Fixed, so that the redirect URL can be registered in Cirqll."""
_PATH = "/callback"
_CAUGHT_HOSTS = frozenset({"127.0.0.1", "localhost"})
"""The catcher listens on 127.0.0.1 and nowhere else."""


@dataclass(frozen=True, slots=True)
class CatchPlace:
    """Where on 127.0.0.1 the browser is caught."""

    port: int = DEFAULT_PORT
    """0 takes a free one."""
    path: str = _PATH
    redirect_uri: str | None = None
    """As it is sent; ``None`` is what follows from port and path."""


def own_redirect_uri(port: int = DEFAULT_PORT) -> str:
    """Give the redirect URL that is sent where no setting names one."""
    return f"http://127.0.0.1:{port}{_PATH}"


def catch_place(redirect_uri: str | None, *, port: int | None) -> CatchPlace:
    """Give the place to listen at. Raises ``SettingInvalid`` if nothing would arrive there."""
    if redirect_uri is None:
        return CatchPlace(DEFAULT_PORT if port is None else port)
    parts = urlsplit(_checked(redirect_uri))
    if parts.scheme != "http" or parts.hostname not in _CAUGHT_HOSTS:
        msg = (
            f"The setting redirect_uri ({redirect_uri}) leads to where this command cannot listen: "
            "it can on http://127.0.0.1 and http://localhost. Use --no-browser, and paste the "
            "address that the browser comes to; or leave redirect_uri out."
        )
        raise SettingInvalid(msg)
    own_port = parts.port or 80
    if port not in {None, own_port}:
        msg = (
            f"The setting redirect_uri ({redirect_uri}) names port {own_port}, and --port names "
            f"{port}: leave one of them out."
        )
        raise SettingInvalid(msg)
    return CatchPlace(own_port, parts.path or "/", redirect_uri)


def pasted_redirect_uri(redirect_uri: str | None, *, port: int | None) -> str:
    """Give what is sent where nothing listens. Raises ``SettingInvalid``."""
    if redirect_uri is None:
        return own_redirect_uri(DEFAULT_PORT if port is None else port)
    if port is not None:
        msg = (
            "The setting redirect_uri and --port both say where to come back to: give one of them."
        )
        raise SettingInvalid(msg)
    return _checked(redirect_uri)


def _checked(redirect_uri: str) -> str:
    try:
        parts = urlsplit(redirect_uri)
        is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if is_url and "#" not in redirect_uri and not any(map(str.isspace, redirect_uri)):
        return redirect_uri
    msg = (
        "The setting redirect_uri is not a URL to which a browser can be sent; write it like "
        f"{own_redirect_uri()}, as it is registered with the client in Cirqll."
    )
    raise SettingInvalid(msg)


def parameters_of(url: str) -> dict[str, str]:
    """Give what a URL brings; the last one counts where a parameter comes twice."""
    query = url.partition("?")[2].partition("#")[0]
    return dict(parse_qsl(query, keep_blank_values=True))


def is_answer_to(url: str, *, state: str) -> bool:
    """Tell whether a URL answers the sign-in of this state: nobody else knows it."""
    given = parameters_of(url).get("state", "")
    return compare_digest(given.encode(errors="replace"), state.encode())


def complaint_about(pasted: str, *, state: str) -> str | None:
    """Say why a pasted text is not the URL that the browser came back to; ``None`` if it is."""
    if "?" not in pasted:
        is_code = "/" not in pasted and not any(map(str.isspace, pasted))
        return _CODE_ALONE if is_code else _NO_URL
    given = parameters_of(pasted)
    if "response_type" in given:
        return _FIRST_URL
    if not {"code", "error"} & given.keys():
        return _NO_URL
    return None if is_answer_to(pasted, state=state) else _OTHER_STATE


_NO_URL = (
    "This is not the address that the browser came back to: that one holds code= and state=. Copy "
    "all of the address bar, after you allowed the access."
)
_FIRST_URL = (
    "This is the address to open. Paste the one that the browser comes to after you allowed the "
    "access."
)
_CODE_ALONE = (
    "This looks like the code alone. The state beside it must be checked, too, so that nobody can "
    "slip you a sign-in that is not yours: paste the whole address."
)
_OTHER_STATE = (
    "This address belongs to another sign-in (its state is not the one of this page). Open the "
    "address above, and paste the one that it leads to."
)
