"""Token services of other makes, as ready values of `Behaviour`."""

from __future__ import annotations

from typing import Any

from cirqll_sandbox.behaviour import Behaviour

LUCA_OPTIONS: dict[str, Any] = {
    "access_token_seconds": 3600,
    "refresh_token_seconds": None,
    "refresh_rotates": False,
    "refresh_revokes_access_token": False,  # a guess
    "token_type_word": "bearer",
    "redirect_uri_in_token_request": "ignored",
    "scope_told_in_redirect": True,
    "broad_scopes": ("accounting",),
}

TOKEN_SERVICES: dict[str, dict[str, Any]] = {"cirqll": {}, "luca": LUCA_OPTIONS}
"""The options of `Behaviour` by the name of the service whose habits they are."""

LUCA = Behaviour(**LUCA_OPTIONS)
"""Luca Regnskap: no rotation, access tokens of one hour, one scope, refresh tokens for ever."""
