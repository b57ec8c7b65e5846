"""What it takes to connect to an account, by the names of the settings."""

from __future__ import annotations

from dataclasses import dataclass, field

DEFAULT_API_URL = "https://api.cirqll.nl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """The settings of a connection; secrets stay out of its ``repr``."""

    api_url: str = DEFAULT_API_URL
    access_token: str = field(repr=False)
    account: str = "default"
    store_url: str | None = field(default=None, repr=False)
    page_size: int = 1000
    requests_per_minute: int | None = None
    """``None`` follows what the server tells, beginning with 60."""
    api_timezone: str = "UTC"
    request_timeout: float = 60
    give_up_after: float = 900
