"""Somebody in front of a browser, and what the browser would complain about behind the pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import (
        Browser,
        BrowserContext,
        ConsoleMessage,
        Page,
        Request,
        WebError,
    )

_HERE = frozenset({"127.0.0.1", "localhost"})
_PATIENCE_MILLISECONDS = 10_000
_REFUSED = re.compile(r"Failed to load resource: .* status of [45]\d\d ")


@dataclass
class Person:
    """Has a browser profile of their own. (No slots: Playwright writes on whoever listens.)"""

    context: BrowserContext
    expected: str = "nothing is expected"
    """A pattern of what the console may say, because the test provokes it."""
    _said: list[tuple[str, str]] = field(default_factory=list)
    _pages: set[str] = field(default_factory=set)

    @classmethod
    def at(cls, browser: Browser, **options: Any) -> Person:
        """Somebody who was never here before."""
        context = browser.new_context(**options)
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        person = cls(context)
        context.on("console", person._hear)
        context.on("weberror", person._see)
        context.on("request", person._watch)
        return person

    def open(self, url: str) -> Page:
        """Open a page in a new tab."""
        page = self.context.new_page()
        page.goto(url)
        return page

    @property
    def troubles(self) -> list[str]:
        """What the console said, and requests that left this machine."""
        return [
            f"{url}: {words}"
            for url, words in self._said
            if not re.search(self.expected, words)
            # A page that is refused with a status is meant to be, and shows why.
            and not (url in self._pages and _REFUSED.match(words))
        ]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._said.append((message.location["url"], message.text))

    def _see(self, error: WebError) -> None:
        self._said.append(("a script", str(error.error)))

    def _watch(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if request.is_navigation_request():
            self._pages.add(request.url)
        if parts.scheme in {"http", "https"} and parts.hostname not in _HERE:
            self._said.append((request.url, "this request left the machine"))
