"""A file that holds secrets: its owner alone can read it, from its first byte on."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from cirqll_client.errors import SettingInvalid

_OWNER_ONLY = 0o600


def write_private(path: Path, text: str, *, may_overwrite: bool) -> None:
    """Write a file whole, or not at all. Raises ``SettingInvalid``.

    What is there already stays, unless it may be overwritten; then it is replaced, so that its
    permissions and whatever it links to do not matter.
    """
    try:
        if may_overwrite:
            _replace(path, text)
        else:
            _create(path, text)
    except FileExistsError:
        msg = f"There is a file {path} already, and it was not touched: use --force to replace it."
    except OSError as error:
        msg = f"The file {path} could not be written ({error.strerror}). Nothing was exported."
    else:
        return
    raise SettingInvalid(msg)


def _create(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    _fill(descriptor, path, text)


def _replace(path: Path, text: str) -> None:
    descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    beside = Path(name)
    _fill(descriptor, beside, text)
    try:
        beside.replace(path)
    except OSError:
        beside.unlink()
        raise


def _fill(descriptor: int, path: Path, text: str) -> None:
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
