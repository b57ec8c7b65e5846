"""Chromium: found on this machine, or installed from Debian where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome")
_INSTALL_SECONDS = 240
_LAST_LINES = 15


class ChromiumMissingError(Exception):
    """Says what is missing and what to install."""


def chromium_on(path: str, *, may_install: bool) -> str:
    """The program, looked for in the folders of `path`; `ChromiumMissingError` if there is none."""
    why = "it is installed by itself only for root and where there is apt-get"
    if _found(path) is None and may_install and shutil.which("apt-get", path=path):
        why = _installed(path)
    found = _found(path)
    if found is None:
        message = (
            f"The browser tests need Chromium, and none of {', '.join(NAMES)} is on the PATH. "
            f"Install one, on Debian by: apt-get install chromium ({why})."
        )
        raise ChromiumMissingError(message)
    return found


def _found(path: str) -> str | None:
    return next(filter(None, (shutil.which(name, path=path) for name in NAMES)), None)


def _installed(path: str) -> str:
    """Install Chromium; in words, how that went."""
    more = "-o Acquire::Retries=3"
    install = f"apt-get update {more} && apt-get install -y --no-install-recommends {more} chromium"
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", install],
            # The rest of the environment says how this machine reaches Debian.
            env={**os.environ, "PATH": path, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=_INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"apt-get did not come to its end within {_INSTALL_SECONDS} seconds"
    last = "\n".join(done.stdout.splitlines()[-_LAST_LINES:])
    return f"apt-get was tried, ended with {done.returncode} and said:\n{last}\n"
