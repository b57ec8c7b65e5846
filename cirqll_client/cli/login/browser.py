"""Opening the browser of the person at this machine."""

from __future__ import annotations

import os
import webbrowser
from contextlib import suppress

_TEXT_BROWSERS = frozenset({"www-browser", "links", "elinks", "lynx", "w3m"})
"""They would take the terminal; whoever wants one names it in the variable ``BROWSER``."""


def open_browser(url: str) -> bool:
    """Open a URL; tell whether that worked. It may last as long as the browser is open."""
    with suppress(webbrowser.Error):
        if os.environ.get("BROWSER"):
            return webbrowser.open(url)
        controller = webbrowser.get()
        is_text = getattr(controller, "basename", "") in _TEXT_BROWSERS
        return not is_text and controller.open(url)
    return False
