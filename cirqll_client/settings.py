"""What it takes to connect to an account, by the names of the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cirqll_client.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_API_URL = "https://api.cirqll.nl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """The settings of a connection; secrets stay out of its ``repr``."""

    api_url: str = DEFAULT_API_URL
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    token_url: str | None = None
    """``None`` is where the account signed in, else ``/oauth/token`` below ``api_url``."""
    refresh_token: str | None = field(default=None, repr=False)
    """The first token pair's, where nobody signed in by ``cirqll login``."""
    access_token: str | None = field(default=None, repr=False)
    """Used as it is, where there is no ``refresh_token``."""
    account: str = "default"
    store_url: str | None = field(default=None, repr=False)
    page_size: int = 1000
    requests_per_minute: int | None = None
    """``None`` follows what the server tells, beginning with 60."""
    api_timezone: str = "UTC"
    request_timeout: float = 60
    give_up_after: float = 900

    @property
    def fixed_token(self) -> str | None:
        """The access token that is used as it is: only where there is no ``refresh_token``."""
        return None if self.refresh_token else self.access_token or None


def load_env_file() -> None:
    """Put what ``.env`` in the working folder says into the environment, which wins.

    Raises ``SettingInvalid`` for a file that cannot be read.
    """
    from dotenv import load_dotenv  # noqa: PLC0415 - programs only

    try:
        load_dotenv(Path(".env"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
    else:
        return
    msg = f"The file .env cannot be read: {reason}."
    raise SettingInvalid(msg)


def default_store_file() -> Path:
    """Name the SQLite file in the user's state folder."""
    import platformdirs  # noqa: PLC0415 - not needed where store_url is set

    return platformdirs.user_state_path("cirqll") / "store.sqlite"


def default_store_url() -> str:
    """Name it as a store URL."""
    return f"sqlite:///{default_store_file()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInSettings:
    """What signing in takes beyond a connection; ``None`` is Cirqll's own."""

    authorize_url: str | None = None
    """``/oauth/authorize`` below ``api_url`` [doc]."""
    scopes_url: str | None = None
    """``/oauth/scopes`` below ``api_url`` [likely]."""
    revoke_url: str | None = None
    """Where tokens are revoked (RFC 7009); Cirqll's documentation names none."""
    redirect_uri: str | None = None
    """The redirect URL of the client; ``None`` is where ``login`` listens on loopback."""
    authorize_parameters: Mapping[str, str] = field(default_factory=dict)
    """More parameters for the authorize URL."""
    has_pkce: bool = True
