"""What a person does on a page, and reads there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

_PATIENCE_MILLISECONDS = 10_000


def press(page: Page, button: str) -> None:
    """Press the button of this name."""
    page.get_by_role("button", name=button, exact=True).click()


def shows(page: Page, heading: str) -> str:
    """Wait for the page with this heading; all that it says."""
    expect(page.get_by_role("heading", level=1)).to_have_text(
        heading, timeout=_PATIENCE_MILLISECONDS
    )
    return page.inner_text("main")
