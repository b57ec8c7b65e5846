"""Encryption at rest: what the store keeps of tokens, sealed with a key from the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from cirqll_client.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.fernet import MultiFernet

KEY_VARIABLE = "CIRQLL_STORE_KEY"
_SEALED = "fernet:"


class Sealing(Protocol):
    """Turns a text into what may be written, and back."""

    def seal(self, text: str) -> str:
        """Give what may be written."""
        ...

    def open(self, sealed: str) -> str:
        """Give the text. Raises ``SettingInvalid`` where the key is missing or another one."""
        ...


class Unsealed:
    """No encryption: the file is readable by its owner only."""

    def seal(self, text: str) -> str:
        """Give the text itself."""
        return text

    def open(self, sealed: str) -> str:
        """Give the text, if it is one."""
        if sealed.startswith(_SEALED):
            msg = (
                f"The tokens in the store are encrypted, and the environment variable "
                f"{KEY_VARIABLE} is not set: set it to the key with which they were "
                "written. Nothing was changed."
            )
            raise SettingInvalid(msg)
        return sealed


class FernetSealing:
    """Encryption with the first key; the others open what was written before."""

    def __init__(self, keys: str) -> None:
        """Take keys, separated by commas. Raises ``SettingInvalid`` for what is none."""
        self._fernet = _fernet([key.strip() for key in keys.split(",") if key.strip()])

    def seal(self, text: str) -> str:
        """Encrypt."""
        return _SEALED + self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt; what was written without a key is read as it is."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - only where a key is set

        if not sealed.startswith(_SEALED):
            return sealed
        try:
            return self._fernet.decrypt(sealed.removeprefix(_SEALED).encode()).decode()
        except InvalidToken:
            msg = (
                f"The environment variable {KEY_VARIABLE} holds another key than the one with "
                "which the tokens in the store were encrypted. Set the right key; to change keys, "
                "set both with a comma between, the new one first. Nothing was changed."
            )
        raise SettingInvalid(msg)

    def __repr__(self) -> str:
        """Never show the key."""
        return "FernetSealing(***)"


def sealing_of(environment: Mapping[str, str] | None = None) -> Sealing:
    """Seal with the key of the environment, if there is one. Raises ``SettingInvalid``."""
    variables = os.environ if environment is None else environment
    keys = variables.get(KEY_VARIABLE, "").strip()
    return FernetSealing(keys) if keys else Unsealed()


def _fernet(keys: list[str]) -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 - takes time to import

    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        pass
    msg = (
        f"The environment variable {KEY_VARIABLE} is no key: it must be 32 random bytes in "
        "URL-safe base64, as `python -c 'import base64, os; "
        "print(base64.urlsafe_b64encode(os.urandom(32)).decode())'` makes them."
    )
    raise SettingInvalid(msg)
